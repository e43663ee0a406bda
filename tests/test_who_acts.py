"""Who acts: human, automation, AWS service or AI agent, and the field that says so."""

from __future__ import annotations

from typing import Any

import pytest

from enrich.facts.actor import Acting, ActorKind, actor_of
from tests.an_alert import who_assumed
from tests.an_event import a_role_session, a_user, an_assumption, an_event

SSO = (
    "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/"
    "AWSReservedSSO_Admin_0123456789abcdef"
)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36"


@pytest.mark.parametrize(
    ("facts", "kind", "field", "asserted"),
    [
        # AWS's own words.
        ({"type": "AWSService", "invoked_by": "ec2.amazonaws.com"},
         "aws_service", "userIdentity.type", True),
        ({"type": "AssumedRole",
          "role_arn": "arn:aws:iam::1:role/aws-service-role/config.amazonaws.com/AWSServiceRoleX"},
         "aws_service", "sessionContext.sessionIssuer.arn", True),
        ({"type": "IAMUser", "invoked_by": "cloudformation.amazonaws.com"},
         "aws_service", "userIdentity.invokedBy", True),
        ({"type": "AssumedRole", "invoked_by": "aws-mcp.amazonaws.com"},
         "ai_agent", "userIdentity.invokedBy", True),
        ({"type": "AssumedRole", "source_ip_address": "aws-mcp.amazonaws.com"},
         "ai_agent", "sourceIPAddress", True),
        ({"type": "AssumedRole", "identity": {"sessionContext": {"ec2RoleDelivery": "2.0"}}},
         "automation", "sessionContext.ec2RoleDelivery", True),
        ({"type": "AssumedRole", "identity": {"inScopeOf": {
            "issuerType": "AWS::Lambda::Function",
            "credentialsIssuedTo": "arn:aws:lambda:eu-west-1:1:function:f"}}},
         "automation", "userIdentity.inScopeOf.credentialsIssuedTo", True),
        ({"arn": "arn:aws:sts::1:assumed-role/aws:ec2-instance/i-0123456789abcdef0"},
         "automation", "userIdentity.arn", True),
        ({"type": "WebIdentityUser",
          "identity": {"identityProvider": "token.actions.githubusercontent.com"}},
         "automation", "userIdentity.identityProvider", True),
        ({"type": "IAMUser", "event_name": "ConsoleLogin"}, "human", "eventName", True),
        ({"from_console": True}, "human", "sessionCredentialFromConsole", True),
        ({"on_behalf_of": "u-1"}, "human", "userIdentity.onBehalfOf.userId", True),
        ({"role_arn": SSO}, "human", "sessionContext.sessionIssuer.arn", True),
        ({"arn": "arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann"},
         "human", "userIdentity.arn", True),
        ({"identity": {"sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}},
         "human", "sessionContext.attributes.mfaAuthenticated", True),
        ({"type": "SAMLUser"}, "human", "userIdentity.type", True),
        # The caller's own words.
        ({"source_identity": "ann@example.com"}, "human", "sessionContext.sourceIdentity", False),
        ({"source_identity": "CN=build"}, "automation", "sessionContext.sourceIdentity", False),
        ({"session_name": "i-0123456789abcdef0"}, "automation", "session name", False),
        ({"user_agent": "aws-mcp.amazonaws.com"}, "ai_agent", "userAgent", False),
        ({"user_agent": BROWSER}, "human", "userAgent", False),
        ({"user_agent": "Boto3/1.34 exec-env/AWS_Lambda_python3.12"},
         "automation", "userAgent", False),
        # Nothing that tells people from programs.
        ({}, "not_known", None, False),
        ({"type": "IAMUser", "user_agent": "aws-cli/2.15.0 Python/3.11.6"},
         "not_known", None, False),
        ({"type": "Root", "user_agent": "Boto3/1.34"}, "not_known", None, False),
        ({"identity": {"sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}},
         "not_known", None, False),
        ({"session_name": "terraform"}, "not_known", None, False),
        ({"type": "WebIdentityUser",
          "identity": {"identityProvider": "cognito-identity.amazonaws.com"}},
         "not_known", None, False),
    ],
)  # fmt: skip
def test_the_field_that_says_so(
    facts: dict[str, Any], kind: ActorKind, field: str | None, asserted: bool
) -> None:
    actor = actor_of(Acting(**facts))
    assert (actor.kind, actor.field, actor.asserted) == (kind, field, asserted)


def test_a_name_of_the_caller_s_does_not_beat_what_aws_wrote() -> None:
    """An intruder may call a session after an instance; MFA was a person's."""
    mfa = {"sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}
    actor = actor_of(Acting(identity=mfa, session_name="i-0123456789abcdef0", user_agent="x"))
    assert actor.kind == "human"
    assert actor.words == ("human: signed with MFA (sessionContext.attributes.mfaAuthenticated)")


def test_the_caller_s_word_is_called_so() -> None:
    actor = actor_of(Acting(session_name="i-0123456789abcdef0"))
    assert actor.words == (
        "automation: named like an EC2 instance's (session name, the caller's own word)"
    )
    assert actor_of(Acting()).words == "human or automation: not known"


def test_strange_values_break_nothing() -> None:
    strange: list[dict[str, Any]] = [
        {"sessionContext": 5},
        {"sessionContext": {"attributes": []}},
        {"inScopeOf": 1},
        {"identityProvider": ["x"]},
    ]
    for identity in strange:
        assert actor_of(Acting(type="WebIdentityUser", identity=identity)).kind == "not_known"


def test_the_answer_says_who_acts_in_the_alert_s_session_and_behind_every_hop() -> None:
    mint = an_assumption(key="ASIAOTHERKEY0Q0Q0Q01", session="work")
    with_mfa = a_user(
        accessKeyId="ASIAALICEQSESSION0Q1",
        sessionContext={"attributes": {"mfaAuthenticated": "true",
                                       "creationDate": "2026-03-10T11:00:00Z"}},
    )  # fmt: skip
    mint["userIdentity"] = with_mfa
    use = an_event(
        userIdentity=a_role_session(session="work", key="ASIAOTHERKEY0Q0Q0Q01"),
        eventTime="2026-03-10T11:55:00Z",
    )
    data = who_assumed(use, [mint, use]).data
    assert data["actor"]["kind"] == "not_known"
    assert data["chain"][0]["by"]["actor"]["kind"] == "human"
    assert data["chain"][0]["by"]["actor"]["field"] == (
        "sessionContext.attributes.mfaAuthenticated"
    )


def test_a_session_of_an_instance_is_automation_by_the_field_of_its_record() -> None:
    identity = a_role_session(role="web", session="i-0123456789abcdef0")
    identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
    use = an_event(userIdentity=identity)
    data = who_assumed(use, [use]).data
    assert data["actor"] == {
        "kind": "automation",
        "field": "sessionContext.ec2RoleDelivery",
        "why": "issued to an EC2 instance",
        "asserted": True,
        "words": "automation: issued to an EC2 instance (sessionContext.ec2RoleDelivery)",
    }
