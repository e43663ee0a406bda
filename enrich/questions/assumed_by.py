"""Who assumed the role: the chain from the alert's session back to a person or a workload."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment, Listing, ReportTable, Status, verbatim
from enrich.chain.back import Chain, resolve_chain
from enrich.chain.caller import by_callers_copy
from enrich.chain.forward import STRANGE_KEYS, TREE_SESSIONS, find_forward
from enrich.chain.hop import Hop
from enrich.chain.juggling import juggling_of, juggling_sentence
from enrich.chain.left_instance import left_the_instance
from enrich.chain.mints import MINT_CAP, MintReader
from enrich.chain.origin import account_of_role, acting_hops, origin_of
from enrich.chain.rules import needs_explaining, weighed
from enrich.chain.session import Session, actor_in, record_in, session_of_alert
from enrich.chain.unexplained import Unexplained, say_where, time_of
from enrich.chain.uses import completed, find_uses
from enrich.chain.words import (
    METHOD_WORDS,
    chain_sentence,
    distance_words,
    named,
    not_assumed,
)
from enrich.data.assumed_by import AssumedBy, Caller, ChainHop, Origin, PossibleCaller
from enrich.facts.actor import NOT_KNOWN, Actor
from enrich.own_event import missing_own_event
from enrich.window import iso, why_not_looked_up
from enrich.words import clock, short
from trail.counted import counted
from trail.store import Store

NAME = "assumed_by"
QUESTION = "Who assumed the role?"

EVIDENCE = 50
"""Candidates of one hop that count as evidence; `data` lists every one."""


def nothing_known() -> AssumedBy:
    """What is told where nothing was looked up."""
    return AssumedBy(actor=NOT_KNOWN.told())


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
            str(why_not_looked_up(alert)),
            nothing_known(),
        )
    caveats: list[str] = []
    stated = session_of_alert(alert, principal)
    stated = by_callers_copy(stated, record_in(alert), reader, caveats)
    if stated.seen is None:
        stated = _dated_by_its_mint(stated, reader)
    uses = find_uses(stated, alert, reader)
    session = weighed(completed(stated, uses, alert), reader)
    chain = resolve_chain(session, reader)
    origin = origin_of(chain, session)
    forward = find_forward(session, reader)
    juggling = juggling_of(chain)
    # The alarms stand in the sentence.
    caveats += [one for one in chain.caveats if one not in chain.said.alarms]
    if juggling is not None:
        caveats.append(juggling_sentence(juggling))
    if forward.cut:
        caveats.append(f"The tree of what it went on to assume is cut at {TREE_SESSIONS} sessions.")
    if forward.unchecked_keys:
        caveats.append(
            f"Calls with {counted(forward.unchecked_keys, 'further access key')} count"
            f" as this session's own: only {STRANGE_KEYS} keys were looked up, and another session"
            " of the same name and second may have some of them."
        )
    if forward.renewals:
        caveats.append(
            f"Role juggling: {counted(forward.renewals, 'session')} of what it went on"
            " to assume renewed a role that it came from."
        )
    if reader.cut:
        caveats.append(f"One look-up was cut at {MINT_CAP} rows: more calls fit than are counted.")
    if alert.time_is_fallback and needs_explaining(session):
        caveats.append(
            "Since the alert does not say when the activity was, its session is only known to have"
            " begun before that."
        )
    own_missing = missing_own_event(alert, store) if chain.stopped == "unexplained" else None
    status, sentence, missing = _status_and_sentence(
        chain, session, origin, caveats, reader, alert.region, own_missing
    )
    if (left := left_the_instance(alert, session, chain, reader)) is not None:
        caveats.insert(0, left.sentence)
        sentence += " These credentials may have left that instance."
    if chain.said.alarms:
        sentence = " ".join([sentence, *chain.said.alarms])
    evidence = [
        event_id
        for hop in chain.hops
        if hop.mint is not None
        for event_id in (hop.mint.event_id, *hop.also, *hop.candidates[:EVIDENCE])
    ]
    acting = len(acting_hops(chain.hops))
    data = AssumedBy(
        chain=tuple(
            shown_hop(hop, acting=number < acting) for number, hop in enumerate(chain.hops)
        ),
        origin=origin,
        forward=forward,
        juggling=juggling,
        left_instance=left,
        would_be_in=missing.would_be_in if missing is not None else None,
        derived_account=missing.derived_account if missing is not None else None,
        actor=_who_acts(session, chain.hops, alert.event_name).told(),
    )
    return _answer(started, reader, status, sentence, data, evidence, caveats)


_FOR_PEOPLE = frozenset({"account-access.amazonaws.com", "sso.amazonaws.com"})
"""Services that fetch credentials for a person who asked (§2.2); the others fetch a workload's."""


def _who_acts(session: Session, hops: Sequence[Hop], event_name: str | None) -> Actor:
    """Who acts in the alert's session, by its own fields, else by who fetched its credentials."""
    actor = actor_in(session, event_name)
    made = hops[0] if hops else None
    if actor.asserted or made is None or made.mint is None or made.by.type != "AWSService":
        return actor
    service = made.by.invoked_by
    if service is None or service in _FOR_PEOPLE or made.confidence not in ("certain", "high"):
        return actor
    return Actor("automation", "userIdentity.invokedBy", f"credentials fetched by {service}", True)


