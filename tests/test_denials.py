"""Why an assumption failed: target, caller, action and reason out of every message shape (§5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.facts.denial import REASON_WORDS, parse_denial

USER = "arn:aws:iam::111122223333:user/x"
SESSION = "arn:aws:sts::111122223333:assumed-role/R/sess"
ROLE = "arn:aws:iam::444455556666:role/path/y"
POLICY = "arn:aws:organizations::123456789012:policy/o-abcde12345/service_control_policy/p-1a2b3c4d"
NOT_ALLOWED = f"User: {USER} is not authorized to perform: sts:AssumeRole"


@pytest.mark.parametrize("caller", [USER, SESSION, "arn:aws-us-gov:iam::111122223333:root"])
def test_a_plain_denial_names_caller_action_and_target_but_no_reason(caller):
    denial = parse_denial(
        "AccessDenied",
        f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {ROLE}",
    )
    assert denial.target_role_arn == ROLE
    assert denial.caller_arn == caller
    assert denial.action == "sts:AssumeRole"
    assert denial.reason is None
    assert denial.reason_class == "unknown"


@pytest.mark.parametrize(
    ("suffix", "reason_class", "explicit"),
    [
        ("because no role trust policy allows the sts:AssumeRole action", "trust_policy", False),
        ("with an explicit deny in the role trust policy", "trust_policy", True),
        (
            "because no identity-based policy allows the sts:AssumeRole action",
            "identity_policy",
            False,
        ),
        ("with an explicit deny in an identity-based policy", "identity_policy", True),
        (f"with an explicit deny in an identity-based policy: {POLICY}", "identity_policy", True),
        ("with an explicit deny in a service control policy", "scp", True),
        (f"with an explicit deny in a service control policy: {POLICY}", "scp", True),
        ("because no service control policy allows the sts:AssumeRole action", "scp", False),
        ("with an explicit deny in a resource control policy", "rcp", True),
        (f"with an explicit deny in a resource control policy: {POLICY}", "rcp", True),
        ("with an explicit deny in a permissions boundary", "boundary", True),
        ("because no permissions boundary allows the sts:AssumeRole action", "boundary", False),
        ("with an explicit deny in a sessions policy", "session_policy", True),
        ("with an explicit deny in a session policy", "session_policy", True),
        ("because no session policy allows the sts:AssumeRole action", "session_policy", False),
        ("with an explicit deny in a VPC endpoint policy", "vpc_endpoint", True),
        ("because no VPC endpoint policy allows the sts:AssumeRole action", "vpc_endpoint", False),
        (
            "with an explicit deny in a VPC endpoint policy transitively through a service control"
            " policy",
            "vpc_endpoint",
            True,
        ),
        ("with an explicit deny in a resource-based policy", "resource_policy", True),
        (
            "because no resource-based policy allows the sts:AssumeRole action",
            "resource_policy",
            False,
        ),
    ],
)
@pytest.mark.parametrize("resource", [f" on resource: {ROLE}", f' on resource: "{ROLE}"', ""])
def test_every_reason_clause_has_its_class(suffix, reason_class, explicit, resource):
    denial = parse_denial("AccessDenied", f"{NOT_ALLOWED}{resource} {suffix}")

    assert denial.reason_class == reason_class
    assert denial.explicit is explicit
    assert denial.target_role_arn == (ROLE if resource else None)
    assert denial.reason is not None


@pytest.mark.parametrize("action", ["sts:TagSession", "sts:SetSourceIdentity"])
def test_tagging_and_source_identity_are_failed_assumptions_of_the_role(action):
    denial = parse_denial(
        "AccessDenied",
        f"User: {USER} is not authorized to perform: {action} on resource: {ROLE}"
        f" because no identity-based policy allows the {action} action",
    )
    assert (denial.action, denial.target_role_arn) == (action, ROLE)
    assert denial.reason_class == "identity_policy"


@pytest.mark.parametrize(
    ("code", "message", "reason_class"),
    [
        ("AccessDenied", "Roles may not be assumed by root accounts.", "root"),
        (
            "AccessDenied",
            "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
            "mfa",
        ),
        (
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your"
            " MFA serial number is valid and associated with this user.",
            "mfa",
        ),
        (
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "federation",
        ),
        ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML", "federation"),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            "duration",
        ),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by"
            " role chaining",
            "duration",
        ),
        (
            "ValidationError",
            "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy"
            r" constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*",
            "validation",
        ),
        (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "expired",
        ),
        ("ExpiredToken", "The security token included in the request is expired", "expired"),
        ("ExpiredToken", None, "expired"),
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            "invalid_token",
        ),
        ("PackedPolicyTooLarge", "Serialized token too large for session", "policy_size"),
        ("PackedPolicyTooLargeException", None, "policy_size"),
        ("MalformedPolicyDocument", "Syntax errors in policy.", "policy_size"),
        (
            "RegionDisabledException",
            "STS is not activated in this region for account:111122223333. Your account"
            " administrator can activate STS in this region using the IAM Console.",
            "region_disabled",
        ),
        ("IDPRejectedClaim", "the token was rejected", "federation"),
        ("InvalidIdentityToken", "No OpenIDConnect provider found in your account", "federation"),
        ("InvalidIdentityTokenException", None, "federation"),
        ("IDPCommunicationError", None, "federation"),
        (None, None, "unknown"),
        ("SomethingNew", "of which nobody has heard", "unknown"),
    ],
)
def test_messages_without_a_target_are_told_apart(code, message, reason_class):
    denial = parse_denial(code, message)
    assert denial.target_role_arn is None
    assert denial.reason_class == reason_class


@pytest.mark.parametrize("resource", ["*", "***", "arn:aws:s3:::bucket"])
def test_a_resource_that_is_no_role_is_an_unknown_target(resource):
    denial = parse_denial("AccessDenied", f"{NOT_ALLOWED} on resource: {resource}")
    assert denial.target_role_arn is None
    assert denial.action == "sts:AssumeRole"


@pytest.mark.parametrize("end", [".", ",", '"', ".)", "", " because of it"])
def test_punctuation_after_the_target_is_not_part_of_it(end):
    denial = parse_denial("AccessDenied", f"{NOT_ALLOWED} on resource: {ROLE}{end}")
    assert denial.target_role_arn == ROLE


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"])
def test_targets_of_every_partition_are_read(partition):
    role = f"arn:{partition}:iam::444455556666:role/deep/er/Name_with+odd=,.@-chars"
    denial = parse_denial("AccessDenied", f"{NOT_ALLOWED} on resource: {role}")
    assert denial.target_role_arn == role


def test_a_session_name_that_speaks_of_policies_does_not_choose_the_reason():
    # Session names take no spaces, yet a message must not be read from its names.
    caller = "arn:aws:sts::111122223333:assumed-role/R/explicit-deny-in-a-service-control-policy"
    denial = parse_denial(
        "AccessDenied",
        f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
        " because no role trust policy allows the sts:AssumeRole action",
    )
    assert denial.caller_arn == caller
    assert denial.reason_class == "trust_policy"


@given(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text(max_size=1100)))
def test_any_text_is_read_without_failing(code, message):
    assert parse_denial(code, message).reason_class in REASON_WORDS


@given(st.text(max_size=300))
def test_a_message_cut_anywhere_is_read_without_failing(tail):
    whole = f"{NOT_ALLOWED} on resource: {ROLE} because no {tail}"
    for length in range(0, len(whole), 7):
        parse_denial("AccessDenied", whole[:length])
