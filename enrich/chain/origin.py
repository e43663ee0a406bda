"""Who stands at the far end of a chain: a person where the records allow it, else a workload.

Every answer names the record's field it was read from. Session names are the caller's choice:
they name a workload only beside something that AWS asserts, or else as a guess (§3.2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from msgspec.structs import replace as changed

from enrich.chain.back import Chain
from enrich.chain.claims import as_maker_of_key, as_named_by_caller, weakest
from enrich.chain.hop import Hop
from enrich.chain.mints import Mint
from enrich.chain.session import Session
from enrich.chain.words import NAMELESS, caller_names
from enrich.chain.workload import workload_of_mint
from enrich.data.assumed_by import Origin
from enrich.facts.interface import json_object
from enrich.facts.role_name import role_named, short_name

_PERMISSION_SET = re.compile(r"^AWSReservedSSO_(.+)_[0-9a-f]{16}$", re.IGNORECASE)


def origin_of(chain: Chain, session: Session) -> Origin:
    """The human or workload behind a session, as far as the chain and its fields tell."""
    hops = acting_hops(chain.hops)
    end = hops[-1].by if hops else session
    for hop in chain.hops[len(acting_hops(chain.hops)) :]:
        # A key's owner that made it: a finding's ARN lacks the user's path, the record's has it.
        if end.principal_id is not None and hop.by.principal_id == end.principal_id:
            end = replace(end, arn=hop.by.arn or end.arn)
    several = bool(hops) and len(hops[-1].callers) > 1
    origin = _one_of(hops[-1]) if several else _end_of(end, hops)
    if hops and not chain.only_borrowed:
        origin = changed(origin, confidence=weakest([hop.confidence for hop in hops]))
    if any(hop.method == "key_created" for hop in hops):
        origin = changed(origin, confidence=as_maker_of_key(origin.confidence))
    sessions = [session, *(hop.by for hop in hops)]
    named = next((one.source_identity for one in sessions if one.source_identity), None)
    field = "sessionContext.sourceIdentity"
    if named is None:
        asked = [json_object(hop.mint.row["request_parameters"]) for hop in hops if hop.mint]
        named = next((_text(one["sourceIdentity"]) for one in asked if "sourceIdentity" in one), "")
        field = "requestParameters.sourceIdentity"
    if not named:
        return origin
    # Set once, at the first assumption, by whoever made it: it adds to a person whom the records
    # name, and stands in where they name none.
    if origin.type in ("IAMUser", "Root", "IdentityCenterUser", "SAMLUser", "WebIdentityUser"):
        if named == origin.label:
            return origin
        return changed(
            origin,
            label=f"{origin.label} (source identity {named})",
            field=f"{origin.field}; {field}",
            detail=f"{origin.detail} (source identity {named})",
        )
    behind = ""
    if origin.detail and origin.label != named:
        behind = f", by way of {origin.detail}"
    return Origin(
        type="SourceIdentity",
        arn=origin.arn,
        label=named,
        name=named,
        field=field,
        detail=f"source identity {named}{behind}",
        confidence=as_named_by_caller(origin.confidence),
    )


def acting_hops(hops: Sequence[Hop]) -> list[Hop]:
    """The hops up to who acted: a key's owner acts, not whoever once made the key for them.

    Unless the key was made by somebody else less than a day before: that is a way to stay.
    """
    acting: list[Hop] = []
    for hop in hops:
        if hop.method == "key_created":
            age = hop.time_distance_s
            own = hop.by.user_name is not None and hop.by.user_name == hop.session.user_name
            if own or age is None or age > 24 * 3600:
                break
        acting.append(hop)
    return acting


def _one_of(hop: Hop) -> Origin:
    """Several callers fit, and naming the likeliest would pass a guess off as known."""
    names = caller_names(hop.callers)
    kinds = {str(caller["type"]) for caller in hop.callers}
    kind = next(iter(kinds)) if len(kinds) == 1 else "Unknown"
    detail = f"one of {len(hop.callers)} possible callers: {names}"
    return _origin(kind, None, names, None, hop.by_label_field, detail)


def _end_of(end: Session, hops: Sequence[Hop]) -> Origin:
    last = hops[-1] if hops else None
    if last is not None and last.person is not None:
        return _identity_center(
            last.person["user_name"] or last.session_name or last.person["user_id"],
            str(last.person["field"]),
            last,
        )
    if last is not None and last.mint is None and last.guess is not None:
        return _origin(end.type, end.arn, last.guess, last.guess_name, last.by_label_field)
    if end.type == "AWSService" and last is not None and last.mint is not None:
        return _origin("AWSService", None, *workload_of_mint(last.mint, last.session))
    if end.type == "SAMLUser" and last is not None and last.mint is not None:
        return _saml(last.mint, last)
    if end.type == "WebIdentityUser" and last is not None and last.mint is not None:
        return _web_identity(last.mint)
    return _plain(end, last)


def _plain(end: Session, last: Hop | None) -> Origin:
    how = last.by_label_field if last is not None else None
    if last is not None and end.is_nameless and end.type != "AWSAccount":
        return _origin(end.type, None, NAMELESS, None, how)
    if end.type == "IAMUser":
        name = end.user_name or short_of_user(end.arn) or end.principal_id
        field = how or "userIdentity.arn"
        if name is None:
            return _origin("IAMUser", None, "an IAM user whose name is not recorded", None, field)
        return _origin("IAMUser", end.arn, name, name, field, f"IAM user {name}")
    if end.type == "Root":
        account = end.account_id or end.principal_id
        label = f"Root user of account {account}"
        return _origin("Root", end.arn, label, account, how or "userIdentity")
    if end.type == "IdentityCenterUser" or end.on_behalf_of:
        # Identity Center names role sessions after the user; the id alone says little.
        name = (end.session_name if end.is_role else None) or end.on_behalf_of or end.arn
        return _origin(
            "IdentityCenterUser",
            end.arn,
            name,
            name,
            "userIdentity.onBehalfOf.userId",
            f"Identity Center user {name}",
        )
    if end.type == "AWSService":
        return _origin(
            "AWSService",
            None,
            f"AWS service {end.invoked_by or end.principal_id}",
            end.invoked_by or end.principal_id,
            "userIdentity.invokedBy",
        )
    if end.is_role:
        role = short_name(end.role_arn or end.arn)
        where = f" in account {end.account_id}" if end.account_id else ""
        who = f"role {role}, session {end.session_name}" if role else f"session {end.principal_id}"
        who = who if end.session_name or not role else f"a session of role {role}"
        name = end.principal_id or end.session_name
        return _origin("AssumedRole", end.arn, f"{who}{where}", name, how or "userIdentity.arn")
    if end.type == "FederatedUser":
        name = short_of_user(end.arn) or end.principal_id
        field = how or "userIdentity.arn"
        return _origin("FederatedUser", end.arn, name, name, field, f"federated user {name}")
    if end.principal_id or end.account_id:
        who = "principal " + end.principal_id if end.principal_id else "a principal"
        where = f" in account {end.account_id}" if end.account_id else ""
        name = end.principal_id or end.account_id
        return _origin(end.type, end.arn, f"{who}{where}", name, "userIdentity.principalId")
    return Origin()


def _saml(mint: Mint, hop: Hop) -> Origin:
    response = json_object(mint.row["response_elements"])
    subject = _text(response.get("subject")) or _text(mint.row["user_name"])
    field = "responseElements.subject" if response.get("subject") else "userIdentity.userName"
    role = short_name(mint.role_arn) or ""
    if _PERMISSION_SET.match(role) or "/aws-reserved/sso.amazonaws.com/" in str(mint.role_arn):
        return _identity_center(
            hop.session_name or subject, "requestParameters.roleSessionName", hop
        )
    issuer = _text(response.get("issuer"))
    by_whom = f" ({issuer})" if issuer else ""
    return _origin("SAMLUser", None, subject, subject, field, f"SAML subject {subject}{by_whom}")


def _identity_center(name: object, field: str, hop: Hop) -> Origin:
    role = short_name(hop.mint.role_arn if hop.mint else None) or ""
    permission_set = _PERMISSION_SET.match(role)
    as_whom = f", permission set {permission_set[1]}" if permission_set else ""
    detail = f"Identity Center user {name}{as_whom}"
    return _origin("IdentityCenterUser", None, str(name), str(name), field, detail)


def _web_identity(mint: Mint) -> Origin:
    response = json_object(mint.row["response_elements"])
    stated = _text(response.get("subjectFromWebIdentityToken"))
    subject = stated or _text(mint.row["user_name"]) or _text(mint.row["principal_id"]) or ""
    field = "responseElements.subjectFromWebIdentityToken" if stated else "userIdentity.userName"
    detail = mint.interface_detail
    label = f"web identity {subject}" + (f" ({detail})" if detail else "")
    if subject.startswith("system:serviceaccount:") and subject.count(":") == 3:
        _, _, namespace, account = subject.split(":")
        label = f"Kubernetes service account {namespace}/{account}"
    elif detail == "GitHub Actions":
        label = github_label(subject)
    return _origin("WebIdentityUser", None, subject, subject or None, field, label)


def github_label(subject: str) -> str:
    """A GitHub Actions subject in words: repository, then branch, environment or workflow.

    `repo:owner/name:ref:refs/heads/main`, `repo:…:environment:prod`, `repo:…:pull_request`, or any
    claims that the organisation put into the subject (`job_workflow_ref:…`, `workflow:…`).
    """
    if not subject.startswith("repo:"):
        return f"GitHub Actions: {subject}"
    repository, _, rest = subject.removeprefix("repo:").partition(":")
    words = f"GitHub Actions: repository {repository}"
    for pattern, word in (
        (r"(?:^|:)ref:([^:]+)", "ref"),
        (r"(?:^|:)environment:([^:]+)", "environment"),
        (r"(?:^|:)(?:job_)?workflow(?:_ref)?:([^:]+)", "workflow"),
    ):
        if match := re.search(pattern, rest):
            words += f", {word} {match[1]}"
    return words + (", pull request" if re.search(r"(?:^|:)pull_request(?::|$)", rest) else "")


def short_of_user(arn: str | None) -> str | None:
    """The name at the end of a user's ARN."""
    return arn.rpartition("/")[2] or None if arn and "/" in arn else None


def account_of_role(session: Session) -> str | None:
    """The account whose log holds the session's mint."""
    role = role_named(session.role_arn) or role_named(session.arn)
    return role.account_id if role else session.account_id


def _origin(
    kind: str | None,
    arn: str | None,
    label: str | None,
    name: str | None,
    field: str | None,
    detail: str | None = None,
) -> Origin:
    return Origin(type=kind, arn=arn, label=label, name=name, field=field, detail=detail or label)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