def _dated_by_its_mint(session: Session, reader: MintReader) -> Session:
    """A key pasted without a time, with the lifetime that the record of its making gives it."""
    mints = reader.by_minted_key(session.access_key_id) if session.access_key_id else []
    if len(mints) != 1 or mints[0].event_name == "CreateAccessKey":
        return session  # of several records of one key, none is known to be its own (rule 3)
    return replace(
        session,
        created=session.created or mints[0].time,
        seen=mints[0].time,
        seen_until=mints[0].latest_end,
    )


def shown_hop(hop: Hop, *, acting: bool) -> ChainHop:
    """A hop as the answer holds it."""
    mint = hop.mint
    by = hop.by
    interface = None
    if mint is not None:
        interface = "console" if hop.console else mint.interface
    return ChainHop(
        event_id=mint.event_id if mint else None,
        event_time=iso(mint.time) if mint else None,
        event_name=mint.event_name if mint else None,
        method=hop.method,
        rule=hop.rule,
        confidence=hop.confidence,
        time_distance_s=hop.time_distance_s,
        candidates=hop.candidates,
        interface=interface,
        interface_detail=mint.interface_detail if mint else None,
        role_arn=hop.role_arn,
        session_name=hop.session_name,
        minted_access_key_id=mint.key if mint else None,
        source_ip_address=hop.source_ip_address,
        user_agent=hop.user_agent,
        address_event_id=hop.address_event_id or (mint.event_id if mint else None),
        by=Caller(
            type=by.type,
            arn=by.arn,
            principal_id=by.principal_id,
            access_key_id=by.access_key_id,
            user_name=by.user_name,
            account_id=by.account_id,
            session_name=by.session_name,
            invoked_by=by.invoked_by,
            field=hop.by_label_field,
            actor=actor_in(by).told(),
        ),
        callers=tuple(
            PossibleCaller(**{**caller, "last": iso(caller["last"])}) for caller in hop.callers
        ),
        also=hop.also,
        account_id=mint.row["recipient_account_id"] if mint else None,
        aws_region=mint.row["aws_region"] if mint else None,
        matched=METHOD_WORDS[hop.method],
        acting=acting,
    )


def _status_and_sentence(
    chain: Chain,
    session: Session,
    origin: Origin,
    caveats: list[str],
    reader: MintReader,
    region: str | None,
    own_missing: str | None,
) -> tuple[Status, str, Unexplained | None]:
    """And, where the chain ends without an explanation, which logs would have it."""
    if chain.hops:
        status: Status = "answered"
        missing = None
        if chain.stopped == "unexplained" and chain.end is not None:
            covered: Status = "nothing" if chain.only_borrowed else "answered"
            mint = chain.hops[-1].mint
            region = mint.row["aws_region"] if mint is not None else region
            missing = say_where(chain.end, caveats, reader, region, covered, own_missing)
            status = missing.status
            if status == "partial":
                told = f"{chain_sentence(chain, session, origin)} {_lacking(chain, missing)}"
                return status, told, missing
        return status, chain_sentence(chain, session, origin), missing
    if not needs_explaining(session):
        return "not_applicable", not_assumed(session, has_misfits=chain.said.has_misfits), None
    found = say_where(session, caveats, reader, region, "nothing", own_missing)
    what = named(session)
    account = account_of_role(session)
    if time_of(session) is None:
        sentence = (
            f"No indexed event explains {what}; the alert has no time, so whether its logs are"
            " indexed cannot be told."
        )
    elif found.status == "not_covered":
        sentence = (
            f"No logs of account {account or 'the role'} around {clock(time_of(session))} are"
            f" indexed, so who assumed {what} cannot be told."
        )
    elif found.status == "partial":
        sentence = f"No indexed event explains {what}: {found.missing}."
    else:
        sentence = f"No indexed event explains {what}, although that account and time are covered."
    return found.status, sentence, found


def _lacking(chain: Chain, found: Unexplained) -> str:
    """What is missing behind the last hop, as a sentence of its own."""
    why = f": {found.missing}" if found.missing else ""
    if chain.hops[-1].mint is None:  # that it has no record is said
        return f"Its logs are not all indexed{why}."
    return f"No indexed event explains {named(chain.end or chain.hops[-1].by)}{why}."


def _answer(
    started: float,
    reader: MintReader,
    status: Status,
    sentence: str,
    data: AssumedBy,
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


def _found(data: AssumedBy) -> str:
    return short(data.origin.label, 40) if data.origin.label else "not explained"


def _listing(data: AssumedBy) -> Listing:
    rows = []
    for hop in data.chain:
        distance = distance_words(hop.method, hop.time_distance_s)
        how = f"{hop.matched or hop.method} ({hop.confidence})"
        rows.append(
            (
                hop.event_time,
                verbatim(hop.by.arn or hop.by.principal_id or hop.by.type),
                verbatim(hop.role_arn),
                f"{how}, {distance}" if distance else how,
                verbatim(hop.event_id),
            )
        )
    return Listing(("Time", "By", "Role", "Matched by", "Event"), rows)


ASSUMED_BY = Enrichment(
    name=NAME,
    question=QUESTION,
    about="who assumed the role",
    short="Who",
    window="back to when it was made",
    ask=assumed_by,
    empty_data=nothing_known,
    found=_found,
    listing=_listing,
    report=(
        ReportTable(
            "chain",
            (
                ("event_time", "Time"),
                ("event_name", "Call"),
                ("role_arn", "Role"),
                ("session_name", "Session"),
                ("minted_access_key_id", "Key"),
                ("method", "Matched by"),
                ("rule", "Rule"),
                ("confidence", "Confidence"),
                ("event_id", "Event"),
            ),
        ),
    ),
    milliseconds=30,
)
