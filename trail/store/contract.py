"""What questions are asked through: what a `Store` gives, whatever engine is behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from trail.errors import SourceUnreadable
from trail.index.catalog import DayCoverage, Records
from trail.store.reread import RawRecord


@dataclass(frozen=True)
class Query:
    """One query as it was run: what an answer shows as its proof."""

    text: str
    parameters: Mapping[str, Any]
    elapsed_ms: float = 0.0
    rows: int = 0


@dataclass(frozen=True)
class QueryResult:
    """The rows (column name → value; times are aware UTC) and the query that found them."""

    rows: list[dict[str, Any]]
    query: Query


@dataclass(frozen=True)
class Coverage:
    """What the index holds of some accounts between two times.

    `days` are the UTC days with at least one event, `missing` those of the window without, `unread`
    those of which some records could not be taken for events.
    `status` is "covered", "partial" or "not_covered": whole days, since files have no finer end.
    """

    first: datetime
    last: datetime
    days: tuple[date, ...]
    missing: tuple[date, ...]
    events: int
    unread: tuple[date, ...] = ()

    @property
    def status(self) -> str:
        if not self.days:
            return "not_covered"
        return "partial" if self.missing or self.unread else "covered"


@dataclass(frozen=True)
class IndexSummary:
    """The whole index in one line: what `coverage` in the command line's JSON shows."""

    first: datetime | None
    last: datetime | None
    events: int
    accounts: tuple[str, ...] = field(default=())
    regions: tuple[str, ...] = field(default=())
    records: Records | None = None
    """What became of every record that was read; None where that is not known."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is indexed."""
        return self.events == 0

    @property
    def may_hold_repeats(self) -> bool:
        """Whether some record may have come more than once."""
        return self.records is None or self.records.repeated > 0


class Store(Protocol):
    """Where questions are asked. Every method is safe to call from several threads at once.

    `query` runs SQL over these relations, all with the columns of `trail.events.EVENT_SCHEMA` and
    those that say what counts as one call (`trail.calls.CALL_COLUMNS`):

    - `events`: every event, once per (event_id, recipient_account_id, event_name) and day, days
      `first`…`last` only;
    - `edges`: of those, the events of the two days of `first` and `last` alone;
    - `credentials`: the credential events of all days (`trail.events.is_credential_event`),
      without those that a correction or a twin stands for.

    Over `repeats`, with the columns of `trail.events.EVENT_SCHEMA`: the further records of one
    event id, account, API and day, which were set aside, days `first`…`last` only;

    and over `daily`, with the columns of `trail.events.DAILY_SCHEMA`: the events of each day,
    counted by identity, session, account, API, region, ip, agent, error code and call. Only whole
    days may come from it; the two edge days of a window are read from `edges`.

    SQL names the relation after `from` or `join`, and binds values as `$name`. `first` and `last`
    only prune the days that are read: the statement states its own exact bounds on `event_time`.
    A statement that reads `events` or `repeats` must give both. Times bound and returned are aware
    UTC.
    """

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        first: datetime | None = None,
        last: datetime | None = None,
    ) -> QueryResult:
        """The rows found. Raises `QueryFailed` with the engine's words."""
        ...

    def coverage(
        self, account_ids: Collection[str] | None, first: datetime, last: datetime
    ) -> Coverage:
        """What is indexed of these accounts (None: any) in the window."""
        ...

    def days_of(self, account_id: str | None, first: datetime, last: datetime) -> list[DayCoverage]:
        """What each day and Region has of an account (None: of any), by whole UTC days: how many
        events, the first and the last of them. Known without reading any.
        """
        ...

    def summary(self) -> IndexSummary:
        """What is indexed at all."""
        ...

    def version(self) -> str:
        """Changes whenever the index does: a cache key. `trail.index.index_version` tells which
        index it is of.
        """
        ...

    def raw_records(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Event id → the record's JSON text, re-read from its source file.

        Each is the record that was indexed, by its row or its file. Ids that are not indexed are
        absent. Raises `SourceUnreadable` when a source has gone, or changed so that it is not.
        """
        ...

    def read_again(self, event_ids: Sequence[str]) -> dict[str, RawRecord | SourceUnreadable]:
        """Event id → the record with how it was checked, or why it cannot be had. Where its source
        file is gone or has changed, another that the index knows of the same bytes is read."""
        ...
