"""Who assumed the role: the chain from the alert's session back to a person or a workload."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.account_of_key import account_of_key
from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment, Status
from enrich.chain import Chain, Hop, needs_explaining, resolve_chain
from enrich.forward import TREE_SESSIONS, empty_tree, find_forward
from enrich.interface import INTERFACE_WORDS
from enrich.mints import CLOCK_SKEW, MINT_CAP, MintReader
from enrich.origin import NO_ORIGIN, account_of_role, acting_hops, origin_of
from enrich.role_name import role_named, short_name
from enrich.session import Session, completed, find_uses, session_of_alert
from enrich.window import iso
from enrich.words import counted, listed, short
from trail.store import Coverage, Store

NAME = "assumed_by"
QUESTION = "Who assumed the role?"

EVIDENCE = 50
"""Candidates of one hop that count as evidence; `data` lists every one."""

LATE_DELIVERY = timedelta(minutes=30)
"""An event this close to the newest one may have a forerunner that is still under way (§1.4)."""

# A user agent is the caller's own word: it can accuse here, it never clears.
_ODD_ON_AN_INSTANCE = re.compile(r"\b(Darwin|macOS|kali|parrot|pentoo|Windows/1[01])\b", re.I)

METHOD_WORDS: Mapping[str, str] = {
    "access_key": "by access key",
    "creation_date": "by session creation date",
    "switch_role": "by the console's switch-role record",
    "signin_session": "by the shared sign-in session",
    "key_created": "by the record that created the key",
    "most_recent": "most recent: a guess",
    "inferred": "inferred from the session's own fields",
}


def empty_data() -> dict[str, Any]:
    """`data` with every documented key and nothing found."""
    return {
        "chain": [],
        "origin": dict(NO_ORIGIN),
        "forward": empty_tree(),
        "juggling": None,
        "would_be_in": None,
        "derived_account": None,
    }


def assumed_by(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The chain behind one principal of an alert, its origin, and what the session went on to do.

    `time_distance_s` of a hop is mint time minus creation date where it was matched by creation
    date (R2, R2c), else the seconds from the mint to the use that it explains.
    """
    started = time.perf_counter()
    reader = MintReader(store)
    if alert.sample:
        return _answer(
            started,
            reader,
            "not_applicable",
            "A sample finding: its principal is a placeholder, and was not looked up.",
            empty_data(),
        )
    stated = session_of_alert(alert, principal)
    uses = find_uses(stated, alert, reader)
    session = completed(stated, uses, alert)
    chain = resolve_chain(session, reader)
    data = empty_data()
    acting = len(acting_hops(chain.hops))
    data["chain"] = [
        {**shown_hop(hop), "acting": number < acting} for number, hop in enumerate(chain.hops)
    ]
    data["origin"] = dict(origin_of(chain, session))
    data["forward"] = find_forward(session, alert.last_seen or alert.first_seen, reader)
    data["juggling"] = juggling_of(chain, session)
    caveats = list(dict.fromkeys(chain.caveats))
    if data["juggling"] is not None:
        caveats.append(_juggling_sentence(data["juggling"]))
    if data["forward"]["cut"]:
        caveats.append(f"The tree of what it went on to assume is cut at {TREE_SESSIONS} sessions.")
    if data["forward"]["renewals"]:
        caveats.append(
            f"Role juggling: {counted(data['forward']['renewals'], 'session')} of what it went on"
            " to assume renewed a role that it came from."
        )
    if reader.cut:
        caveats.append(f"One look-up was cut at {MINT_CAP} rows: more calls fit than are counted.")
    status, sentence = _status_and_sentence(chain, session, data, caveats, store)
    if (left := _left_the_instance(alert, session, chain, reader)) is not None:
        caveats.insert(0, left)
        sentence += " These credentials may have left that instance."
    evidence = [
        event_id
        for hop in chain.hops
        if hop.mint is not None
        for event_id in (hop.mint.event_id, *hop.also, *hop.candidates[:EVIDENCE])
    ]
    return _answer(started, reader, status, sentence, data, evidence, caveats)


