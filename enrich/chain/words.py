"""Chains, sessions and callers in words: what the sentence of `assumed_by` is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from enrich.chain.back import Chain
from enrich.chain.claims import weakest
from enrich.chain.session import Session
from enrich.data.assumed_by import Origin
from enrich.facts.interface import INTERFACE_WORDS
from enrich.facts.role_name import short_name
from enrich.words import age, clock, short

METHOD_WORDS: Mapping[str, str] = {
    "access_key": "by access key",
    "creation_date": "by session creation date",
    "switch_role": "by the console's switch-role record",
    "signin_session": "by the shared sign-in session",
    "key_created": "by the record that created the key",
    "scoped": "same session, narrowed",
    "most_recent": "most recent: a guess",
    "inferred": "inferred from the session's own fields",
}


NAMELESS = "a caller whose name is masked"
_NAMES = ("arn", "principal_id", "user_name", "invoked_by")
_SHOWN_OTHERWISE = ("AWSService", "SAMLUser", "WebIdentityUser", "Root")


def chain_sentence(chain: Chain, session: Session, found: Origin) -> str:
    first = chain.assumption or chain.hops[0]
    origin = short(found.detail or "an unknown caller", 140)
    more = f", through {len(chain.hops)} hops" if len(chain.hops) > 1 else ""
    fitting = f", {len(first.candidates)} calls fit" if len(first.candidates) > 1 else ""
    # The sentence names whoever stands at the end: it is no surer than the weakest hop to there,
    # also one that only handed the session on.
    confidence = weakest([hop.confidence for hop in chain.hops])
    how = f"{METHOD_WORDS[first.method]}, {confidence}{fitting}"
    if first.mint is None and len(first.callers) > 1:
        return (
            f"Which of {len(first.callers)} different users issued {named(session)} is not known:"
            f" records of its sessions name {caller_names(first.callers)}, and no record of its"
            f" making is indexed ({how}, {first.by_label_field})."
        )
    if first.mint is None and first.guess is None:
        return (
            f"{named(session)}: no record of its making is indexed; its own record names {origin}"
            f" as who issued it ({how}, {first.by_label_field})."
        )
    if first.mint is None:
        return f"{named(session)}: no record of its assumption; it looks like {origin} ({how})."
    when = clock(first.mint.time)
    borrowed = chain.hops[0].mint
    if chain.only_borrowed and first.is_narrowing and len(first.callers) > 1:
        return (
            f"Whether {named(session)} was narrowed by {first.mint.event_name} at {when}, or begun"
            " by another call of those seconds, is not known:"
            f" {caller_names(first.callers)} ({how})."
        )
    if chain.only_borrowed and first.is_narrowing:
        return (
            f"{named(session)} is a session narrowed by {first.mint.event_name} at {when}; no"
            " indexed event explains the session itself."
        )
    if chain.only_borrowed:
        return (
            f"{named(session)} is a console session that {first.mint.event_name} handed to the"
            f" command line at {when}; no indexed event explains that console session."
        )
    if first.method == "key_created" and len(first.callers) > 1:
        return (
            f"Not an assumed role: {named(session)}. Which of {len(first.callers)} different"
            f" callers created that key is not known: {caller_names(first.callers)} ({how}{more})."
        )
    if first.method == "key_created":
        return (
            f"Not an assumed role: {named(session)}, which {short_caller(first.by)} created at"
            f" {when} ({how}{more})."
        )
    if borrowed is not None and borrowed is not first.mint:
        how_on = "narrowed" if chain.hops[0].is_narrowing else "borrowed"
        more += f"; {how_on} by {borrowed.event_name} at {clock(borrowed.time)}"
    interface = "console" if first.console else first.mint.interface
    through = f" over {INTERFACE_WORDS[interface]}" if interface != "aws_service" else ""
    verb = "assumed" if session.is_role else "obtained"
    if len(first.callers) > 1:
        # Those who are masked may be one.
        masked = sum(not any(map(caller.get, _NAMES)) for caller in first.callers)
        different = "possible" if masked > 1 else "different"
        return (
            f"Which of {len(first.callers)} {different} callers {verb} {named(session)} is not"
            f" known: {caller_names(first.callers)}; the likeliest call was at {when}{through}"
            f" ({how}{more})."
        )
    if first.mint.event_name == "ConsoleLogin":
        return f"{origin} signed in to the console at {when} ({how}{more})."
    verb = f"probably {verb}" if confidence in ("medium", "low") else verb
    return f"{verb} by {origin} at {when}{through} ({how}{more})."


def caller_names(callers: Sequence[Mapping[str, Any]]) -> str:
    """Possible callers in few words: "IAM user alice, IAM user bob or one of 3 more"."""
    known: list[tuple[str, str]] = []
    hidden = 0
    for caller in callers:
        arn = str(caller["arn"] or "")
        name = caller["user_name"] or arn.partition(":assumed-role/")[2] or arn.rpartition("/")[2]
        name = name or caller["invoked_by"] or caller["principal_id"]
        if name is None and caller["type"] not in _SHOWN_OTHERWISE:
            hidden += 1
            continue
        kind = {"IAMUser": "IAM user ", "AssumedRole": "session "}.get(caller["type"], "")
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        known.append((short(f"{kind}{name or caller['type']}"), account))
    accounts: dict[str, set[str]] = {}
    for name, account in known:
        accounts.setdefault(name, set()).add(account)
    # Two accounts may have a user of one name each.
    names = [
        f"{name} of account {account}" if account and len(accounts[name]) > 1 else name
        for name, account in known
    ]
    if hidden:
        names.append(NAMELESS if hidden == 1 else f"{hidden} callers whose names are masked")
    every = list(dict.fromkeys(names))
    if len(every) > 4:
        every = [*every[:3], f"one of {len(every) - 3} more"]
    return " or ".join([", ".join(every[:-1]), every[-1]]) if len(every) > 1 else every[0]


def not_assumed(session: Session, *, has_misfits: bool = False) -> str:
    """That there is no assumption to explain; `has_misfits` where records show the key being made
    that cannot be its own, which is told beside.
    """
    if session.type == "AWSService":
        who = session.principal_id or session.arn or session.invoked_by or "an AWS service"
        return f"Not an assumed role: {short(who)} made the call."
    if session.has_long_term_key:
        found = (
            "no CreateAccessKey in the index that fits"
            if has_misfits
            else ("no CreateAccessKey for it in the index")
        )
        return f"Not an assumed role: {named(session)}; {found}."
    if not (session.arn or session.principal_id or session.user_name or session.access_key_id):
        return "The alert names no principal, so there is no session to explain."
    return f"Not an assumed role: {named(session)}."


def named(session: Session) -> str:
    name = short(session.user_name or session.arn or session.principal_id or "of unknown name")
    if session.is_role:
        role = short_name(session.role_arn or session.arn)
        if role is None:
            return f"session {short(str(session.principal_id or session.access_key_id))}"
        if session.session_name is None:
            return f"a session of role {short(role)}"
        return f"session {short(session.session_name)} of role {short(role)}"
    key = short(session.access_key_id or "")
    if session.has_long_term_key:
        owner = "root user" if session.type == "Root" else f"IAM user {name}"
        if session.type == "Unknown" and session.user_name is None:
            return f"long-term key {key}"
        return f"{owner} with long-term key {key}"
    if session.type == "IAMUser":
        return f"IAM user {name}" + (f" with temporary key {key}" if key else "")
    if session.type == "Root":
        return f"the root user of account {session.account_id or session.principal_id}"
    if session.type == "FederatedUser":
        return f"federated user {name}"
    if session.type == "Unknown" and key:
        return f"access key {key}"
    return f"{short(session.type)} {name}"


def short_caller(by: Session) -> str:
    """A caller in a few words."""
    if by.type == "AWSService":
        return short(by.invoked_by or by.principal_id or "an AWS service")
    if by.is_role:
        role = short_name(by.role_arn or by.arn) or by.principal_id or "unknown"
        if by.session_name is None:
            return f"a session of role {short(role)}"
        return f"session {short(by.session_name)} of role {short(role)}"
    if by.is_nameless:
        return NAMELESS
    if by.user_name:
        name = short(by.user_name)
        return f"IAM user {name}" if by.type == "IAMUser" else name
    if by.type == "SAMLUser" and not by.arn:
        # The principal id is a hash of the provider, and whom the provider names.
        return f"SAML user {short(str(by.principal_id or 'without a name').rpartition(':')[2])}"
    return short(by.arn or by.principal_id or by.type)


def distance_words(method: object, seconds: object) -> str | None:
    """What a hop's `time_distance_s` measures: "used 111 s after it was issued"."""
    if not isinstance(seconds, int):
        return None
    if method in ("creation_date", "switch_role"):
        if seconds == 0:
            return "issued in the second of its creation date"
        side = "before" if seconds < 0 else "after"
        return f"issued {age(timedelta(seconds=seconds))} {side} its creation date"
    made = "created" if method == "key_created" else "issued"
    side = "before" if seconds < 0 else "after"
    return f"used {age(timedelta(seconds=seconds))} {side} it was {made}"
