"""Which roles the principal assumed or tried to: grouping, targets, reasons, enumeration."""

from __future__ import annotations

import json

import pytest

from enrich.questions.roles_assumed import ROLES_ASSUMED
from tests.an_alert import an_alert, which_roles
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from tests.answered import as_written
from tests.memory_store import MemoryStore
from trail.index.build import add
from trail.store import open_store

OTHER = "444455556666"
ALERT = an_event(eventTime="2026-03-10T12:00:00Z")


def a_denial(role: str = "admin", reason: str = "", account: str = ACCOUNT, **changes):
    """A refused AssumeRole as AWS logs it: no request parameters, the target in the message."""
    target = f"arn:aws:iam::{account}:role/{role}"
    return an_event(
        **{
            "eventTime": "2026-03-10T11:00:00Z",
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole",
            "errorCode": "AccessDenied",
            "errorMessage": f"User: {a_user()['arn']} is not authorized to perform:"
            f" sts:AssumeRole on resource: {target}{reason}",
            **changes,
        }
    )


def rows(answer, *names: str):
    return [tuple(role[name] for name in names) for role in answer.data["roles"]]


def test_successes_and_failures_are_grouped_by_role_result_and_interface():
    records = [
        an_assumption("reader", eventTime="2026-03-10T09:00:00Z"),
        an_assumption("reader", eventTime="2026-03-10T10:00:00Z", sourceIPAddress="203.0.113.8"),
        an_assumption("reader", eventTime="2026-03-10T10:30:00Z", userAgent="signin.amazonaws.com"),
        a_denial("admin", eventTime="2026-03-10T08:00:00Z"),
        a_denial("admin", eventTime="2026-03-10T08:00:05Z"),
    ]

    answer = which_roles(ALERT, [*records, ALERT])

    reader, admin = f"arn:aws:iam::{ACCOUNT}:role/reader", f"arn:aws:iam::{ACCOUNT}:role/admin"
    assert rows(answer, "role_arn", "result", "interface", "count", "error_code") == [
        (reader, "success", "cli_sdk", 2, None),
        (reader, "success", "console", 1, None),
        (admin, "failure", "cli_sdk", 2, "AccessDenied"),
    ]
    first = answer.data["roles"][0]
    assert first["first"] == "2026-03-10T09:00:00Z"
    assert first["last"] == "2026-03-10T10:00:00Z"
    assert first["source_ip_addresses"] == ["198.51.100.7", "203.0.113.8"]
    assert first["session_names"] == ["work"]
    assert answer.data["targets_unknown"] == 0
    assert set(answer.evidence) == {record["eventID"] for record in records}
    assert "Assumed 1 role, 3 times" in answer.sentence
    assert "failed 2 times on 1 target" in answer.sentence


@pytest.mark.parametrize(
    ("reason", "reason_class"),
    [
        (" because no identity-based policy allows the sts:AssumeRole action", "identity_policy"),
        (" with an explicit deny in a service control policy", "scp"),
        (" because no role trust policy allows the sts:AssumeRole action", "trust_policy"),
        ("", "unknown"),
    ],
)
def test_a_failure_carries_its_reason_class(reason, reason_class):
    (role,) = which_roles(ALERT, [a_denial(reason=reason), ALERT]).data["roles"]
    assert role["reason_class"] == reason_class
    assert role["reason"]


def test_reasons_of_one_role_are_kept_apart():
    answer = which_roles(
        ALERT,
        [
            a_denial(reason=" with an explicit deny in a service control policy"),
            a_denial(reason=" because no identity-based policy allows the sts:AssumeRole action"),
            ALERT,
        ],
    )
    assert sorted(rows(answer, "reason_class")) == [("identity_policy",), ("scp",)]
    assert "failed 2 times on 1 target" in answer.sentence.lower()


def test_a_failure_that_names_no_role_is_counted_as_an_unknown_target():
    mfa = "MultiFactorAuthentication failed with invalid MFA one time pass code."
    answer = which_roles(ALERT, [a_denial(errorMessage=mfa), ALERT])

    (role,) = answer.data["roles"]
    assert (role["role_arn"], role["reason_class"]) == (None, "mfa")
    assert answer.data["targets_unknown"] == 1
    assert any("named no role" in text for text in answer.caveats)


def test_the_window_is_a_week_before_and_a_day_after_both_ends_included():
    moments = {
        "2026-03-03T11:59:59Z": None,
        "2026-03-03T12:00:00Z": False,
        "2026-03-10T12:00:00Z": False,
        "2026-03-10T12:00:01Z": True,
        "2026-03-11T12:00:00Z": True,
        "2026-03-11T12:00:01Z": None,
    }
    records = [an_assumption(f"r{n}", eventTime=at) for n, at in enumerate(moments)]

    answer = which_roles(ALERT, records)

    assert (answer.data["from"], answer.data["to"]) == (
        "2026-03-03T12:00:00Z",
        "2026-03-11T12:00:00Z",
    )
    assert sorted(rows(answer, "first", "after_alert")) == sorted(
        (at, flag) for at, flag in moments.items() if flag is not None
    )


