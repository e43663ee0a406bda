"""Backtrail's errors.

BacktrailError                what happened, and what to do next, in one sentence each
├── IndexMissing              there is no index at that folder yet
├── IndexGone                 there was one when it was opened, and it is not there any more
├── IndexUnreadable           the index is damaged, or written by another schema version
├── IndexBusy                 another build holds the index's write lock
├── IndexFull                 the disk ran out; what was published before is intact
├── SourceUnreadable          a file, or the raw record inside it, cannot be read
├── QueryFailed               the engine refused or gave up on a query
│   └── QueryTimedOut         it was stopped at its limit of time
├── AlertUnrecognised         the pasted text holds no alert that we know (raised by `alerts`)
└── CorrectionRefused         an analyst's correction of an alert makes no sense (in `alerts`)

The command line prints the message alone; the dashboard shows it in a card. A bad *record*
is not an error: it is a counted reject with its file and position (see `trail.index.catalog`).
"""

from __future__ import annotations


class BacktrailError(Exception):
    """Something the user can act on: `str(error)` says what happened and what to do next."""


class IndexMissing(BacktrailError):
    """No index at the given folder."""


class IndexGone(BacktrailError):
    """The index that was open is not at its folder any more."""


class IndexUnreadable(BacktrailError):
    """The index exists and cannot be used as it is."""


class IndexBusy(BacktrailError):
    """Another process is building this index."""


class IndexFull(BacktrailError):
    """No space left for the index's files."""


class SourceUnreadable(BacktrailError):
    """A source file, or a record inside it, cannot be read (any more)."""


class QueryFailed(BacktrailError):
    """The engine refused or stopped a query."""


class QueryTimedOut(QueryFailed):
    """The query was stopped at its limit of time: nothing is wrong with the index."""


class AlertUnrecognised(BacktrailError):
    """No alert was found in the given text."""
