"""The order of what an identity did, where it is that of a break-in: it looked around, was denied,
changed permissions, and then succeeded. Events alone tell it, and only where all four are there and
are about one thing: the call that was denied is the call that succeeds, on what it named before,
and the change is of the identity itself or of what that call names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import COUNTED
from enrich.data.after import Course, Stage
from enrich.entity import by_identity_id, entity_match, role_name_of
from enrich.facts.error_classes import error_class
from enrich.facts.targets import Target, targets_of
from enrich.facts.techniques import high_signal, plain_name, sensitive_read
from enrich.window import NO_ONE, has_no_window, iso
from enrich.words import listed, short
from trail.counted import counted
from trail.store import Query, Store

AROUND = timedelta(hours=24)
"""Before and after the alert."""
MOST = 5_000
"""Calls that are read, the earliest first: what stands after them is not told."""
GAP = timedelta(hours=1)
"""So long without a call ends a stretch of looking around."""
LEAST_LOOKS = 3
"""Fewer calls that look are what everybody makes."""
SHOWN_IDS = 50
MOST_CHANGES = 100
"""Calls that change permissions that are tried as the third step, those on itself first."""
_ITSELF = "on itself"
_LOOKS = re.compile(r"(?:List|Describe|Get|Head|Search|Lookup|BatchGet|Simulate)")
_PERMISSIONS = frozenset({"AddUserToGroup", "UpdateAssumeRolePolicy"})
"""Calls that change permissions and that the table of techniques has under persistence."""
_CHANGED = frozenset({"user", "role", "policy"})
_IAM = ("iam.amazonaws.com", "sts.amazonaws.com")
_DENIED_ON = re.compile(
    r'on resource: "?(?:(?P<arn>arn:aws[a-z-]*:iam::\d{12}:(?P<kind>user|role|policy)/[\w+=,.@/-]+)'
    r"|(?P<of>user|role|policy) (?P<name>[\w+=,.@/-]+))",
    re.ASCII,
)
_CLEARS = frozenset({"DeleteRolePolicy"})
"""Takes rights away as well as limits."""
Row = Mapping[str, Any]


def find_course(
    alert: Alert, principal: Principal, store: Store
) -> tuple[Course, tuple[Query, ...]]:
    """The order from a day before the alert to a day after it, and the query behind it."""
    without = has_no_window(alert)
    match = None if without else entity_match(alert, principal)
    if match is None:
        return Course(sentence=without[1] if without else NO_ONE), ()
    assert alert.first_seen is not None
    seen = max(alert.last_seen or alert.first_seen, alert.first_seen)
    first, last = alert.first_seen - AROUND, seen + AROUND
    whose, queries = by_identity_id(match, store, first, last)
    found = store.query(
        f"""
        select event_id, event_time, event_source, event_name, error_code, error_message, failed,
          recipient_account_id, request_parameters
        from events
        where event_time >= $window_first and event_time <= $window_last and {whose.sql}
          and {COUNTED}
        order by event_time, event_id limit {MOST}
        """,
        {**whose.parameters, "window_first": first, "window_last": last},
        first=first,
        last=last,
    )
    course = course_of(found.rows, principal)
    looked = Course(window_first=iso(first), window_last=iso(last))
    queries = (*queries, found.query)
    if course is None:
        said = (
            "No order of looking around, being denied, changing permissions and succeeding that is"
            " about one thing."
        )
        return structs.replace(looked, status="nothing", sentence=said), queries
    stages, sentence = course
    told = structs.replace(looked, status="answered", sentence=sentence, stages=stages)
    return told, queries


def course_of(rows: Sequence[Row], principal: Principal) -> tuple[tuple[Stage, ...], str] | None:
    """The four stages and the line that tells them, of rows in their order; None where one of them
    is not there, not in its place, or about another thing. What is of one second has no order.

    A call that had been denied and succeeds is told before one that had not been tried, and of
    those a change that no further denial follows, then permissions that it changed for itself.
    """
    places = [place for place, row in enumerate(rows) if _escalates(row)]
    on_itself = [place for place in places if _on(rows[place], principal) == _ITSELF]
    tried = list(dict.fromkeys((*on_itself, *places)))[:MOST_CHANGES]
    calls = _by_what(rows, principal)
    found = [one for place in tried for one in _let_in(rows, place, calls, principal)]
    if found:
        best = min(found, key=lambda one: (len(one.denied_after), not one.on_itself))
        return best.stages(), best.line(principal)
    others = (_went_on(rows, place) for place in on_itself[:MOST_CHANGES])
    weaker = next((one for one in others if one is not None), None)
    return None if weaker is None else (weaker.stages(), weaker.line(principal))


@dataclass(frozen=True)
class _Order:
    """The rows of an order; `was_denied` is that the last is what had been denied."""

    looks: Sequence[Row]
    denials: Sequence[Row]
    changed: Row
    done: Row
    was_denied: bool
    on_itself: bool = True
    denied_after: Sequence[Row] = ()

    def stages(self) -> tuple[Stage, ...]:
        return (
            _stage("looked around", self.looks),
            _stage("denied", self.denials),
            _stage("escalated", [self.changed]),
            _stage("succeeded", [self.done]),
        )

    def line(self, principal: Principal) -> str:
        day = self.looks[0]["event_time"]
        many = len(self.denials)
        refused = "denied once, at" if many == 1 else f"denied {counted(many, 'time')} until"
        refused += f" {_clock(self.denials[-1], day)}"
        if self.was_denied:
            refused = f"{_what(self.done)} {refused}"
            end = ", which had been denied."
        else:
            names = dict.fromkeys(_name(one) for one in self.denials)
            refused += f" ({listed(names, at_most=4)})"
            end = (
                ", which was not tried before in the time looked at. That the change allowed it is"
                " in no event."
            )
        again = ""
        if after := len(self.denied_after):
            again = f", denied {'once' if after == 1 else counted(after, 'time')} more"
        return (
            f"Looked around from {day:%Y-%m-%d %H:%M:%S} ({counted(len(self.looks), 'call')} that"
            f" only looked), {refused}, {_name(self.changed)} {_clock(self.changed, day)}"
            f" {_on(self.changed, principal)}{again}, then {_name(self.done)}"
            f" {_clock(self.done, day)}{end}"
        )


_Named = tuple[str, str | None, str]
"""Kind, account and name of what a call names; IAM's names are one whatever their case."""
_What = tuple[Any, str, frozenset[_Named]]
"""A call and what it names; of a call that names nothing, the call alone."""


