"""The parts of a weighing: its lines, and the answers that they are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, TypeVar

from alerts.alert import Alert, Principal
from enrich.answer import Answer, data_among
from enrich.calls.calls_sql import midnight
from enrich.calls.own_events import stated_events
from enrich.count import Cited, Count, Events, Whose
from enrich.data.baseline import Baseline, BaselineView, OwnEvent
from enrich.data.found import Found, InWindow

Side = Literal["for", "against"]
_Kind = TypeVar("_Kind", bound=Found)
CITED = 5
"""How many event ids a line carries at most."""
SURE = ("certain", "high")
"""The confidences of a hop that evidence may rest on: the others are guesses."""


@dataclass(frozen=True)
class Weight:
    """One line: its kind, which side it is on, what it says, whose answer it is from, and what it
    rests on, the numbers that it states among them.
    """

    kind: str
    side: Side
    sentence: str
    answer: str
    rests_on: tuple[Cited, ...]

    @property
    def rests_on_the_alert(self) -> bool:
        """Whether it speaks of the alert's own call, be that indexed or not."""
        return any(cited.of.whose == "alert" for cited in self.rests_on)

    @property
    def event_ids(self) -> tuple[str, ...]:
        """A few events behind it, of each thing that it says."""
        groups = [cited.event_ids for cited in self.rests_on if cited.event_ids]
        of_each = max(1, CITED // max(1, len(groups)))
        some = [one for group in groups for one in group[:of_each]]
        rest = [one for group in groups for one in group[of_each:]]
        return tuple(dict.fromkeys([*some, *rest]))[:CITED]

    @property
    def counts(self) -> tuple[Count, ...]:
        return tuple(one for one in self.rests_on if isinstance(one, Count))


@dataclass(frozen=True)
class NotWeighed:
    """An answer that says too little for either side, and why."""

    answer: str
    question: str
    why: str


def not_weighed_words(answers: Sequence[NotWeighed]) -> list[str]:
    """Why answers were not weighed, each reason once behind all of its questions."""
    questions: dict[str, list[str]] = {}
    for one in answers:
        questions.setdefault(one.why, []).append(one.question)
    return [f"{' '.join(asked)} {why}" for why, asked in questions.items()]


@dataclass(frozen=True)
class Weighing:
    """The lines of either side, and the answers that could not be weighed, or only in part."""

    for_: tuple[Weight, ...] = ()
    against: tuple[Weight, ...] = ()
    not_weighed: tuple[NotWeighed, ...] = ()

    @property
    def lines(self) -> tuple[Weight, ...]:
        """All lines, those for a true positive first."""
        return (*self.for_, *self.against)

    @property
    def strongest(self) -> Weight | None:
        """The line to read first: of those for a true positive if there are any."""
        return next(iter(self.lines), None)


@dataclass(frozen=True)
class Answers:
    """An alert, one of its principals, and what was answered about it."""

    alert: Alert
    principal: Principal
    by_name: Mapping[str, Answer]

    def found(self, kind: type[_Kind]) -> _Kind | None:
        """What the answer with that kind of data found, if it looked at any logs."""
        return data_among(
            (answer for answer in self.by_name.values() if answer.status in _LOOKED), kind
        )

    def complete(self, name: str) -> bool:
        """Whether the answer had all its logs, and they are of one identity: else nothing in it
        speaks against."""
        answer = self.by_name.get(name)
        if answer is None or answer.status != "answered":
            return False
        return not (isinstance(answer.data, InWindow) and answer.data.namesakes)

    @cached_property
    def own(self) -> tuple[OwnEvent, ...]:
        """The alert's own events."""
        baseline = data_among(self.by_name.values(), Baseline)
        known = baseline.own_events if baseline is not None else ()
        return known or stated_events(self.alert)

    @property
    def lacks_own_call(self) -> bool:
        """Whether the alert states a call that is not among the logs that were looked at: then the
        alert alone says that it was made. Of several principals only one made it."""
        alone = len(self.alert.principals) == 1
        return alone and self.alert.event_name is not None and not self.own

    def own_with(self, **columns: str | bool | None) -> Cited:
        """The alert's own events, each of which has these values."""
        ids = tuple(event.event_id for event in self.own)
        return Cited(Events("alert").where(**columns), ids)

    @property
    def alert_day(self) -> str:
        """The UTC day on which the alert's window opens."""
        assert self.alert.first_seen is not None
        return f"{midnight(self.alert.first_seen).date()}"

    @property
    def history(self) -> BaselineView:
        """The view that the baseline's sentence rests on; empty without a baseline."""
        baseline = self.found(Baseline)
        return BaselineView() if baseline is None else baseline.telling

    @property
    def intruder_may_be_in_history(self) -> bool:
        """Whether the session or its address is older than the baseline's gap, and what came before
        it does not clear it.
        """
        baseline = self.found(Baseline)
        dwell = None if baseline is None else baseline.before_dwell
        return dwell is not None and (not dwell.sufficient or bool(dwell.new))


_LOOKED = ("answered", "partial", "nothing")

STRONGEST_FIRST = (
    "left_instance",
    "content_grave",
    "destruction",
    "bulk_read",
    "content",
    "high_signal_call",
    "secrets_read_beyond_usual",
    "secrets_read",
    "denied_assumptions",
    "role_enumeration",
    "permission_probing",
    "root",
    "telling_client",
    "telling_system",
    "used_elsewhere",
    "role_juggling",
    "assumed_from_a_new_address",
    "new_before_dwell",
    "new_roles",
    "new_service",
    "new_event_name",
    "new_outcome",
    "new_source_ip_address",
    "new_network",
    "new_user_agent",
    "new_event_source",
    "new_aws_region",
    "new_error_code",
    "new_hour_of_day",
)
"""Kinds of lines for a true positive: what was done before what is merely new, and what few
benign sessions do before what many do. A judgement, not a measure; those not named come last.
"""


def by_strength(lines: Iterable[Weight]) -> tuple[Weight, ...]:
    """Strongest kinds first; of one kind in their order."""
    place = {kind: number for number, kind in enumerate(STRONGEST_FIRST)}
    return tuple(sorted(lines, key=lambda line: place.get(line.kind, len(place))))


def events_in(data: InWindow, whose: Whose, *, open_end: bool = False) -> Events:
    """The events of the window that an answer looked at."""
    assert data.window_first is not None
    assert data.window_last is not None
    first, last = map(datetime.fromisoformat, (data.window_first, data.window_last))
    return Events(whose, first, last, open_end=open_end)


def ids(of_rows: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The event ids of some rows, of each row one before the second of any."""
    lists = [*of_rows]
    longest = max(map(len, lists), default=0)
    return tuple(
        dict.fromkeys(one[place] for place in range(longest) for one in lists if len(one) > place)
    )
