"""What IAM policies give, by the call's own record. Documents are those that AWS documents."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.content import CONTENT_APIS, KINDS, ContentSign, content_signs
from tests.an_event import a_role_session, an_event
from trail.events import event_row

ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*",
                                                 "Resource": "*"}]}  # fmt: skip


def signs(service: str, name: str, request: Any, **changes: Any) -> tuple[ContentSign, ...]:
    """The signs of a call of alice's in account 111122223333, with these parameters."""
    record = an_event(
        eventSource=f"{service}.amazonaws.com", eventName=name, requestParameters=request,
        readOnly=False, **changes,
    )  # fmt: skip
    return content_signs(event_row(record))


def put(document: Any, user: str = "mallory", **changes: Any) -> tuple[ContentSign, ...]:
    text = document if isinstance(document, str) else json.dumps(document)
    request = {"userName": user, "policyName": "p", "policyDocument": text}
    return signs("iam", "PutUserPolicy", request, **changes)


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": statement}


def only(found: tuple[ContentSign, ...]) -> ContentSign:
    (sign,) = found
    assert sign.kind in KINDS
    return sign


def test_an_inline_policy_that_allows_everything_is_grave_and_says_for_whom():
    sign = only(put(ADMIN))
    assert (sign.kind, sign.grave, sign.speaks) == ("policy_allows_all", True, "for")
    assert sign.sentence == (
        "PutUserPolicy gave user mallory every action on every resource (Allow * on *):"
        " inline policy p."
    )
    assert sign.techniques == ("T1098.003",)


def test_a_policy_given_to_oneself_says_so_for_users_and_for_the_session_s_role():
    assert "user alice (the caller)" in only(put(ADMIN, "alice")).sentence
    request = {"roleName": "reader", "policyName": "p", "policyDocument": json.dumps(ADMIN)}
    own = only(signs("iam", "PutRolePolicy", request, userIdentity=a_role_session("reader")))
    other = only(signs("iam", "PutRolePolicy", request, userIdentity=a_role_session("writer")))
    assert "role reader (the caller)" in own.sentence
    assert "(the caller)" not in other.sentence