def _by_what(rows: Sequence[Row], principal: Principal) -> Mapping[_What, Sequence[Row]]:
    """The rows of every call that was denied at least once, by what was called on what."""
    denied: dict[_What, bool] = {}
    for row in rows:
        if _is_denied(row):
            denied[(*_api(row), _named(row, principal))] = not row["request_parameters"]
    apis = {(source, name) for source, name, _ in denied}
    by_message = [what for what, is_so in denied.items() if is_so and what[2]]
    found: dict[_What, list[Row]] = defaultdict(list)
    for row in rows:
        if (api := _api(row)) not in apis:
            continue
        named = _named(row, principal)
        if (*api, named) in denied:
            found[*api, named].append(row)
        for what in by_message:  # a message names one thing, where the request may name more
            if what[:2] == api and what[2] < named:
                found[what].append(row)
    return found


def _let_in(
    rows: Sequence[Row], place: int, calls: Mapping[_What, Sequence[Row]], principal: Principal
) -> Iterator[_Order]:
    """Each order in which what was denied before this change succeeds after it."""
    changed = rows[place]
    at = changed["event_time"]
    on_itself = _on(changed, principal) == _ITSELF
    before = _stretch_before(rows, place)
    for (_, _, named), every in calls.items():
        about = {one for one in _named(changed, principal) if one[0] in _CHANGED}
        if not on_itself and not about & named:
            continue
        done = next((one for one in every if not one["failed"] and one["event_time"] > at), None)
        if done is None:
            continue
        had = max(
            (one["event_time"] for one in every if not one["failed"] and one["event_time"] <= at),
            default=None,
        )
        denied = [one for one in every if _is_denied(one)]
        start = before[0]["event_time"] if before else at
        denials = [
            one
            for one in denied
            if start <= one["event_time"] < at and (had is None or one["event_time"] > had)
        ]
        looks = _looks_before(before, denials)
        if had == at or not denials or looks is None:
            continue
        after = [one for one in denied if at <= one["event_time"] < done["event_time"]]
        yield _Order(looks, denials, changed, done, True, on_itself, after)


def _went_on(rows: Sequence[Row], place: int) -> _Order | None:
    """The weaker order: after it changed its own permissions it made a call with weight that it had
    not tried."""
    changed = rows[place]
    before = _stretch_before(rows, place)
    denials = [one for one in before if _is_denied(one)]
    looks = _looks_before(before, denials)
    if looks is None:
        return None
    at = changed["event_time"]
    tried = {_api(one) for one in rows if one["event_time"] <= at}
    for one in rows[place + 1 :]:
        if one["event_time"] > at and _api(one) not in tried:
            if not one["failed"] and _matters(one):
                return _Order(looks, denials, changed, one, False)
            tried.add(_api(one))
    return None