def shown_hop(hop: Hop) -> dict[str, Any]:
    """A hop as `data["chain"]` shows it (contract 4), with a few more keys.

    `acting` (set by `assumed_by`) is false for the hops that only tell how an old key was made.
    """
    mint = hop.mint
    by = hop.by
    interface = None
    if mint is not None:
        interface = "console" if hop.console else mint.interface
    return {
        "event_id": mint.event_id if mint else None,
        "event_time": iso(mint.time) if mint else None,
        "event_name": mint.event_name if mint else None,
        "method": hop.method,
        "rule": hop.rule,
        "confidence": hop.confidence,
        "time_distance_s": hop.time_distance_s,
        "candidates": list(hop.candidates),
        "interface": interface,
        "interface_detail": mint.interface_detail if mint else None,
        "role_arn": hop.role_arn,
        "session_name": hop.session_name,
        "minted_access_key_id": mint.key if mint else None,
        "source_ip_address": hop.source_ip_address,
        "user_agent": hop.user_agent,
        "by": {
            "type": by.type,
            "arn": by.arn,
            "principal_id": by.principal_id,
            "access_key_id": by.access_key_id,
            "user_name": by.user_name,
            "account_id": by.account_id,
            "session_name": by.session_name,
            "invoked_by": by.invoked_by,
            "field": hop.by_label_field,
        },
        "callers": [{**caller, "last": iso(caller["last"])} for caller in hop.callers],
        "also": list(hop.also),
        "account_id": mint.row["recipient_account_id"] if mint else None,
        "aws_region": mint.row["aws_region"] if mint else None,
        "matched": METHOD_WORDS[hop.method],
    }


def juggling_of(chain: Chain, session: Session) -> dict[str, Any] | None:
    """Roles that come up more than once on the path, or a cycle: access that renews itself."""
    roles: dict[object, list[Hop]] = {}
    for hop in chain.hops:
        role = role_named(hop.role_arn)
        if role is not None and hop.mint is not None and hop.mint.made_by_sts:
            roles.setdefault(role, []).append(hop)
    repeated = [hops for hops in roles.values() if len(hops) > 1]
    if not repeated and chain.stopped != "cycle":
        return None
    times = [hop.mint.time for hops in repeated for hop in hops if hop.mint is not None]
    return {
        "role_arns": sorted({str(hops[0].role_arn) for hops in repeated}),
        "renewals": sum(len(hops) - 1 for hops in repeated),
        "first_mint": iso(min(times, default=None)),
        "cycle": chain.stopped == "cycle",
    }


def _juggling_sentence(juggling: Mapping[str, Any]) -> str:
    names = ", ".join(str(short_name(arn)) for arn in juggling["role_arns"])
    if not names:
        return "Role juggling: the records go round in a cycle."
    times = "once" if juggling["renewals"] == 1 else f"{juggling['renewals']} times"
    since = f", first at {juggling['first_mint']}" if juggling["first_mint"] else ""
    return f"Role juggling: {names} was assumed again from itself or back {times}{since}."


