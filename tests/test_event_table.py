"""One record becomes one row, by the same rules whichever way it is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from trail.events import EVENT_SCHEMA, Unreadable, event_row, parse_time
from trail.read.columns import Chunk, Columns
from trail.read.formats import Loose, read_source, take_apart

IDENTITIES: list[tuple[str, dict[str, Any], str | None, str | None]] = [
    # what it is, userIdentity, identity_id, session_name
    ("root", {"type": "Root", "principalId": ACCOUNT, "accountId": ACCOUNT,
              "arn": f"arn:aws:iam::{ACCOUNT}:root"}, ACCOUNT, None),
    ("root with only a principal id", {"type": "Root", "principalId": ACCOUNT}, ACCOUNT, None),
    ("user", a_user("alice"), "AIDAALICEXXXXXXXXXXXX", None),
    ("role session", a_role_session("reader", "work"), "AROAREADERXXXXXXXXXXX", "work"),
    ("session name with a colon", {"type": "AssumedRole", "principalId": "AROAX:a:b"},
     "AROAX", "a:b"),
    ("bare role", {"type": "Role", "principalId": "AROAX"}, "AROAX", None),
    ("federated user", {"type": "FederatedUser", "principalId": f"{ACCOUNT}:bob"},
     f"{ACCOUNT}:bob", None),
    ("SAML user that looks like a role", {"type": "SAMLUser", "principalId": "AROAsneaky:bob"},
     "AROAsneaky:bob", None),
    ("web identity", {"type": "WebIdentityUser",
                      "principalId": "arn:aws:iam::1:oidc-provider/token:sts.amazonaws.com:repo:x"},
     "arn:aws:iam::1:oidc-provider/token:sts.amazonaws.com:repo:x", None),
    ("another account's session", {"type": "AWSAccount", "accountId": "999988887777",
                                   "principalId": "AROAFAR:them"}, "AROAFAR", "them"),
    ("another account's user", {"type": "AWSAccount", "accountId": "999988887777",
                                "principalId": "AIDAFAR"}, "AIDAFAR", None),
    ("another account", {"type": "AWSAccount", "accountId": "999988887777"},
     "999988887777", None),
    ("anonymous", {"type": "AWSAccount", "accountId": "anonymous", "principalId": ""},
     "anonymous", None),
    ("service", {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
     "ec2.amazonaws.com", None),
    ("Identity Center user", {"type": "IdentityCenterUser", "accountId": ACCOUNT,
                              "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:s"}},
     "u-1", None),
    ("Identity Center user of old, with the account's id for a principal id",
     {"type": "Unknown", "principalId": ACCOUNT, "accountId": ACCOUNT,
      "onBehalfOf": {"userId": "u-1"}}, "u-1", None),
    ("nobody in particular", {"type": "Unknown", "principalId": ACCOUNT, "accountId": ACCOUNT},
     ACCOUNT, None),
    ("a user acting for a person", a_user("alice", onBehalfOf={"userId": "u-1"}),
     "AIDAALICEXXXXXXXXXXXX", None),
    ("directory", {"type": "Directory", "userName": "dora"}, "dora", None),
    ("unknown with an ARN", {"type": "Unknown", "arn": "arn:aws:x"}, "arn:aws:x", None),
    ("EC2 identity role", {"type": "AssumedRole",
                           "principalId": f"{ACCOUNT}:aws:ec2-instance:i-1",
                           "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-instance/i-1"},
     f"{ACCOUNT}:aws:ec2-instance:i-1", "i-1"),
    ("no type", {"accountId": ACCOUNT}, ACCOUNT, None),
    ("nothing", {}, None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "identity_id", "session_name"),
    [case[1:] for case in IDENTITIES],
    ids=[case[0] for case in IDENTITIES],
)
def test_identity_of_every_type(
    identity: dict[str, Any], identity_id: str | None, session_name: str | None
) -> None:
    row = event_row(an_event(userIdentity=identity))
    assert (row["identity_id"], row["session_name"]) == (identity_id, session_name)


def test_every_column_of_a_rich_record() -> None:
    who = a_role_session("deploy", "ci", path="/team/", invokedBy="cloudformation.amazonaws.com")
    who["sessionContext"] |= {"sourceIdentity": "carol", "ec2RoleDelivery": "2.0"}
    row = event_row(
        an_assumption(
            "admin",
            "deeper",
            key="ASIAMINTED",
            path="/ops/",
            userIdentity=who,
            sharedEventID="shared",
            vpcEndpointId="vpce-1",
            sessionCredentialFromConsole="true",
        )
    )
    assert row["issuer_arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/deploy"
    assert row["issuer_id"] == "AROADEPLOYXXXXXXXXXXX"
    assert row["session_created"] == datetime(2026, 3, 10, 11, 50, tzinfo=UTC)
    assert row["session_from_console"] is True
    assert row["source_identity"] == "carol"
    assert row["ec2_role_delivery"] == "2.0"
    assert row["invoked_by"] == "cloudformation.amazonaws.com"
    assert row["mfa"] is False
    assert row["minted_access_key_id"] == "ASIAMINTED"
    assert row["minted_principal_id"] == "AROAADMINXXXXXXXXXXXX:deeper"
    assert row["target_role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/ops/admin"
    assert row["target_session_name"] == "deeper"
    assert row["shared_event_id"] == "shared"
    assert row["vpc_endpoint_id"] == "vpce-1"
    assert json.loads(row["user_identity"]) == who
    assert row["service_event_details"] is None
    assert row["failed"] is False


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"requestParameters": None, "resources": [{"type": "AWS::IAM::Role", "ARN": "arn:r"}]},
         "arn:r"),
        ({"requestParameters": None, "resources": None, "responseElements": None,
          "errorMessage": "User: x is not authorized to perform: sts:AssumeRole on resource: "
          "arn:aws:iam::111122223333:role/a/b because no"},
         "arn:aws:iam::111122223333:role/a/b"),
        ({"requestParameters": None, "resources": None, "eventName": "GetCallerIdentity"}, None),
    ],
)  # fmt: skip
def test_target_role_falls_back(changes: dict[str, Any], target: str | None) -> None:
    assert event_row(an_assumption(**changes))["target_role_arn"] == target


SESSION = f"arn:aws:signin:us-east-1:{ACCOUNT}:session/s"


@pytest.mark.parametrize("level", ["record", "userIdentity", "additionalEventData"])
def test_sign_in_session_is_found_at_each_level(level: str, tmp_path: Path) -> None:
    named = {"signInSessionArn": SESSION}
    record = an_event(**(named if level == "record" else {level: named}))
    assert event_row(record)["sign_in_session_arn"] == SESSION
    (tmp_path / "a.json").write_text(json.dumps({"Records": [record]}))
    (chunk,) = read_source(tmp_path / "a.json")
    assert isinstance(chunk, Chunk)  # the fast way, not `event_row` again
    columns = Columns(lambda _: None)
    columns.add_chunk(chunk)
    assert columns.sorted_table()["sign_in_session_arn"].to_pylist() == [SESSION]


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, False),
        ({"errorCode": "AccessDenied"}, True),
        ({"errorMessage": "odd"}, False),
        ({"eventSource": "signin.amazonaws.com", "errorMessage": "Failed authentication"}, True),
        ({"eventType": "AwsConsoleSignin", "errorMessage": "Failed authentication"}, True),
        ({"responseElements": {"ConsoleLogin": "Failure"}}, True),
        ({"responseElements": {"ConsoleLogin": "Success"}}, False),
    ],
)
def test_failed(changes: dict[str, Any], failed: bool) -> None:
    assert event_row(an_event(**changes))["failed"] is failed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-07-01T00:08:20Z", datetime(2026, 7, 1, 0, 8, 20, tzinfo=UTC)),
        ("20131102T010628Z", datetime(2013, 11, 2, 1, 6, 28, tzinfo=UTC)),
        ("2023-01-01 10:00:00.123456789", datetime(2023, 1, 1, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2023-01-01 10:00:00.000 UTC", datetime(2023, 1, 1, 10, tzinfo=UTC)),
        ("2023-01-01T10:00:00+02:00", datetime(2023, 1, 1, 8, tzinfo=UTC)),
        (1672567200, datetime(2023, 1, 1, 10, tzinfo=UTC)),
        (1672567200000, datetime(2023, 1, 1, 10, tzinfo=UTC)),
        ("1672567200000", datetime(2023, 1, 1, 10, tzinfo=UTC)),
        ("yesterday", None),
        (True, None),
        (10**400, None),
        (None, None),
    ],
)
def test_times(value: object, expected: datetime | None) -> None:
    assert parse_time(value) == expected


@pytest.mark.parametrize("year", ["1970", "2262", "9999", "0001"])
def test_impossible_years_are_unreadable(year: str) -> None:
    with pytest.raises(Unreadable, match="outside 2006 to 2099"):
        event_row(an_event(eventTime=f"{year}-01-02T00:00:00Z"))


def test_account_as_a_number_keeps_its_zeros() -> None:
    assert event_row(an_event(recipientAccountId=1234567))["recipient_account_id"] == "000001234567"


def test_event_without_id_is_known_by_its_content() -> None:
    one, other = an_event(eventID=None, requestID="a"), an_event(eventID=None, requestID="b")
    assert event_row(one)["event_id"] == event_row(dict(reversed(one.items())))["event_id"]
    assert event_row(one)["event_id"] != event_row(other)["event_id"]


# ---- the fast way gives the same rows ----------------------------------------------------------

_scalar = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
_json = st.recursive(
    _scalar,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


def _or_odd(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, usual, _json)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_short = st.sampled_from(["", "a", "AssumeRole", "AROAX:s", "111122223333", "é", "Yes", "true"])
_when = st.sampled_from(
    ["2026-03-10T12:00:00Z", "20260310T120000Z", "2026-03-10 12:00:00", "2262-04-12T00:00:00Z",
     "1970-01-01T00:00:00Z", "2026-03-10T12:00:00.5Z", "2026-03-10T12:00:00+02:00", "soon"]
)  # fmt: skip
_identity = _some(
    type=_or_odd(st.sampled_from(["Root", "IAMUser", "AssumedRole", "Unknown", "SAMLUser"])),
    principalId=_or_odd(_short),
    arn=_or_odd(st.sampled_from(["arn:aws:sts::1:assumed-role/r/s", "arn:x"])),
    accountId=_or_odd(_short),
    accessKeyId=_or_odd(_short),
    userName=_or_odd(_short),
    invokedBy=_or_odd(_short),
    signInSessionArn=_or_odd(_short),
    onBehalfOf=_or_odd(_some(userId=_or_odd(_short))),
    sessionContext=_or_odd(
        _some(
            attributes=_or_odd(
                _some(
                    creationDate=_or_odd(_when),
                    mfaAuthenticated=_or_odd(_short),
                    sessionCredentialFromConsole=_or_odd(_short),
                )
            ),
            sessionIssuer=_or_odd(_some(arn=_or_odd(_short), principalId=_or_odd(_short))),
            sourceIdentity=_or_odd(_short),
        )
    ),
)
_record = st.fixed_dictionaries(
    {
        "eventTime": _or_odd(_when),
        "eventName": _or_odd(_short),
        "eventID": _or_odd(_short),
        "userIdentity": _or_odd(_identity),  # without one a row says nobody, and is refused
    },
    optional={
        "eventSource": _or_odd(st.sampled_from(["signin.amazonaws.com", "sts.amazonaws.com", ""])),
        "eventType": _or_odd(st.sampled_from(["AwsConsoleSignIn", "AwsApiCall"])),
        "errorCode": _or_odd(_short),
        "errorMessage": _or_odd(
            st.sampled_from(["", "no", 'on resource: "arn:aws:iam::111122223333:role/x"'])
        ),
        "recipientAccountId": _or_odd(_short),
        "readOnly": _or_odd(st.sampled_from([True, "true", "False", "odd"])),
        "sessionCredentialFromConsole": _or_odd(_short),
        "signInSessionArn": _or_odd(_short),
        "userAgent": _or_odd(_short),
        "requestParameters": _or_odd(
            _some(
                roleArn=_or_odd(_short),
                roleSessionName=_or_odd(_short),
                durationSeconds=_or_odd(st.sampled_from([900, "900", 9e99, "x"])),
            )
        ),
        "responseElements": _or_odd(
            _some(
                credentials=_or_odd(_some(accessKeyId=_or_odd(_short))),
                accessKey=_or_odd(_some(accessKeyId=_or_odd(_short))),
                credentialSet=_or_odd(
                    st.lists(_some(credentials=_or_odd(_some(accessKeyId=_or_odd(_short)))))
                ),
                assumedRoleUser=_or_odd(_some(assumedRoleId=_or_odd(_short))),
                federatedUser=_or_odd(_some(federatedUserId=_or_odd(_short))),
                ConsoleLogin=_or_odd(st.sampled_from(["Failure", "Success"])),
            )
        ),
        "additionalEventData": _or_odd(
            _some(MFAUsed=_or_odd(_short), signInSessionArn=_or_odd(_short))
        ),
        "resources": _or_odd(
            st.lists(_some(type=st.just("AWS::IAM::Role"), ARN=_or_odd(_short)), max_size=2)
        ),
    },
)
_JSON_COLUMNS = {
    "user_identity", "request_parameters", "response_elements", "additional_event_data",
    "service_event_details", "resources",
}  # fmt: skip


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """JSON text by its value, times without their zone (segments hold plain UTC)."""
    return {
        name: json.loads(value)
        if name in _JSON_COLUMNS and value is not None
        else value.replace(tzinfo=None)
        if isinstance(value, datetime)
        else value
        for name, value in row.items()
    }


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(records=st.lists(_record, min_size=1, max_size=4), ascii_only=st.booleans())
def test_fast_columns_equal_the_rules(
    records: list[dict[str, Any]], ascii_only: bool, tmp_path: Path
) -> None:
    path = tmp_path / "log.json"
    text = json.dumps({"Records": records}, ensure_ascii=ascii_only)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    expected, unreadable = {}, 0
    for ordinal, record in enumerate(json.loads(text)["Records"]):
        try:
            expected[ordinal] = _comparable(event_row(record))
        except Unreadable:
            unreadable += 1

    bad: list[object] = []

    def take(found: object) -> None:
        if isinstance(found, Loose):
            try:
                columns.add_row(event_row(found.record), found.source_file, found.ordinal)
            except Unreadable as error:
                bad.append(error)
        else:
            bad.append(found)

    columns = Columns(lambda chunk: [take(found) for found in take_apart(chunk)])
    for found in read_source(path):
        if hasattr(found, "records"):
            columns.add_chunk(found)
        else:
            take(found)
    columns.pack()
    rows = columns.sorted_table().cast(EVENT_SCHEMA).to_pylist() if columns.rows else []
    found_rows = {
        row.pop("source_ordinal"): _comparable({k: v for k, v in row.items() if k != "source_file"})
        for row in rows
    }
    assert found_rows == expected
    assert len(bad) == unreadable
