"""IAM policies given to users, roles and groups, and the policies of sessions.

Fields are those of IAM's and STS's APIs in CloudTrail's spelling: `policyDocument`, `policyArn`,
`userName`, and `policy` of GetFederationToken and AssumeRole. IAM Identity Center says the same of
permission sets (`inlinePolicy`, `managedPolicyArn`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alerts.content.call import Call, last_part, listing, named
from alerts.content.permissions import Given, given_by
from alerts.content.policy_document import read_policy
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign
from trail.quoted import short

KINDS = {
    "policy_allows_all": "A policy allows every action on every resource.",
    "policy_allows_all_but": "A policy allows every action on every resource but for a few.",
    "policy_manages_permissions": "A policy allows its holder to change permissions of any"
    " identity.",
    "policy_passes_any_role": "A policy allows its holder to hand any role to a service.",
    "managed_administrator": "A policy of AWS's that makes an administrator was attached.",
    "managed_wide": "A policy of AWS's with wide rights was attached.",
    "policy_version_switched": "Another version of a policy was made the one that holds.",
    "boundary_removed": "The upper limit of an identity's rights was removed.",
    "added_to_group": "A user was put into a group, and has its rights.",
    "federation_token_wide": "A federation token was issued with every right of its user, or with"
    " rights over permissions.",
    "session_policy_wide": "A session was asked for with a policy that allows everything.",
}

_ADMINISTRATORS = frozenset({"AdministratorAccess", "IAMFullAccess"})
_WIDE: Mapping[str, str] = {
    "PowerUserAccess": "every action but those on identities and the organization",
    "SystemAdministrator": "the work of a system administrator",
    "DatabaseAdministrator": "the work of a database administrator",
    "NetworkAdministrator": "the work of a network administrator",
    "AmazonS3FullAccess": "every action on S3",
    "AmazonEC2FullAccess": "every action on EC2",
    "AmazonSSMFullAccess": "every action on Systems Manager, commands on instances among them",
    "AWSLambda_FullAccess": "every action on Lambda",
    "SecretsManagerReadWrite": "reading and writing every secret",
    "AmazonRDSFullAccess": "every action on RDS",
    "AmazonBedrockFullAccess": "every action on Bedrock",
    "AWSCloudTrail_FullAccess": "every action on CloudTrail",
    "AWSOrganizationsFullAccess": "every action on the organization",
}
"""AWS's managed policies by the end of their ARN, in words of ours (AWS Managed Policy Reference).
"""
_BY_AWS = ":iam::aws:policy/"
_RIGHTS = ("T1098.003",)
_TOKENS = ("T1550.001", "T1098.001")


def _put(call: Call) -> Iterator[ContentSign]:
    kind, name, _ = _holder(call)
    which = named("inline policy", call.given("policyName"))
    yield from _of_document(call, call.value("policyDocument"), _gave(call, kind, name), which)


def _made(call: Call) -> Iterator[ContentSign]:
    name = call.given("policyName") or last_part(call.given("policyArn"))
    which = named("policy", name)
    switched = call.said("setAsDefault", True)
    words = f"{call.name} wrote {which}, which allows"
    if call.name == "CreatePolicyVersion":
        held = "which now holds and allows" if switched else "not yet the one that holds, allowing"
        words = f"{call.name} wrote a version of {which}, {held}"
    yield from _of_document(call, call.value("policyDocument"), words, "")


def _switched(call: Call) -> Iterator[ContentSign]:
    name = last_part(call.given("policyArn"))
    version = call.given("versionId")
    yield ContentSign(
        "policy_version_switched",
        "for",
        False,
        f"SetDefaultPolicyVersion made version {short(version) or '?'} of {named('policy', name)}"
        " the one that holds; what it allows is not in this record.",
        _RIGHTS,
        about=named("policy", name),
    )


def _attached(call: Call) -> Iterator[ContentSign]:
    kind, name, _ = _holder(call)
    arn = call.given("policyArn") or call.given("managedPolicyArn")
    policy = last_part(arn)
    if _BY_AWS not in arn:
        return
    who = _whom(call, kind, name)
    if policy in _ADMINISTRATORS:
        rights = "every right over identities" if policy == "IAMFullAccess" else "every right"
        yield ContentSign(
            "managed_administrator",
            "for",
            True,
            f"{call.name} gave {who} {rights}: AWS's policy {short(policy)}.",
            _RIGHTS,
            about=named(kind, name),
        )
    elif policy in _WIDE:
        yield ContentSign(
            "managed_wide",
            "for",
            False,
            f"{call.name} gave {who} AWS's policy {short(policy)}: {_WIDE[policy]}.",
            _RIGHTS,
            about=named(kind, name),
        )


def _unbounded(call: Call) -> Iterator[ContentSign]:
    kind, name, _ = _holder(call)
    yield ContentSign(
        "boundary_removed",
        "for",
        True,
        f"{call.name} removed the permissions boundary of {_whom(call, kind, name)}.",
        ("T1098.003", "T1548.005"),
        about=named(kind, name),
    )


def _into_group(call: Call) -> Iterator[ContentSign]:
    user, group = call.given("userName"), call.given("groupName")
    yield ContentSign(
        "added_to_group",
        "for",
        False,
        f"AddUserToGroup put {_whom(call, 'user', user)} into {named('group', group)}, whose rights"
        " are not in this record.",
        _RIGHTS,
        about=named("user", user),
    )


def _permission_set(call: Call) -> Iterator[ContentSign]:
    name = last_part(call.given("permissionSetArn"))
    words = f"{call.name} gave {named('permission set', name)}"
    yield from _of_document(call, call.value("inlinePolicy"), words, "inline policy")


def _federated(call: Call) -> Iterator[ContentSign]:
    """A federation token has what its user and its session policy both allow."""
    name = call.given("name")
    given = _of_session(call)
    if given is None:
        return
    yield ContentSign(
        "federation_token_wide",
        "for",
        not given.conditions,
        f"GetFederationToken issued {named('federated user', name)} a session that may do"
        f" {_session_words(given)} that its user may{_limits(given)}.",
        _TOKENS,
        about=named("federated user", name),
    )


def _session(call: Call) -> Iterator[ContentSign]:
    """A session policy cannot widen what the role may do: all it says is that nothing was cut."""
    given = _of_session(call)
    if given is None or not given.everything:
        return
    role = last_part(call.given("roleArn"))
    yield ContentSign(
        "session_policy_wide",
        "for",
        False,
        f"{call.name} asked for {named('role', role)} with a session policy that allows every"
        f" action on every resource{_limits(given)}.",
        ("T1550.001",),
        about=named("role", role),
    )


def _of_session(call: Call) -> Given | None:
    policy = read_policy(call.value("policy"))
    given = given_by(policy) if policy is not None else None
    if given is not None and (given.everything or given.all_but or given.gives_rights):
        return given
    arns = call.all_given("policyArns.arn", "policyArns")
    if any(_BY_AWS in arn and last_part(arn) == "AdministratorAccess" for arn in arns):
        return Given(everything=True)
    if any(_BY_AWS in arn and last_part(arn) == "IAMFullAccess" for arn in arns):
        return Given(gives_rights=True)
    return None


def _session_words(given: Given) -> str:
    if given.everything:
        return "everything"
    if given.all_but:
        return "nearly everything"
    return "those changes of permissions"


def _of_document(call: Call, document: object, words: str, which: str) -> Iterator[ContentSign]:
    policy = read_policy(document)
    given = given_by(policy) if policy is not None else None
    if given is None:
        return
    about = _about(call)
    end = f"{_limits(given)}{f': {which}' if which else ''}."
    unconditional = not given.conditions
    if given.everything:
        yield ContentSign(
            "policy_allows_all",
            "for",
            unconditional,
            f"{words} every action on every resource (Allow * on *){end}",
            _RIGHTS,
            about=about,
        )
    elif given.all_but:
        yield ContentSign(
            "policy_allows_all_but",
            "for",
            unconditional and given.gives_rights,
            f"{words} every action on every resource but for {listing(given.all_but)}"
            f" (NotAction){end}",
            _RIGHTS,
            about=about,
        )
    elif given.manages:
        actions = "iam:*" if given.every_iam_action else listing(given.manages)
        yield ContentSign(
            "policy_manages_permissions",
            "for",
            unconditional and given.gives_rights,
            f"{words} changes of any identity's permissions ({actions}){end}",
            _RIGHTS,
            about=about,
        )
    else:
        yield ContentSign(
            "policy_passes_any_role",
            "for",
            False,
            f"{words} iam:PassRole on any role{end}",
            ("T1098.003", "T1548.005"),
            about=about,
        )


def _limits(given: Given) -> str:
    limits = []
    if given.conditions:
        limits.append(f"only under conditions ({listing(given.conditions)})")
    if given.denies:
        limits.append("less what the same document denies")
    return f", {' and '.join(limits)}" if limits else ""


_HOLDERS = (("userName", "user"), ("roleName", "role"), ("groupName", "group"))


def _holder(call: Call) -> tuple[str, str, str]:
    """Who gets the policy: kind, name and field."""
    for field, kind in _HOLDERS:
        if name := call.given(field):
            return kind, name, field
    if arn := call.given("permissionSetArn"):
        return "permission set", last_part(arn), "permissionSetArn"
    wanted = call.name.casefold()
    kind = next((kind for _, kind in _HOLDERS if kind in wanted), "identity")
    return kind, "", ""


def _gave(call: Call, kind: str, name: str) -> str:
    return f"{call.name} gave {_whom(call, kind, name)}"


def _whom(call: Call, kind: str, name: str) -> str:
    """ "user mallory (the caller)"; IAM's names are compared without case, as IAM keeps them."""
    own = {"user": call.by_user, "role": call.by_role}.get(kind, "")
    is_caller = bool(own) and own.casefold() == name.casefold()
    return f"{named(kind, name)}{' (the caller)' if is_caller else ''}"


def _about(call: Call) -> str:
    kind, name, field = _holder(call)
    if field:
        return named(kind, name)
    return named("policy", call.given("policyName") or last_part(call.given("policyArn")))


READERS: Readers = readers(
    ("iam", "PutUserPolicy PutRolePolicy PutGroupPolicy", _put),
    ("iam", "CreatePolicy CreatePolicyVersion", _made),
    ("iam", "SetDefaultPolicyVersion", _switched),
    ("iam", "AttachUserPolicy AttachRolePolicy AttachGroupPolicy", _attached),
    ("iam", "DeleteUserPermissionsBoundary DeleteRolePermissionsBoundary", _unbounded),
    ("iam", "AddUserToGroup", _into_group),
    ("sso", "PutInlinePolicyToPermissionSet", _permission_set),
    ("sso", "AttachManagedPolicyToPermissionSet", _attached),
    ("sts", "GetFederationToken", _federated),
    ("sts", "AssumeRole", _session),
)