def _left_the_instance(
    alert: Alert, session: Session, chain: Chain, reader: MintReader
) -> str | None:
    """A caveat when an instance's credential seems to be used somewhere else than its instance.

    Only said with evidence: sessions of the same instance had used another address before, or
    the client itself names a system that instances rarely run (§3.2).
    """
    hop = chain.hops[0] if chain.hops else None
    if hop is None or hop.by.invoked_by != "ec2.amazonaws.com" or session.seen is None:
        return None
    address = alert.source_ip_address
    if address is None or session.principal_id is None or not _is_address(address):
        return None
    first, last = session.seen - timedelta(days=7), session.seen + timedelta(hours=1)
    rows = reader.find(
        """
        select source_ip_address, count(*) as events, min(event_time) as first
        from events
        where identity_id = $identity_id and principal_id = $principal_id
          and event_time >= $first and event_time <= $last
        group by source_ip_address order by events desc, source_ip_address limit 100
        """,
        {
            "identity_id": session.identity_id,
            "principal_id": session.principal_id,
            "first": first,
            "last": last,
        },
        first=first,
        last=last,
    )
    places = [row for row in rows if _is_address(str(row["source_ip_address"] or ""))]
    elsewhere = [row for row in places if row["source_ip_address"] != address]
    here = min((row["first"] for row in places if row not in elsewhere), default=session.seen)
    before = [row["source_ip_address"] for row in elsewhere if row["first"] < here]
    instance = f"Credentials of EC2 instance {session.session_name} were used from {address}"
    if before:
        return (
            f"{instance}, while the instance's sessions had used {listed(before, at_most=3)}"
            " before: they may have left the instance."
        )
    odd = _ODD_ON_AN_INSTANCE.search(alert.user_agent or session.user_agent or "")
    if odd is not None:
        return (
            f"{instance} by a client that says it runs on {odd[0]}, which instances rarely do:"
            " they may have left the instance."
        )
    return None


def _status_and_sentence(
    chain: Chain, session: Session, data: dict[str, Any], caveats: list[str], store: Store
) -> tuple[Status, str]:
    if chain.hops:
        status: Status = "answered"
        if chain.stopped == "unexplained" and chain.end is not None:
            status = _say_where(chain.end, data, caveats, store, "answered")
        return status, _sentence(chain, session, data)
    if not needs_explaining(session):
        return "not_applicable", _not_assumed(session)
    status = _say_where(session, data, caveats, store, "nothing")
    what = _named(session)
    account = account_of_role(session)
    if status == "not_covered":
        return status, (
            f"No logs of account {account or 'the role'} around {_clock(_about(session))} are"
            f" indexed, so who assumed {what} cannot be told."
        )
    if status == "partial":
        return status, (
            f"No indexed event explains {what}; logs of account {account or 'the role'} are"
            " missing for part of the time."
        )
    return status, f"No indexed event explains {what}, although that account and time are covered."


def _say_where(
    session: Session,
    data: dict[str, Any],
    caveats: list[str],
    store: Store,
    covered: Status,
) -> Status:
    """R5: which log would hold the missing event, and whether the index has it."""
    about = _about(session)
    account = account_of_role(session)
    if about is None:
        caveats.append("The alert has no time, so only its access key could be looked for.")
        return covered
    exact = session.created is not None
    first = about - (CLOCK_SKEW if exact else timedelta(hours=12))
    last = about + CLOCK_SKEW
    derived = account_of_key(session.access_key_id) or account_of_key(session.principal_id)
    data["derived_account"] = derived
    coverage = store.coverage([account] if account else None, first, last)
    data["would_be_in"] = {
        "account_id": account,
        "regions": "any",
        "from": iso(first),
        "to": iso(last),
        "coverage": coverage.status,
    }
    when = (
        f"at {_clock(about)} (within 2 s)"
        if exact
        else f"between {_clock(first)} and {_clock(last)}"
    )
    where = (
        "whichever region's STS was called (us-east-1 for the global endpoint)"
        if session.is_role
        else "the region of the sign-in or of the STS that was called"
    )
    caveats.append(
        f"The event that would explain {_named(session)} lies in the logs of account"
        f" {account or 'unknown'}, in {where}, {when}. {_covered_words(coverage)}"
    )
    if derived is not None and account is None:
        caveats.append(
            f"Its id was made in account {derived}, by calculation from the id alone: no record"
            " says so."
        )
    newest = store.summary().last
    if newest is not None and last > newest - LATE_DELIVERY:
        caveats.append(
            "CloudTrail may deliver that event later: look again in half an hour, after adding"
            " newer logs."
        )
    if coverage.status == "covered":
        return covered
    return "partial" if coverage.status == "partial" or covered == "answered" else "not_covered"


