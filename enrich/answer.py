"""What an enrichment returns (contract 3 of the design)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

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


@dataclass(frozen=True)
class Enrichment:
    """A question: `name` keys the JSON, `question` titles the card, `empty_data` makes the data of
    an answer that found nothing.
    """

    name: str
    question: str
    ask: Callable[[Alert, Principal, Store], Answer]
    empty_data: Callable[[], Found]


_Kind = TypeVar("_Kind", bound=Found)


def data_among(answers: Iterable[Answer], kind: type[_Kind]) -> _Kind | None:
    """The data of that kind: one question's answer has it. None where nobody asked that."""
    return next((one.data for one in answers if isinstance(one.data, kind)), None)
