"""What an enrichment returns (contract 3 of the design)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from alerts.alert import Alert, Principal
from enrich.count import Count
from enrich.data.found import Found
from trail.store import Query, Store

Status = Literal["answered", "partial", "nothing", "not_covered", "not_applicable", "failed"]
"""`nothing` (looked, and there is none), `not_covered` (no logs of that account or time),
`partial` (logs of some of the window) and `failed` (could not look) are never confused."""


@dataclass(frozen=True)
class Answer:
    """One question answered for one principal of one alert.

    `data` is of the question's own kind, whatever the status (`enrich.data`). `evidence` holds
    event ids. Sentence and caveats contain words from logs: render them as text, never as Markdown.
    """

    name: str
    question: str
    status: Status
    sentence: str
    data: Found
    evidence: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    elapsed_ms: float = 0.0
    counts: tuple[Count, ...] = ()
    """Every number of calls, days or the like that the sentence states."""


class Verbatim(str):
    """A value as it was logged, to be shown letter by letter."""


def verbatim(value: str | None) -> Verbatim | None:
    """The value as one that was logged; None where there is none."""
    return None if value is None else Verbatim(value)


Cell: TypeAlias = "str | int | None"
"""What stands in a table: words, a number, a `Verbatim` value."""


@dataclass(frozen=True)
class Listing:
    """What an answer found as a table: the heads of its columns, and its rows."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class ReportTable:
    """A list in the answer's JSON that a report shows as a table: its key there, and for each
    column the key in its rows and the head. Reports read kept documents, of any version.
    """

    key: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Bar:
    """Calls that a chart draws as one bar, the failed ones apart."""

    label: str
    key: str
    """What the label stands for, as logged."""
    calls: int
    failed: int


def _says_nothing(_: Found) -> None:
    return None


def _no_listing(_: Found) -> Listing:
    return Listing((), ())


def _no_bars(_: Found) -> Sequence[Bar]:
    return ()


@dataclass(frozen=True)
class Enrichment:
    """A question, with all that is said and shown of it. One file has it, and one line of
    `enrich.questions.every` asks it. `tests/an_example_question.py` is a complete one.

    `found`, `listing` and `bars` are given what `ask` puts into its answers' `data`.
    """

    name: str
    """Its key in the JSON, the database and addresses."""
    question: str
    """The title of its card, with a question mark."""
    ask: Callable[[Alert, Principal, Store], Answer]
    empty_data: Callable[[], Found]
    """The data of an answer that found nothing."""
    about: str = "a question"
    """What it is about, within a sentence: "the services used"."""
    short: str = "Other"
    """One word over a narrow column."""
    window: str = ""
    """The time that it looks at, in words."""
    found: Callable[[Any], str | None] = _says_nothing
    """What was found in a few words, where nothing of it speaks for or against anything."""
    listing: Callable[[Any], Listing] = _no_listing
    """What was found as a table, for tickets, and for a card that has no drawing of its own."""
    report: tuple[ReportTable, ...] = ()
    """Its tables in a report; the whole data as JSON where there are none."""
    bar: str = ""
    """What a bar of its card's chart stands for, in a word."""
    bars: Callable[[Any], Sequence[Bar]] = _no_bars
    """That chart; no bars, no chart."""
    milliseconds: int = 50
    """What it takes, about: the longest are asked first."""


_Kind = TypeVar("_Kind", bound=Found)


def data_among(answers: Iterable[Answer], kind: type[_Kind]) -> _Kind | None:
    """The data of that kind: one question's answer has it. None where nobody asked that."""
    return next((one.data for one in answers if isinstance(one.data, kind)), None)
