"""What a record leaves out about the caller of a mint, found in other records.

The owner's copy of a cross-account call has an id without a name (§0 fact 9); the record of an
Identity Center sign-in has AWS's address instead of the person's (§2.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrich.chain.hop import Hop, nearness
from enrich.chain.mints import CLOCK_SKEW, Mint, MintReader
from enrich.chain.portal import RESERVED, asked_of_portal
from enrich.chain.session import Session, session_of_caller
from enrich.facts.role_name import role_arn_of, role_named, session_in
from trail.access_keys import is_stand_in


def by_callers_copy(
    session: Session, record: Mapping[str, Any], reader: MintReader, caveats: list[str]
) -> Session:
    """The caller of a cross-account call, which the role owner's copy, the alert's `record`, shows
    by its id alone.

    The caller's own copy shares the event's `sharedEventID`, its call and its caller's id; without
    it, other events of the id may name it (§0 fact 9).
    """
    if session.type != "AWSAccount" or session.arn is not None or session.seen is None:
        return session
    shared = record.get("sharedEventID")
    copies = reader.callers_copies(shared, session.seen) if isinstance(shared, str) else []
    known = [row for row in copies if _is_copy(row, session, record)]
    copy = next(iter(known), None)
    if copy is None and copies:
        caveats.append(
            f"Event {copies[0]['event_id']} has the alert's sharedEventID, but is another call or"
            " another caller's, which no copy is: it was not used."
        )
    if copy is not None:
        caveats.append(
            "The alert is another account's copy of this call: the caller is read from its own"
            f" copy, event {copy['event_id']}."
        )
        return replace(session_of_caller(copy), seen=session.seen, seen_until=session.seen_until)
    where = f"account {session.account_id}" if session.account_id else "the caller's account"
    caveats.append(
        "The alert is another account's copy of this call, which shows its caller by id alone. The"
        f" logs of {where} have the caller's own copy, with its name and key; it is not indexed."
    )
    named = None
    if session.identity_id is not None and session.principal_id is not None:
        named = reader.name_of(session.identity_id, session.seen)
    if named is None or session.is_role:
        return session
    if _stated_account(record) not in (None, named["account_id"]):
        return session
    return replace(
        session,
        type=named["identity_type"] or session.type,
        arn=named["principal_arn"],
        user_name=named["user_name"],
    )


def _stated_account(record: Mapping[str, Any]) -> object:
    identity = record.get("userIdentity")
    return identity.get("accountId") if isinstance(identity, Mapping) else None


def _is_copy(row: Mapping[str, Any], session: Session, record: Mapping[str, Any]) -> bool:
    """Whether nothing that both records show speaks against their being of one call."""
    caller, account = session.principal_id, _stated_account(record)
    if caller is not None and not is_stand_in(caller) and row["principal_id"] != caller:
        return False
    if account is not None and row["account_id"] not in (None, account):
        return False
    return all(
        record.get(theirs) is None or row[ours] == record[theirs]
        for theirs, ours in (("eventName", "event_name"), ("eventSource", "event_source"))
    )


def with_name(hop: Hop, reader: MintReader) -> Hop:
    """The hop with its caller's ARN, where only the role owner's copy of the call is indexed.

    That copy has an id without a name (§0 fact 9); other events of the same id may name it.
    """
    by = hop.by
    if hop.mint is None or by.arn is not None or by.type not in ("AWSAccount", "AssumedRole"):
        return hop
    where = f"account {by.account_id}" if by.account_id else "the caller's account"
    request = hop.mint.row["request_id"]
    caveat = (
        f"Only the role owner's copy of event {hop.mint.event_id} is indexed. The logs of {where}"
        f" have the caller's own copy, with its name and key (request {request})."
    )
    named = None
    if by.identity_id is not None and by.principal_id is not None:
        named = reader.name_of(by.identity_id, hop.mint.time)
    if named is None:
        return replace(hop, caveats=(*hop.caveats, caveat))
    if by.is_role:
        role = named["issuer_arn"] if role_named(named["issuer_arn"]) else None
        by = replace(by, role_arn=role or role_arn_of(named["principal_arn"]))
        if session_in(named["principal_arn"]) == by.session_name:
            by = replace(by, arn=named["principal_arn"])
    else:
        by = replace(
            by,
            type=named["identity_type"] or by.type,
            arn=named["principal_arn"],
            user_name=named["user_name"],
        )
    return replace(
        hop,
        by=by,
        by_label_field="userIdentity.principalId, named by other events",
        caveats=(*hop.caveats, caveat),
    )


def with_person(hop: Hop, reader: MintReader) -> Hop:
    """The hop with the Identity Center user that a SAML mint of a permission set was for (§2.2)."""
    mint = hop.mint
    if mint is None or mint.event_name != "AssumeRoleWithSAML":
        return hop
    role = mint.role
    if role is None or not role.name.startswith(RESERVED):
        return hop
    found = _identity_center_user(mint, hop.session, reader)
    found["also"] = (*hop.also, *found.get("also", ()))
    found["caveats"] = (*hop.caveats, *found.get("caveats", ()))
    return replace(hop, **found)


def _identity_center_user(mint: Mint, session: Session, reader: MintReader) -> dict[str, Any]:
    """Who asked the portal for it: by account, permission set and time, so never against what the
    session itself says of its user, whose name Identity Center gives it (§3.4 rule 6).
    """
    rows = reader.identity_center_calls(mint.time - CLOCK_SKEW, mint.time + CLOCK_SKEW)
    name = (mint.session_name or session.session_name or "").casefold()
    fitting = []
    for row in rows:
        asked = asked_of_portal(row["service_event_details"], row["request_parameters"])
        if asked is None or not asked.fits(mint.role_arn):
            continue
        if session.on_behalf_of and row["on_behalf_of"] not in (None, session.on_behalf_of):
            continue
        if name and row["user_name"] and row["user_name"].casefold() != name:
            continue
        fitting.append(row)
    if not fitting:
        return {}
    best = min(fitting, key=lambda row: (nearness(row["event_time"], mint.time), row["event_id"]))
    users = {row["on_behalf_of"] or row["user_name"] for row in fitting}
    if len(users) > 1:
        return {
            "caveats": (
                f"{len(users)} Identity Center users asked for this permission set within two"
                " seconds: which of them is told by the session name alone.",
            ),
            "also": tuple(str(row["event_id"]) for row in fitting),
        }
    return {
        "person": {
            "user_id": best["on_behalf_of"],
            "user_name": best["user_name"],
            "field": f"{best['event_name']} userIdentity.onBehalfOf.userId"
            if best["on_behalf_of"]
            else f"{best['event_name']} userIdentity.userName",
        },
        "source_ip_address": best["source_ip_address"],
        "address_event_id": str(best["event_id"]),
        "user_agent": best["user_agent"],
        "also": tuple(str(row["event_id"]) for row in fitting),
    }


def in_order(hop: Hop) -> Hop:
    """The hop, with a caveat where its times cannot all be true (§3.2)."""
    if hop.mint is None or hop.method == "signin_session":
        return hop
    caveats = []
    caller = hop.by.created
    if caller is not None and hop.mint.time < caller - CLOCK_SKEW:
        caveats.append(
            f"Event {hop.mint.event_id} is older than the session that made it: its times or its"
            " identity were changed, or the logs were."
        )
    used = hop.session.seen_until
    if used is not None and hop.mint.time > used + CLOCK_SKEW:
        caveats.append(
            f"Event {hop.mint.event_id} made this credential after it was used: look for an"
            " earlier use of the same session, or for changed times."
        )
    return replace(hop, caveats=(*hop.caveats, *caveats)) if caveats else hop
