"""Literal CloudTrail records for tests: a true-to-life default, changed where the test cares."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

ACCOUNT = "111122223333"
_numbers = itertools.count(1)


def an_event(**changes: Any) -> dict[str, Any]:
    """A DescribeInstances by IAM user alice, with top-level fields replaced by `changes`.

    A change of None removes the field. Every call has an event id of its own.
    """
    number = next(_numbers)
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": a_user(),
        "eventTime": "2026-03-10T12:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64",
        "requestParameters": None,
        "responseElements": None,
        "requestID": f"00000000-0000-4000-8000-{number:012d}",
        "eventID": f"11111111-0000-4000-8000-{number:012d}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    record.update(changes)
    return {key: value for key, value in record.items() if key not in changes or value is not None}


def a_user(name: str = "alice", account: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    """An IAM user's identity with a long-term key."""
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{name.upper():X<17}",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": a_key(name),
        "userName": name,
        **changes,
    }


def a_key(name: str) -> str:
    """A user's long-term key, which ends in no run that would make it a mask (§3.4 rule 1)."""
    return "AKIA" + (name.upper() + "XQ" * 8)[:16]


def a_role_session(
    role: str = "reader",
    session: str = "work",
    *,
    account: str = ACCOUNT,
    key: str = "ASIAROLESESSION00001",
    created: str = "2026-03-10T11:50:00Z",
    path: str = "/",
    **changes: Any,
) -> dict[str, Any]:
    """An assumed role's identity, as it stands on the calls made with the session."""
    role_id = f"AROA{role.upper().replace('-', ''):X<17}"
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{account}:role{path}{role}",
                "accountId": account,
                "userName": role,
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": created, "mfaAuthenticated": "false"},
        },
        **changes,
    }


def an_assumption(
    role: str = "reader",
    session: str = "work",
    *,
    account: str = ACCOUNT,
    key: str = "ASIAROLESESSION00001",
    path: str = "/",
    **changes: Any,
) -> dict[str, Any]:
    """A successful AssumeRole of `role`, by IAM user alice unless `userIdentity` is given."""
    role_id = f"AROA{role.upper().replace('-', ''):X<17}"
    role_arn = f"arn:aws:iam::{account}:role{path}{role}"
    fields: dict[str, Any] = {
        "eventTime": "2026-03-10T11:50:00Z",
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "recipientAccountId": account,
        "requestParameters": {"roleArn": role_arn, "roleSessionName": session},
        "responseElements": {
            "credentials": {"accessKeyId": key},
            "assumedRoleUser": {
                "assumedRoleId": f"{role_id}:{session}",
                "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
            },
        },
        "resources": [{"accountId": account, "type": "AWS::IAM::Role", "ARN": role_arn}],
    }
    fields.update(changes)
    if "responseElements" not in changes:
        asked = (fields["requestParameters"] or {}).get("durationSeconds") or 3600
        end = datetime.fromisoformat(fields["eventTime"]) + timedelta(seconds=asked)
        printed = f"{end:%b} {end.day}, {end.year}, {end.hour % 12 or 12}:{end:%M:%S} {end:%p}"
        fields["responseElements"]["credentials"]["expiration"] = printed
    return an_event(**fields)


MASKED = "ASIA****************"
"""As customers send their logs: such a key is no other key than the one used, nor the same."""

IN_CONSOLE = {"sessionCredentialFromConsole": "true"}


def by_the_console(**changes: Any) -> dict[str, Any]:
    """How an assumption looks that the console made for its user."""
    return {
        "userIdentity": a_user(accessKeyId="ASIASWITCHER00Q00Q01", invokedBy="AWS Internal"),
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        **changes,
    }


def around(*regions: str, account: str = ACCOUNT) -> list[dict[str, Any]]:
    """Events of an account hours before and after the others: its logs have no hole there."""
    return [
        an_event(
            eventTime=f"2026-03-10T{hour}:00:00Z", awsRegion=region, recipientAccountId=account
        )
        for region in ("us-east-1", "eu-west-1", *regions)
        for hour in ("08", "16")
    ]