def _looks_before(before: Sequence[Row], denials: Sequence[Row]) -> list[Row] | None:
    """What looked around before the first denial; None where that is hardly anything."""
    if not denials:
        return None
    first = denials[0]["event_time"]
    looks = [one for one in before if not one["failed"] and _looks(one)]
    looks = [one for one in looks if one["event_time"] < first]
    return looks if len(looks) >= LEAST_LOOKS else None


def _stretch_before(rows: Sequence[Row], place: int) -> list[Row]:
    """What was called before, back to the first pause."""
    at = rows[place]["event_time"]
    start, since = place, at
    while start > 0 and since - rows[start - 1]["event_time"] <= GAP:
        start -= 1
        since = rows[start]["event_time"]
    return [one for one in rows[start:place] if one["event_time"] < at]


def _targets(row: Row) -> tuple[Target, ...]:
    """What the request names; of a denied call without one, what the message says it was on."""
    found = targets_of(row["event_source"], row["request_parameters"])
    if not found and row["failed"] and (on := _DENIED_ON.search(row["error_message"] or "")):
        return (Target(on["kind"] or on["of"], on["arn"] or on["name"]),)
    return found


def _named(row: Row, principal: Principal) -> frozenset[_Named]:
    """The same to be compared. IAM takes the caller's own user where none is named."""
    found: set[_Named] = set()
    account = row["recipient_account_id"]
    for one in _targets(row):
        part = one.name.split(":", 5)
        if len(part) == 6 and part[2] == "iam":
            found.add((one.kind, part[4], _bare(one.name)))
        elif row["event_source"] in _IAM:
            found.add((one.kind, account, _bare(one.name)))
        else:
            found.add((one.kind, None, one.name))
    if row["event_source"] in _IAM and principal.user_name:
        found.discard(("user", account, _bare(principal.user_name)))
    return frozenset(found)


def _bare(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _what(row: Row) -> str:
    """The call and the first thing that it names: "AssumeRole (role reader)"."""
    of = next(iter(_targets(row)), None)
    if of is None:
        return _name(row)
    is_arn = of.name.startswith("arn:")
    return f"{_name(row)} ({of.kind} {short(of.name.rpartition('/')[2] if is_arn else of.name)})"


def _on(row: Row, principal: Principal) -> str:
    """On whom permissions were changed: "on itself", "on user bob"."""
    targets = _targets(row)
    of = next((one for one in targets if one.kind in ("user", "role", "group")), None)
    if of is None:
        return f"on {short(targets[0].name)}" if targets else "on what the record does not name"
    own = {"user": principal.user_name, "role": role_name_of(principal)}.get(of.kind)
    if own is not None and own.casefold() == of.name.casefold():
        return _ITSELF
    return f"on {of.kind} {short(of.name)}"


def _clock(row: Row, day: datetime) -> str:
    at: datetime = row["event_time"]
    return f"{at:%H:%M:%S}" if at.date() == day.date() else f"{at:%Y-%m-%d %H:%M:%S}"


def _name(row: Row) -> str:
    return short(plain_name(str(row["event_name"])))


def _stage(kind: Any, rows: Sequence[Row]) -> Stage:
    return Stage(
        kind=kind,
        count=len(rows),
        first=iso(rows[0]["event_time"]),
        last=iso(rows[-1]["event_time"]),
        event_name=plain_name(str(rows[0]["event_name"])) if len(rows) == 1 else None,
        event_ids=tuple(row["event_id"] for row in rows[:SHOWN_IDS]),
    )


def _api(row: Row) -> tuple[Any, str]:
    return row["event_source"], plain_name(str(row["event_name"]))


def _looks(row: Row) -> bool:
    return _LOOKS.match(str(row["event_name"])) is not None


def _is_denied(row: Row) -> bool:
    return bool(row["failed"]) and (
        error_class(row["error_code"], row["error_message"]) == "denied"
    )


def _escalates(row: Row) -> bool:
    name = plain_name(str(row["event_name"]))
    if row["failed"] or row["event_source"] != "iam.amazonaws.com" or name in _CLEARS:
        return False
    signal = high_signal(row["event_source"], name)
    return name in _PERMISSIONS or (signal is not None and signal.kind == "privilege escalation")


def _matters(row: Row) -> bool:
    source, name = row["event_source"], str(row["event_name"])
    if _escalates(row):
        return False
    return high_signal(source, name) is not None or sensitive_read(source, name) is not None