def test_the_two_copies_of_a_cross_account_call_count_once():
    fields = {"sharedEventID": "0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b", "account": OTHER}
    callers = an_assumption("spoke", recipientAccountId=ACCOUNT, **fields)
    owners = an_assumption(
        "spoke",
        recipientAccountId=OTHER,
        userIdentity={
            "type": "AWSAccount",
            "principalId": a_user()["principalId"],
            "accountId": ACCOUNT,
        },
        **fields,
    )

    answer = which_roles(ALERT, [owners, callers, ALERT])

    assert rows(answer, "count") == [(1,)]
    assert answer.evidence == (callers["eventID"],)


@pytest.mark.parametrize(
    "masked",
    [
        "***",
        "REDACTED",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        "",
        "00000000-0000-0000-0000-000000000000",
    ],
)
@pytest.mark.parametrize("key", ["ASIA2GDPCIYTPURG5NQJ", "ASIA****************"])
def test_a_masked_request_id_makes_no_copies_of_many_calls(masked, key):
    records = [an_assumption(requestID=masked, key=key) for _ in range(3)]
    answer = which_roles(ALERT, [*records, ALERT])
    assert rows(answer, "count") == [(3,)]
    assert set(answer.evidence) == {record["eventID"] for record in records}


@pytest.mark.parametrize("masked", ["***", "REDACTED"])
def test_a_masked_shared_id_makes_no_copies_of_many_calls(masked, tmp_path):
    records = [an_assumption(sharedEventID=masked) for _ in range(3)]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_text(json.dumps({"Records": [*records, ALERT]}))
    add([tmp_path / "logs"], tmp_path / "index", workers=1)
    alert = an_alert(ALERT)
    for store in (MemoryStore([*records, ALERT]), open_store(tmp_path / "index")):
        answer = as_written(ROLES_ASSUMED.ask(alert, alert.principals[0], store))
        assert rows(answer, "count") == [(3,)]


def test_one_request_of_two_keys_is_two_calls_and_of_one_key_one():
    same = "0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b"
    keys = ("ASIA2GDPCIYTPURG5NQJ", "ASIA2GDPCIYTPURG5NQJ", "ASIA2GDPCIYTGHHRQVTJ")
    records = [an_assumption(requestID=same, key=key) for key in keys]
    assert rows(which_roles(ALERT, [*records, ALERT]), "count") == [(2,)]


def test_the_owners_copy_alone_is_found_by_the_users_id():
    owners = an_assumption(
        "spoke",
        account=OTHER,
        userIdentity={
            "type": "AWSAccount",
            "principalId": a_user()["principalId"],
            "accountId": ACCOUNT,
        },
    )
    assert rows(which_roles(ALERT, [owners, ALERT]), "count") == [(1,)]


def test_other_peoples_assumptions_do_not_count():
    answer = which_roles(ALERT, [an_assumption(userIdentity=a_user("bob")), ALERT])
    assert answer.data["roles"] == []


def test_a_role_is_filtered_to_the_alerts_session_or_address():
    alert = an_event(userIdentity=a_role_session("hub", "mine", key="ASIAMINE0Q0Q0Q0Q0Q01"))
    same_session = an_assumption(
        "a",
        userIdentity=a_role_session("hub", "mine", key="ASIAOTHER0Q0Q0Q0Q0Q1"),
        sourceIPAddress="203.0.113.50",
    )
    same_address = an_assumption(
        "b", userIdentity=a_role_session("hub", "theirs", key="ASIAOTHER0Q0Q0Q0Q0Q2")
    )
    neither = an_assumption(
        "c",
        userIdentity=a_role_session("hub", "theirs", key="ASIAOTHER0Q0Q0Q0Q0Q3"),
        sourceIPAddress="203.0.113.51",
    )
    exact = an_assumption(
        "d", userIdentity=a_role_session("hub", "mine", key="ASIAMINE0Q0Q0Q0Q0Q01")
    )

    answer = which_roles(alert, [alert, same_session, same_address, neither, exact])

    assert {
        role["role_arn"].rpartition("/")[2]: role["by_alert_key"] for role in answer.data["roles"]
    } == {
        "a": 0,
        "b": 0,
        "d": 1,
    }