def test_conditions_and_denials_are_said_and_a_condition_is_less_grave():
    limited = allow("*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    sign = only(put(limited))
    assert not sign.grave
    assert "only under conditions (aws:sourceip)" in sign.sentence
    denying = {"Statement": [allow("*")["Statement"],
                             {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}  # fmt: skip
    assert "less what the same document denies" in only(put(denying)).sentence


@pytest.mark.parametrize("document", [
    quote(json.dumps(ADMIN)), quote(json.dumps(ADMIN), safe=""), json.dumps(ADMIN, indent=2),
    {"statement": {"effect": "allow", "action": ["*:*"], "resource": ["*"]}},
])  # fmt: skip
def test_url_encoded_indented_and_oddly_written_documents_are_read(document: Any):
    assert only(put(document)).kind == "policy_allows_all"


def test_not_action_is_everything_but_for_what_it_names():
    power = {"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"],
                           "Resource": "*"}}  # fmt: skip
    sign = only(put(power))
    assert (sign.kind, sign.grave) == ("policy_allows_all_but", False)
    assert "but for iam:* and organizations:*" in sign.sentence
    wide = {"Statement": {"Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "*"}}
    assert only(put(wide)).grave


@pytest.mark.parametrize(("action", "words"), [
    ("iam:PutUserPolicy", "(iam:PutUserPolicy)"),
    ("IAM:putuserpolicy", "(iam:PutUserPolicy)"),
    ("iam:Put*Policy", "(iam:PutUserPolicy, iam:PutRolePolicy and iam:PutGroupPolicy)"),
    ("iam:*", "(iam:*)"),
])  # fmt: skip
def test_permission_management_names_the_actions(action: str, words: str):
    sign = only(put(allow(action)))
    assert (sign.kind, sign.grave) == ("policy_manages_permissions", True)
    assert words in sign.sentence


@pytest.mark.parametrize("document", [
    allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"),  # AWS's self-service
    allow("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/one"),
    allow(["iam:CreateServiceLinkedRole", "iam:ChangePassword", "iam:List*"]),
    allow(["s3:*", "ec2:Describe*"]),
    allow("*", "arn:aws:s3:::one/*"),
    {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}},
])  # fmt: skip
def test_ordinary_documents_have_no_sign(document: Any):
    assert put(document) == ()


def test_pass_role_on_any_role_is_ordinary_and_on_one_role_nothing():
    sign = only(put(allow("iam:PassRole")))
    assert (sign.kind, sign.grave) == ("policy_passes_any_role", False)
    assert put(allow("iam:PassRole", "arn:aws:iam::111122223333:role/one")) == ()


def test_managed_policies_are_known_by_their_arn_and_not_by_a_name_alone():
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    sign = only(signs("iam", "AttachUserPolicy", {"userName": "mallory", "policyArn": arn}))
    assert (sign.kind, sign.grave) == ("managed_administrator", True)
    assert sign.sentence == (
        "AttachUserPolicy gave user mallory every right: AWS's policy AdministratorAccess."
    )
    own = "arn:aws:iam::111122223333:policy/AdministratorAccess"
    assert signs("iam", "AttachUserPolicy", {"userName": "mallory", "policyArn": own}) == ()
    power = "arn:aws:iam::aws:policy/PowerUserAccess"
    sign = only(signs("iam", "AttachRolePolicy", {"roleName": "r", "policyArn": power}))
    assert (sign.kind, sign.grave) == ("managed_wide", False)


def test_made_policies_say_whether_they_hold_already():
    request = {"policyArn": "arn:aws:iam::111122223333:policy/own", "setAsDefault": True,
               "policyDocument": json.dumps(ADMIN)}  # fmt: skip
    assert "which now holds" in only(signs("iam", "CreatePolicyVersion", request)).sentence
    request |= {"setAsDefault": False}
    assert "not yet" in only(signs("iam", "CreatePolicyVersion", request)).sentence
    made = only(signs("iam", "CreatePolicy", {"policyName": "own",
                                              "policyDocument": json.dumps(ADMIN)}))  # fmt: skip
    assert made.sentence.startswith("CreatePolicy wrote policy own, which allows every action")
    switched = {"policyArn": "arn:aws:iam::111122223333:policy/own", "versionId": "v1"}
    assert only(signs("iam", "SetDefaultPolicyVersion", switched)).kind == "policy_version_switched"


def test_boundaries_groups_and_permission_sets():
    sign = only(signs("iam", "DeleteUserPermissionsBoundary", {"userName": "alice"}))
    assert (sign.kind, sign.grave) == ("boundary_removed", True)
    assert "user alice (the caller)" in sign.sentence
    group = {"userName": "alice", "groupName": "admins"}
    assert only(signs("iam", "AddUserToGroup", group)).kind == "added_to_group"
    inline = {"permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
              "inlinePolicy": json.dumps(ADMIN)}  # fmt: skip
    assert only(signs("sso", "PutInlinePolicyToPermissionSet", inline)).kind == "policy_allows_all"


def test_federation_tokens_and_sessions_with_a_wide_policy():
    request = {"name": "adm", "policy": json.dumps(ADMIN), "durationSeconds": 129600}
    sign = only(signs("sts", "GetFederationToken", request))
    assert (sign.kind, sign.grave) == ("federation_token_wide", True)
    assert "federated user adm" in sign.sentence
    by_arn = {"name": "adm", "policyArns": [{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}
    assert only(signs("sts", "GetFederationToken", by_arn)).kind == "federation_token_wide"
    narrow = {"name": "adm", "policy": json.dumps(allow("s3:GetObject"))}
    assert signs("sts", "GetFederationToken", narrow) == ()
    role = {"roleArn": "arn:aws:iam::111122223333:role/reader", "roleSessionName": "x"}
    assert signs("sts", "AssumeRole", role) == ()
    wide = only(signs("sts", "AssumeRole", {**role, "policy": json.dumps(ADMIN)}))
    assert (wide.kind, wide.grave) == ("session_policy_wide", False)


def test_a_failed_call_has_no_sign():
    assert put(ADMIN, errorCode="AccessDenied") == ()


@pytest.mark.parametrize("document", [
    "HIDDEN_DUE_TO_SECURITY_REASONS", "", "{", json.dumps(ADMIN)[:-2],
    quote(json.dumps(ADMIN))[:60],
    "null", "[]", '{"Statement": "Allow * *"}', '{"Statement": [1]}',
    '{"Statement": [{"Action": "*", "Resource": "*"}]}', "[" * 100_000, '{"Statement":' * 5_000,
    "\ud800", "x" * 1_000_000,
])  # fmt: skip
def test_what_cannot_be_read_is_no_sign(document: str):
    assert put(document) == ()


def test_a_hostile_document_of_a_megabyte_takes_no_time(record_property: Any):
    stars = ["iam:" + "*a" * 40 + str(n) for n in range(3_000)]
    assert put(allow(stars)) == ()
    assert put(json.dumps(allow("s3:GetObject", ["x" * 50] * 20_000))) == ()


def test_names_from_the_log_are_cut_and_on_one_line():
    sign = only(put(ADMIN, "eve\u202e\n" + "x" * 500))
    assert "\n" not in sign.sentence
    assert "\u202e" not in sign.sentence
    assert len(sign.sentence) < 250


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["*", "iam:*", "Allow", "arn:aws:iam::999988887777:root", "0.0.0.0/0",
                       json.dumps(ADMIN), "HIDDEN_DUE_TO_SECURITY_REASONS"]),
    lambda below: st.lists(below, max_size=3)
    | st.dictionaries(
        st.sampled_from(["userName", "policyDocument", "Statement", "Effect", "Action", "Resource",
                         "Principal", "policyArn", "items", "policy", "AWS", "name"])
        | st.text(max_size=8),
        below, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.sampled_from(sorted(CONTENT_APIS)), _JSON, _JSON, st.text(max_size=30))
def test_no_record_whatever_raises(api: tuple[str, str], request: Any, response: Any, text: str):
    source, name = api
    row = {"event_source": source, "event_name": name, "recipient_account_id": "111122223333"}
    for parameters in (json.dumps(request), text, None):
        for sign in content_signs({**row, "request_parameters": parameters,
                                   "response_elements": json.dumps(response)}):  # fmt: skip
            assert sign.kind in KINDS
            assert sign.sentence.isprintable()


@given(st.randoms(use_true_random=False))
def test_the_order_of_a_document_changes_no_sign(random: Any):
    document = {
        "Version": "2012-10-17",
        "Id": "x",
        "Statement": [
            {"Sid": "a", "Effect": "Allow", "Action": ["iam:PutUserPolicy", "iam:CreateAccessKey",
             "s3:Get*"], "Resource": ["*", "arn:aws:s3:::b/*"]},
            {"Sid": "b", "Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*",
             "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
            {"Sid": "c", "Effect": "Deny", "Action": "s3:Put*", "Resource": "*"},
        ],
    }  # fmt: skip

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            random.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        if isinstance(value, list):
            every = [shuffled(one) for one in value]
            random.shuffle(every)
            return every
        return value

    assert put(shuffled(document)) == put(document) != ()
