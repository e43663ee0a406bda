"""What speaks for and what against a true positive: an aid to a verdict, never a verdict.

Pure functions over the answers. Every line rests on event ids or, where the point is that there
are no events, on the alert's own; a line without either is not said. Thin history says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.ip import ip_facts
from enrich.service_names import service_name
from enrich.techniques import plain_name
from enrich.user_agent import parse_user_agent
from enrich.words import counted, listed, short

Side = Literal["for", "against"]
CITED = 5
"""How many event ids a line carries at most."""
USUAL = 10
"""From so many equal calls in the baseline on, the alert's call is usual."""
MANY_DENIALS = 10
MANY_NAMES = 5
WEIGHTY = 3
"""How many of the high-signal calls get a line of their own."""


@dataclass(frozen=True)
class Weight:
    """One line: which side it is on, what it says, the events behind it, and whose answer it is."""

    side: Side
    sentence: str
    event_ids: tuple[str, ...]
    answer: str


def weigh(alert: Alert, principal: Principal, answers: Sequence[Answer]) -> list[Weight]:
    """The lines for a true positive first, then those against it."""
    if alert.sample:
        return []
    by_name = {answer.name: answer for answer in answers}
    own = _own_events(alert, by_name)
    lines = [
        *_from_baseline(alert, by_name.get("baseline"), own),
        *_from_calls(by_name.get("interesting_calls")),
        *_from_services(by_name.get("services_used")),
        *_from_roles(by_name.get("roles_assumed")),
        *_from_chain(alert, by_name.get("assumed_by"), by_name.get("baseline")),
        *_from_alert(alert, principal, own),
    ]
    told = [line for line in lines if line.event_ids]
    return [line for side in ("for", "against") for line in told if line.side == side]


def _own_events(alert: Alert, by_name: Mapping[str, Answer]) -> tuple[str, ...]:
    """The alert's events: those it cites, else the newest of its call, else of its window."""
    ids = ([alert.event_id] if alert.event_id else []) + list(alert.event_ids)
    calls = by_name.get("interesting_calls")
    if not ids and calls is not None and alert.event_name is not None:
        name = plain_name(alert.event_name)
        ids = [
            event_id
            for row in [*calls.data["calls"], *calls.data["sensitive_reads"]]
            if plain_name(row["event_name"]) == name
            for event_id in row["event_ids"]
        ]
    services = by_name.get("services_used")
    if not ids and services is not None:
        ids = list(services.evidence)
    return tuple(dict.fromkeys(ids))[:CITED]


_TOLD = {
    "source_ip_address": "source IP {value}",
    "user_agent": "user agent {value}",
    "event_name": "call {value}",
    "event_source": "service {value}",
    "aws_region": "region {value}",
}


def _from_baseline(alert: Alert, answer: Answer | None, own: tuple[str, ...]) -> Iterator[Weight]:
    if answer is None or answer.status not in ("answered", "partial"):
        return
    data = answer.data
    on_role = data["scope"] == "whole_role"
    view = _telling(data)
    if not view["sufficient"]:
        return
    who = "the whole role" if on_role else "this identity"
    history = f"{counted(view['events'], 'call')} on {counted(view['active_days'], 'day')} by {who}"
    for field in view["new"]:
        if field == "event_name" and "event_source" in view["new"]:
            continue
        what = _TOLD[field].format(value=_value(alert, field))
        yield Weight(
            "for", f"The {what} is not among {history} in the 14 days before.", own, answer.name
        )
    for odd in data["unusual"]:
        yield Weight("for", _odd(odd, who), own, answer.name)
    same = view["same_api"]
    usual = same["same_ip_and_agent"]
    how = "from this IP with this user agent"
    if usual is None:
        usual, how = same["same_ip"], "from this IP"
    if usual is not None and usual >= USUAL and answer.evidence:
        yield Weight(
            "against",
            f"The same call came {usual:,} times {how} in the 14 days before.",
            answer.evidence[:CITED],
            answer.name,
        )
    if not view["new"] and not data["unusual"] and answer.evidence:
        yield Weight(
            "against",
            f"Nothing about the alert is new against {history} in the 14 days before.",
            answer.evidence[:CITED],
            answer.name,
        )
    peers = data["peers"]
    if peers and peers.get("event_name", 0) >= WEIGHTY and answer.evidence:
        yield Weight(
            "against",
            f"{counted(peers['event_name'], 'session')} of the same role made the same call.",
            answer.evidence[:CITED],
            answer.name,
        )
    if (dwell := data["before_dwell"]) is not None and dwell["sufficient"] and dwell["new"]:
        yield Weight(
            "for",
            f"Before {dwell['to']} ({dwell['reason']}) nothing like it was seen:"
            " an intruder may have been there longer than the baseline's gap.",
            own,
            answer.name,
        )


