"""What an enrichment returns (contract 3 of the design)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alerts.alert import Alert, Principal
from enrich.count import Count
from trail.store import Query, Store

Status = Literal["answered", "partial", "nothing", "not_covered", "not_applicable", "failed"]
"""`nothing` (looked, and there is none), `not_covered` (no logs of that account or time),
`partial` (logs of some of the window) and `failed` (could not look) are never confused."""


@dataclass(frozen=True)
class Answer:
    """One question answered for one principal of one alert.

    `data` keeps its documented keys whatever the status. `evidence` holds event ids. Its
    sentence and caveats contain words from logs: render them as text, never as Markdown.
    """

    name: str
    question: str
    status: Status
    sentence: str
    data: Mapping[str, Any]
    evidence: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    elapsed_ms: float = 0.0
    counts: tuple[Count, ...] = ()
    """Every number of calls, days or the like that the sentence states."""


@dataclass(frozen=True)
class Enrichment:
    """A question: `name` keys the JSON, `question` titles the card, `empty_data` the no-answer."""

    name: str
    question: str
    ask: Callable[[Alert, Principal, Store], Answer]
    empty_data: Callable[[], Mapping[str, Any]]
