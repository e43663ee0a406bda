"""What the comparison with the two weeks before says on either side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from enrich.count import Cited, Count
from enrich.data.baseline import Baseline, BaselineView, BeforeDwell, Oddity
from enrich.entity import ROLE_TYPES
from enrich.facts.ip import ip_facts
from enrich.facts.techniques import plain_name
from enrich.questions.baseline import history_counts, same_call_counts, value_in_words
from enrich.verdict.weight import Answers, Weight, events_in
from enrich.words import listed, short
from trail.counted import times

USUAL = 10
"""From so many equal calls in the baseline on, the alert's call is usual."""
_NAME = "baseline"

_TOLD = {
    "source_ip_address": "source IP {}",
    "user_agent": "user agent {}",
    "event_name": "call {}",
    "event_source": "service {}",
    "aws_region": "region {}",
}
_COMPARED = {
    "source_ip_address": "source IP",
    "user_agent": "user agent",
    "event_name": "call",
    "event_source": "service",
    "aws_region": "region",
}


def from_baseline(known: Answers) -> Iterator[Weight]:
    data, view = known.found(Baseline), known.history
    if data is None or not view.sufficient:
        return
    on_role = data.scope == "whole_role"
    seen = events_in(data, data.scope, open_end=True)
    calls, days = history_counts(view, seen)
    who = "the whole role" if on_role else "this identity"
    if not on_role and known.principal.type in ROLE_TYPES:
        who = "this session name or source IP"
    span = "the 14 days before"
    if not known.complete(_NAME):
        span = f"the indexed part of {span}"
    history = f"{calls} on {days} by {who} in {span}"
    yield from _what_is_new(known, view, data, history, (calls, days))
    for odd in data.unusual:
        if (line := _odd(known, data, odd, f"by {who} in {span}")) is not None:
            yield line
    yield from _before_dwell(known, data.before_dwell)
    if not known.complete(_NAME) or known.intruder_may_be_in_history:
        return
    of_call = same_call_counts(known.alert, view, seen)
    # That it was tried as often before does not make the first success usual.
    if all(odd.what != "outcome" for odd in data.unusual):
        yield from _usual(known, of_call, span)
    yield from _nothing_new(known, view, data, of_call, history, (calls, days))


def _what_is_new(
    known: Answers,
    view: BaselineView,
    data: Baseline,
    history: str,
    counts: tuple[Count, ...],
) -> Iterator[Weight]:
    for field in view.new:
        if field == "event_name" and "event_source" in view.new:
            continue  # a new service makes its call new as well
        if field == "user_agent" and data.pairs_cut:
            continue  # it may be among the pairs that were not compared
        what = _TOLD[field].format(short(value_in_words(known.alert, field)))
        yield Weight(
            f"new_{field}",
            "for",
            f"The {what} is not among {history}.",
            _NAME,
            (known.own_with(**_own_value(known, field)), *counts),
        )


def _own_value(known: Answers, field: str) -> dict[str, str | None]:
    alert = known.alert
    if field == "event_name":
        return {"api": plain_name(alert.event_name or "")}
    return {field: alert.region if field == "aws_region" else getattr(alert, field)}


def _odd(known: Answers, data: Baseline, odd: Oddity, by_whom: str) -> Weight | None:
    value = odd.value
    if isinstance(value, int):  # the hour of the day
        own = known.own_with(hour=f"{value:02}")
        at = [e for e in known.own if datetime.fromisoformat(e.event_time).hour == value]
        own = Cited(own.of, tuple(event.event_id for event in at))
        first, last = (value - 1) % 24, (value + 1) % 24
        said = f"No call between {first:02}:00 and {last:02}:59 UTC {by_whom}."
    elif odd.what == "outcome":
        api = plain_name(known.alert.event_name or "")
        own = known.own_with(api=api)
        said = f"Every earlier call of {short(api)} {by_whom} failed, and the alert's did not."
    elif odd.what == "network":
        own = known.own_with(source_ip_address=known.alert.source_ip_address)
        if data.pairs_cut:
            return None
        said = f"No call from the network {short(value)} {by_whom}."
    else:
        own = known.own_with(error_code=value)
        said = f"No call failed with {short(value)} {by_whom}."
    return Weight(f"new_{odd.what}", "for", said, _NAME, (own,))


def _before_dwell(known: Answers, dwell: BeforeDwell | None) -> Iterator[Weight]:
    """An intruder who is older than the baseline's gap makes himself look normal."""
    if dwell is None or not dwell.sufficient:
        return
    # That an address was not seen before it was first seen is no finding.
    by_address = dwell.reason.startswith("the source IP")
    new = [field for field in dwell.new if not (by_address and field == "source_ip_address")]
    if new:
        own = {name: v for field in new for name, v in _own_value(known, field).items()}
        yield Weight(
            "new_before_dwell",
            "for",
            f"Before {dwell.until} ({dwell.reason}) not seen:"
            f" {listed(_COMPARED[field] for field in new)}. The baseline may hold the intruder's"
            " own calls.",
            _NAME,
            (known.own_with(**own),),
        )


def _usual(known: Answers, of_call: Mapping[str, Count], span: str) -> Iterator[Weight]:
    how, usual = "from this IP with this user agent", of_call.get("same_ip_and_agent")
    if usual is None:
        how, usual = "from this IP", of_call.get("same_ip")
    # What has no address of its own ("AWS Internal", a service) is shared by all callers.
    if usual is None or not ip_facts(known.alert.source_ip_address).is_address:
        return
    if usual.number >= USUAL:
        yield Weight(
            "usual_call",
            "against",
            f"The same call came {times(usual.number)} {how} in {span}.",
            _NAME,
            (usual,),
        )


def _nothing_new(
    known: Answers,
    view: BaselineView,
    data: Baseline,
    of_call: Mapping[str, Count],
    history: str,
    counts: tuple[Count, ...],
) -> Iterator[Weight]:
    """Only where the call and the address could be compared: the rest is common to many."""
    compared = [name for name in _COMPARED if name in view.seen]
    telling = {"source_ip_address", "event_name"} <= {*compared}
    telling = telling and ip_facts(known.alert.source_ip_address).is_address
    if not telling or view.new or data.unusual:
        return
    # The newest calls like the alert's: each is one of those that it was compared with.
    yield Weight(
        "nothing_new",
        "against",
        f"Nothing about the alert is new ({listed(_COMPARED[name] for name in compared)}) against"
        f" {history}.",
        _NAME,
        (*counts, Cited(of_call["events"].of, of_call["events"].event_ids)),
    )