def _telling(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The view that the baseline's sentence rests on."""
    view: Mapping[str, Any] = data["whole_role"] if data["scope"] == "whole_role" else data
    return view


def _odd(odd: Mapping[str, Any], who: str) -> str:
    value = odd["value"]
    if odd["what"] == "hour_of_day":
        return f"{value:02}:00 UTC is an hour at which {who} was not active in the 14 days before."
    if odd["what"] == "network":
        return f"Not even the network {short(str(value))} was seen in the 14 days before."
    return f"The error {short(str(value))} did not happen in the 14 days before."


def _value(alert: Alert, field: str) -> str:
    if field == "user_agent":
        return short(parse_user_agent(alert.user_agent or "").normal_form)
    if field == "event_source":
        return short(service_name(alert.event_source))
    if field == "aws_region":
        return short(alert.region or "")
    return short(str(getattr(alert, field)))


def _from_calls(answer: Answer | None) -> Iterator[Weight]:
    if answer is None or not answer.data["calls"]:
        return
    data = answer.data
    grave = [
        row
        for row in data["calls"]
        if row["signal"] not in (None, "sensitive read") and row["failed"] < row["count"]
    ]
    # What the identity does every week speaks for nothing, unless its parameters do.
    telling = [row for row in grave if row["details"] or row["never_before"] is not False]
    for row in telling[:WEIGHTY]:
        done = row["count"] - row["failed"]
        about = ", ".join([row["signal"], *row["techniques"], *row["details"]])
        first = ", not before the alert's day" if row["never_before"] else ""
        yield Weight(
            "for",
            f"{short(row['event_name'])} succeeded {counted(done, 'time')}{first} ({about}):"
            f" {row['why']}",
            tuple(row["event_ids"]),
            answer.name,
        )
    if grave and not telling:
        yield Weight(
            "against",
            "The identity had made each of its high-signal calls before the alert's day as well:"
            f" {listed(dict.fromkeys(short(row['event_name']) for row in grave))}.",
            tuple(event_id for row in grave for event_id in row["event_ids"])[:CITED],
            answer.name,
        )
    denied = [row for row in data["calls"] if row["failure"] == "denied"]
    names = {row["event_name"] for row in denied}
    if data["denied"] >= MANY_DENIALS and len(names) >= MANY_NAMES:
        yield Weight(
            "for",
            f"Denied {data['denied']:,} times over {len(names)} different calls:"
            " somebody tries what the identity may do.",
            tuple(event_id for row in denied for event_id in row["event_ids"])[:CITED],
            answer.name,
        )
    reads = [
        row
        for row in data["sensitive_reads"]
        if "T1555.006" in row["techniques"] and row["never_before"] is not False
    ]
    if reads:
        total = sum(row["count"] for row in reads)
        yield Weight(
            "for",
            f"Secrets were read {counted(total, 'time')}:"
            f" {listed(short(row['event_name']) for row in reads)}.",
            tuple(event_id for row in reads for event_id in row["event_ids"])[:CITED],
            answer.name,
        )
    if data["total"] and data["failed"] == data["total"] and not data["sensitive_reads"]:
        yield Weight(
            "against",
            f"All {counted(data['total'], 'interesting call')} failed:"
            " in these logs nothing was changed or read that way.",
            answer.evidence[:CITED],
            answer.name,
        )
    elif data["total"] and data["by_service"] == data["total"]:
        yield Weight(
            "against",
            "Every interesting call was made by an AWS service on the identity's behalf.",
            answer.evidence[:CITED],
            answer.name,
        )


def _from_services(answer: Answer | None) -> Iterator[Weight]:
    if answer is None:
        return
    rows = [
        row
        for row in answer.data["services"]
        if row["never_before"] and row["valuable"] and row["on_alert_day"]
    ]
    for row in rows[:WEIGHTY]:
        yield Weight(
            "for",
            f"{short(row['service'])} was used for the first time on the alert's day."
            f" {row['valuable']}",
            tuple(row["event_ids"]),
            answer.name,
        )


def _from_roles(answer: Answer | None) -> Iterator[Weight]:
    if answer is None:
        return
    enumeration = answer.data.get("enumeration")
    if isinstance(enumeration, Mapping):
        refused = [row for row in answer.data["roles"] if row["result"] == "failure"]
        yield Weight(
            "for",
            f"{enumeration['targets']} different roles were refused within"
            f" {counted(enumeration['minutes'], 'minute')}: somebody looks for a way on.",
            tuple(event_id for row in refused for event_id in row.get("event_ids", ()))[:CITED],
            answer.name,
        )
    later = [
        row for row in answer.data["roles"] if row["after_alert"] and row["result"] == "success"
    ]
    if later:
        names = dict.fromkeys(str(row["role_arn"] or "").rpartition("/")[2] for row in later)
        yield Weight(
            "for",
            f"It went on after the alert: {listed(short(name) for name in names)} assumed.",
            tuple(event_id for row in later for event_id in row.get("event_ids", ()))[:CITED],
            answer.name,
        )


def _from_chain(alert: Alert, answer: Answer | None, baseline: Answer | None) -> Iterator[Weight]:
    if answer is None or not answer.data.get("chain"):
        return
    if answer.data.get("juggling"):
        yield Weight(
            "for",
            "The session renews itself: a role on the path was assumed again from itself.",
            answer.evidence[:CITED],
            answer.name,
        )
    # Borrowing a console session does not make one: where that began is what counts.
    made_by = [
        hop
        for hop in answer.data["chain"]
        if hop.get("method") not in ("signin_session", "key_created")
    ]
    if not made_by:
        return
    hop = made_by[0]
    system = parse_user_agent(alert.user_agent).os if alert.user_agent else None
    by_instance = (hop.get("by") or {}).get("invoked_by") == "ec2.amazonaws.com"
    if by_instance and system in _NOT_ON_INSTANCES and hop["event_id"] is not None:
        yield Weight(
            "for",
            f"An EC2 instance's credentials were used by a client on {system}:"
            " they may have left the instance.",
            (hop["event_id"],),
            answer.name,
        )
    made, used = ip_facts(hop["source_ip_address"]), ip_facts(alert.source_ip_address)
    # A console session moves with its person, and a service's address is the service's.
    if hop["event_id"] is None or not (made.is_address and used.is_address):
        return
    if made.text == used.text:
        if baseline is not None and "source_ip_address" in _telling(baseline.data)["new"]:
            return  # a stranger who made the session for himself
        yield Weight(
            "against",
            f"The session was made from the address it was used from, {short(used.text)}.",
            (hop["event_id"],),
            answer.name,
        )
    elif made.network != used.network:
        yield Weight(
            "for",
            f"The session was made from {short(made.text)} and used from {short(used.text)}.",
            (hop["event_id"],),
            answer.name,
        )


_NOT_ON_INSTANCES = frozenset({"macOS", "Kali Linux", "Parrot Linux", "Pentoo Linux"})
_OFFENSIVE = frozenset({"Kali Linux", "Parrot Linux", "Pentoo Linux"})


def _from_alert(alert: Alert, principal: Principal, own: tuple[str, ...]) -> Iterator[Weight]:
    name = "alert"
    if principal.type == "Root":
        yield Weight("for", "The root user acted: everyday work does not need it.", own, name)
    if alert.user_agent:
        agent = parse_user_agent(alert.user_agent)
        if agent.tool == "Stratus Red Team":
            yield Weight(
                "against",
                "The user agent names an attack simulation (Stratus Red Team): ask whether a test"
                " was planned. Anybody can write that name.",
                own,
                name,
            )
        elif agent.kind == "attack":
            yield Weight("for", f"The user agent names {agent.tool}.", own, name)
        elif agent.kind == "http":
            yield Weight(
                "for", f"Requests were signed by hand ({agent.tool}), not by an SDK.", own, name
            )
        if agent.os in _OFFENSIVE:
            yield Weight("for", f"The user agent names {agent.os}.", own, name)
    # "AWS Internal" is what every role switched to in the console shows, an attacker's too.
    if ip_facts(alert.source_ip_address).kind == "aws_service":
        yield Weight(
            "against",
            f"The call came from an AWS service ({short(alert.source_ip_address or '')}).",
            own,
            name,
        )