def test_a_thousand_sessions_of_one_role_are_one_row_with_an_exact_count():
    records = [
        an_assumption(
            "build",
            f"botocore-session-{n}",
            eventTime=f"2026-03-10T{n // 60 % 12:02}:{n % 60:02}:00Z",
            sourceIPAddress=f"198.51.100.{n % 200}",
        )
        for n in range(1_000)
    ]
    (role,) = which_roles(ALERT, records).data["roles"]
    assert role["count"] == 1_000
    assert len(role["session_names"]) == 50
    assert len(role["event_ids"]) == 20


def test_denials_of_many_sessions_differ_in_their_caller_alone_and_are_one_row():
    alert = an_event(userIdentity=a_role_session("hub", "one"))
    records = [
        a_denial(
            userIdentity=a_role_session("hub", name),
            errorMessage=f"User: arn:aws:sts::{ACCOUNT}:assumed-role/hub/{name} is not authorized"
            f" to perform: sts:AssumeRole on resource: arn:aws:iam::{ACCOUNT}:role/admin",
        )
        for name in ("one", "two", "three")
    ]
    assert rows(which_roles(alert, records), "count", "reason_class") == [(3, "unknown")]


def enumerate_roles(count: int, seconds_apart: int):
    return [
        a_denial(
            f"guess-{n}",
            eventTime=f"2026-03-10T{8 + n * seconds_apart // 3600:02}:"
            f"{n * seconds_apart // 60 % 60:02}:{n * seconds_apart % 60:02}Z",
        )
        for n in range(count)
    ]


def test_many_distinct_denied_targets_in_minutes_are_enumeration():
    answer = which_roles(ALERT, [*enumerate_roles(12, 5), ALERT])

    found = answer.data["enumeration"]
    assert (found["targets"], found["calls"]) == (12, 12)
    assert (found["from"], found["to"]) == ("2026-03-10T08:00:00Z", "2026-03-10T08:00:55Z")
    assert "Enumeration: 12 different roles were refused within 1 minute" in answer.sentence


def test_targets_and_their_names_are_both_counted():
    # 6 names in each of 3 accounts, and one refusal that names no role.
    mfa = "MultiFactorAuthentication failed with invalid MFA one time pass code."
    denials = [
        a_denial(errorMessage=f"User: x is not authorized to perform: sts:AssumeRole on resource:"
                 f" arn:aws:iam::{account}:role/name-{n}", eventTime=f"2026-03-0{n + 4}T09:00:00Z")
        for account in ("111122223333", "222233334444", "333344445555")
        for n in range(6)
    ]  # fmt: skip
    answer = which_roles(ALERT, [*denials, a_denial(errorMessage=mfa), ALERT])

    assert answer.sentence.startswith(
        "Failed 19 times on 18 targets with 6 different names, 1 of them without a target"
        " (refused by a wrong or unknown MFA code; some records do not say why): name-0, name-1,"
        " name-2, name-3 and 2 more"
    )


@pytest.mark.parametrize(
    "records",
    [
        enumerate_roles(12, 600),  # one every ten minutes: a schedule
        enumerate_roles(4, 5),  # a few slips
        [a_denial("same", eventTime=f"2026-03-10T08:00:{n:02}Z") for n in range(30)],  # one target
        [an_assumption(f"r{n}", eventTime=f"2026-03-10T08:00:{n:02}Z") for n in range(30)],
    ],
)
def test_slow_few_repeated_or_successful_calls_are_not_enumeration(records):
    assert which_roles(ALERT, [*records, ALERT]).data["enumeration"] is None


def test_a_whole_week_of_logs_without_assumptions_is_nothing():
    days = [
        an_event(eventTime=f"2026-03-{day:02}T12:00:00Z", awsRegion="us-east-1")
        for day in range(3, 11)
    ]
    answer = which_roles(ALERT, [*days, ALERT])
    assert answer.status == "nothing"
    assert answer.data["total"] == 0


def test_missing_days_make_the_answer_partial_and_no_logs_not_covered():
    assert which_roles(ALERT, [ALERT]).status == "partial"

    answer = which_roles(ALERT, [an_event(recipientAccountId=OTHER, userIdentity=a_user("bob"))])
    assert answer.status == "not_covered"
    assert answer.data["total"] is None
    assert set(answer.data) >= {"from", "to", "roles", "targets_unknown", "enumeration"}


def test_an_alert_without_a_time_is_not_covered():
    alert = an_alert(ALERT)
    timeless = type(alert)(**{**vars(alert), "first_seen": None, "last_seen": None})
    answer = which_roles(timeless, [ALERT])
    assert answer.status == "not_covered"
    assert answer.data["roles"] == []


