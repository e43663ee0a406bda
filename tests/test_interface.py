"""Through what a role was assumed (§4): the tests in their order, and every console user agent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.facts.interface import interface_detail, interface_of
from tests.an_event import a_role_session, a_user, an_assumption
from trail.events import event_row


def interface(**changes):
    return interface_of(event_row(an_assumption(**changes)))


@pytest.mark.parametrize(
    "agent",
    [
        "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64",
        "Boto3/1.34.0 md/Botocore#1.34.0",
        "APN/1.0 HashiCorp/1.0 Terraform/1.7.0",
        "stratus-red-team_39f95f43-cd2f-4beb-b69e-be60b6fe1f57",
        "aws-sdk-java/2.20.0 Linux/5.10",
        "python-requests/2.31",
    ],
)
def test_sdk_user_agents_are_cli_or_sdk(agent):
    assert interface(userAgent=agent) == "cli_sdk"


@pytest.mark.parametrize(
    "agent",
    [
        "signin.amazonaws.com",
        "console.amazonaws.com",
        "console.ec2.amazonaws.com",
        "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.666 Linux/4.9 vendor/Oracle_Corporation]",
        "AWS Signin, aws-internal/3 aws-sdk-java/1.12.5",
        "Jersey/${project.version} (HttpUrlConnection 17.0.9)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    ],
)
def test_console_user_agents_are_the_console(agent):
    assert interface(userAgent=agent) == "console"


@pytest.mark.parametrize(
    "agent", ["AWS Internal", "AWS Internal/3", "Coral/Netty4", "aws-internal/3 aws-sdk-java/1.12"]
)
def test_agents_that_backends_share_are_the_console_only_from_an_internal_address(agent):
    assert interface(userAgent=agent, sourceIPAddress="AWS Internal") == "console"
    assert interface(userAgent=agent, sourceIPAddress="198.51.100.7") == "cli_sdk"


@pytest.mark.parametrize("invoker", ["AWS Internal", "signin.amazonaws.com"])
def test_the_consoles_invokers_are_the_console(invoker):
    assert interface(userIdentity=a_user(invokedBy=invoker)) == "console"


def test_the_console_flag_wins_over_an_sdk_agent():
    assert interface(sessionCredentialFromConsole="true") == "console"


def test_an_owners_copy_without_invoker_is_known_by_address_and_agent():
    identity = {"type": "AWSAccount", "principalId": "AIDAX", "accountId": "444455556666"}
    assert (
        interface(userIdentity=identity, sourceIPAddress="AWS Internal", userAgent="AWS Internal")
        == "console"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}},
        {"userIdentity": a_user(invokedBy="cloudformation.amazonaws.com")},
        {"userIdentity": a_role_session(invokedBy="config.amazonaws.com")},
        {"sourceIPAddress": "lambda.amazonaws.com"},
        {"userAgent": "ecs-tasks.amazonaws.com"},
    ],
)
def test_services_are_known_by_type_invoker_address_or_agent(changes):
    assert interface(**changes) == "aws_service"


def test_a_service_that_is_called_internal_is_still_a_service():
    assert (
        interface(
            userIdentity={"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
            sourceIPAddress="AWS Internal",
            userAgent="AWS Internal",
        )
        == "aws_service"
    )


def test_federation_is_told_by_the_call_whatever_else_the_record_says():
    for name, expected in (
        ("AssumeRoleWithSAML", "saml"),
        ("AssumeRoleWithWebIdentity", "web_identity"),
    ):
        assert interface(eventName=name, userAgent="signin.amazonaws.com") == expected


@pytest.mark.parametrize(
    ("provider", "word"),
    [
        (
            "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A",
            "EKS service account",
        ),
        ("arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com", "GitHub Actions"),
        ("cognito-identity.amazonaws.com", "Cognito"),
        ("arn:aws:iam::1:oidc-provider/idp.example.com", "idp.example.com"),
    ],
)
def test_a_web_identity_is_named_by_its_provider(provider, word):
    record = an_assumption(
        eventName="AssumeRoleWithWebIdentity",
        userIdentity={"type": "WebIdentityUser", "identityProvider": provider, "userName": "s"},
    )
    assert word in interface_detail(event_row(record))


def test_identity_center_is_named_by_its_issuer_or_its_roles_path():
    by_path = an_assumption(
        "AWSReservedSSO_Admin_0123456789abcdef",
        path="/aws-reserved/sso.amazonaws.com/",
        eventName="AssumeRoleWithSAML",
    )
    by_issuer = an_assumption(eventName="AssumeRoleWithSAML")
    by_issuer["responseElements"]["issuer"] = "https://portal.sso.eu-west-1.amazonaws.com/saml/x"
    for record in (by_path, by_issuer):
        assert interface_detail(event_row(record)) == "IAM Identity Center"


_TEXT = st.one_of(st.none(), st.text(max_size=60))


@given(_TEXT, _TEXT, _TEXT, _TEXT)
def test_any_record_has_one_interface(agent, address, invoker, name):
    row = {
        "event_name": name,
        "user_agent": agent,
        "source_ip_address": address,
        "invoked_by": invoker,
        "identity_type": "IAMUser",
        "session_from_console": None,
    }
    assert interface_of(row) in {"saml", "web_identity", "console", "aws_service", "cli_sdk"}