def _covered_words(coverage: Coverage) -> str:
    if coverage.status == "covered":
        return "The index has logs of that account and day."
    if coverage.status == "partial":
        missing = ", ".join(day.isoformat() for day in coverage.missing[:3])
        return f"The index lacks {missing}."
    return "The index has no logs of that account and time."


def _sentence(chain: Chain, session: Session, data: Mapping[str, Any]) -> str:
    first = chain.hops[0]
    origin = short(data["origin"]["detail"] or "an unknown caller", 140)
    more = f", through {len(chain.hops)} hops" if len(chain.hops) > 1 else ""
    fitting = f", {len(first.candidates)} calls fit" if len(first.candidates) > 1 else ""
    how = f"{METHOD_WORDS[first.method]}, {first.confidence}{fitting}"
    if first.mint is None:
        return f"{_named(session)}: no record of its assumption; it looks like {origin} ({how})."
    when = _clock(first.mint.time)
    if first.method == "key_created":
        return (
            f"Not an assumed role: {_named(session)}, which {short_caller(first.by)} created at"
            f" {when} ({how}{more})."
        )
    if first.mint.event_name == "ConsoleLogin":
        return f"{origin} signed in to the console at {when} ({how}{more})."
    interface = "console" if first.console else first.mint.interface
    through = f" over {INTERFACE_WORDS[interface]}" if interface != "aws_service" else ""
    verb = "assumed" if session.is_role else "obtained"
    verb = f"probably {verb}" if first.confidence == "low" else verb
    callers = (
        f" {len(first.callers)} different callers are possible." if len(first.callers) > 1 else ""
    )
    return f"{verb} by {origin} at {when}{through} ({how}{more}).{callers}"


def _not_assumed(session: Session) -> str:
    if session.type == "AWSService":
        who = session.principal_id or session.arn or session.invoked_by or "an AWS service"
        return f"Not an assumed role: {short(who)} made the call for itself."
    if session.has_long_term_key:
        return f"Not an assumed role: {_named(session)}; no CreateAccessKey for it in the index."
    if not (session.arn or session.principal_id or session.user_name or session.access_key_id):
        return "The alert names no principal, so there is no session to explain."
    return f"Not an assumed role: {_named(session)}."


def _named(session: Session) -> str:
    name = short(session.user_name or session.arn or session.principal_id or "of unknown name")
    if session.is_role:
        role = short_name(session.role_arn or session.arn)
        if role is None:
            return f"session {short(str(session.principal_id or session.access_key_id))}"
        return f"session {short(session.session_name or '?')} of role {short(role)}"
    key = short(session.access_key_id or "")
    if session.has_long_term_key:
        owner = "root user" if session.type == "Root" else f"IAM user {name}"
        return f"{owner} signed with long-term key {key}"
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
        return f"session {short(by.session_name or '?')} of role {short(role)}"
    if by.user_name:
        name = short(by.user_name)
        return f"IAM user {name}" if by.type == "IAMUser" else name
    return short(by.arn or by.principal_id or by.type)


def _about(session: Session) -> datetime | None:
    return session.created or session.seen


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment is not None else "an unknown time"


def _is_address(text: str) -> bool:
    # Some published logs hold impossible octets: digits and dots, or colons, are enough here.
    return bool(text) and not text.endswith(".com") and not text.startswith("AWS ")


def _answer(
    started: float,
    reader: MintReader,
    status: Status,
    sentence: str,
    data: Mapping[str, Any],
    evidence: Sequence[str] = (),
    caveats: Sequence[str] = (),
) -> Answer:
    return Answer(
        name=NAME,
        question=QUESTION,
        status=status,
        sentence=sentence[0].upper() + sentence[1:],
        data=data,
        evidence=tuple(dict.fromkeys(evidence)),
        caveats=tuple(dict.fromkeys(caveats)),
        queries=tuple(reader.queries),
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )


ASSUMED_BY = Enrichment(name=NAME, question=QUESTION, ask=assumed_by, empty_data=empty_data)