def test_an_assumed_root_shows_the_account_as_its_target():
    record = an_event(
        eventTime="2026-03-10T11:50:00Z",
        eventSource="sts.amazonaws.com",
        eventName="AssumeRoot",
        requestParameters={"targetPrincipal": OTHER},
        responseElements={"credentials": {"accessKeyId": "ASIAROOT0Q0Q0Q0Q0Q01"}},
    )
    assert rows(which_roles(ALERT, [record, ALERT]), "role_arn") == [
        (f"arn:aws:iam::{OTHER}:root",)
    ]


# Identity Center and the console ---------------------------------------------------------------

PERSON = "90677f4b-1111-7000-8000-a1b2c3d4e5f6"
RESERVED_ROLE = (
    f"arn:aws:iam::{OTHER}:role/aws-reserved/sso.amazonaws.com/eu-west-1/"
    "AWSReservedSSO_PowerUser_0123456789abcdef"
)


def a_portal_call(**changes):
    """The portal hands out credentials: the role by the name of its permission set alone."""
    return an_event(
        **{
            "eventTime": "2026-03-10T11:50:01Z",
            "eventSource": "sso.amazonaws.com",
            "eventName": "GetRoleCredentials",
            "eventType": "AwsServiceEvent",
            "userIdentity": {
                "type": "IdentityCenterUser",
                "accountId": ACCOUNT,
                "onBehalfOf": {"userId": PERSON},
            },
            "serviceEventDetails": {"role_name": "PowerUser", "account_id": OTHER},
            **changes,
        }
    )


def a_reserved_role(at: str, role_arn: str = RESERVED_ROLE):
    return an_event(
        eventTime=at,
        eventSource="sts.amazonaws.com",
        eventName="AssumeRoleWithSAML",
        recipientAccountId=OTHER,
        userIdentity={"type": "SAMLUser", "principalId": "kM9=:ana", "userName": "ana"},
        requestParameters={"roleArn": role_arn, "roleSessionName": "ana"},
        responseElements={"credentials": {"accessKeyId": "ASIARESERVED0Q0Q0Q01"}},
    )


def test_an_identity_center_user_assumes_what_the_portal_hands_out():
    portal, saml = a_portal_call(), a_reserved_role("2026-03-10T11:50:00Z")
    another = a_reserved_role("2026-03-10T11:50:00Z", RESERVED_ROLE.replace("PowerUser", "Viewer"))

    answer = which_roles(portal, [portal, saml, another])

    assert rows(answer, "role_arn", "result", "interface", "interface_detail", "count") == [
        (RESERVED_ROLE, "success", "saml", "IAM Identity Center", 1)
    ]
    assert set(answer.evidence) == {portal["eventID"], saml["eventID"]}
    assert "AWSReservedSSO_PowerUser_0123456789abcdef" in answer.sentence


@pytest.mark.parametrize("records", [[], [a_reserved_role("2026-03-10T11:50:04Z")]])
def test_without_the_roles_own_log_its_permission_set_and_account_are_named(records):
    portal = a_portal_call(eventName="Federate")

    answer = which_roles(portal, [portal, *records])

    (role,) = answer.data["roles"]
    assert role["role_arn"].startswith(f"arn:aws:iam::{OTHER}:role/aws-reserved/")
    assert role["role_arn"].endswith("/AWSReservedSSO_PowerUser_*")
    assert role["event_ids"] == [portal["eventID"]]


def test_two_permission_sets_are_two_roles_and_a_call_without_one_is_still_counted():
    portal = a_portal_call()
    viewer = a_portal_call(serviceEventDetails={"role_name": "Viewer", "account_id": OTHER})
    vague = a_portal_call(serviceEventDetails=None)
    answer = which_roles(portal, [portal, viewer, vague])
    assert sorted(str(arn).rpartition("/")[2] for (arn,) in rows(answer, "role_arn")) == [
        "AWSReservedSSO_PowerUser_*",
        "AWSReservedSSO_Viewer_*",
        "None",
    ]


@pytest.mark.parametrize(
    ("switched_at", "interface"),
    [("2026-03-10T11:50:02Z", "console"), ("2026-03-10T11:50:03Z", "cli_sdk"), (None, "cli_sdk")],
)
def test_the_consoles_own_record_within_two_seconds_makes_it_the_console(switched_at, interface):
    assumption = an_assumption("admin", "alice")  # with an address and agent that tell nothing
    identity = a_role_session("admin", "alice")
    del identity["accessKeyId"], identity["sessionContext"]
    switch = an_event(
        eventTime=switched_at or "2026-03-10T09:00:00Z",
        eventSource="signin.amazonaws.com",
        eventName="SwitchRole",
        userIdentity=identity,
        responseElements={"SwitchRole": "Success"},
    )
    answer = which_roles(ALERT, [assumption, switch, ALERT])
    assert rows(answer, "interface") == [(interface,)]
