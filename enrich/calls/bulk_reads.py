"""Objects that were read in bulk: how many, from which bucket, how many bytes, in what time.

S3 says what it sent in `additionalEventData.bytesTransferredOut` (S3 User Guide, "CloudTrail log
file entries"). Keys and buckets are the caller's text: quotes in them are escaped in the JSON text,
so that a pattern beginning with a bare quote meets the field alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from enrich.calls.calls_sql import COUNTED, calls
from enrich.data.interesting_calls import BulkRead, CallGroup
from enrich.entity import Match
from enrich.window import Window, iso
from trail.store import Query, Store

MANY = 100
"""Reads that are many: a person looking around makes fewer."""
TOO_MANY = 200_000
"""Of more, no record is read for this: it would take seconds, and they are an application's."""
BUCKETS = 5
OF_EACH = 5

_BUCKET = r"""regexp_extract(coalesce(request_parameters, ''), '"bucketName": ?"([^"\\]*)"', 1)"""
_BYTES = r"""try_cast(nullif(regexp_extract(coalesce(additional_event_data, ''),
    '"bytesTransferredOut": ?"?([0-9.]+)', 1), '') as double)"""


def is_bulk(row: CallGroup) -> bool:
    """Whether a row is of so many successful reads of objects."""
    read = (row.event_source, row.event_name) == ("s3.amazonaws.com", "GetObject")
    return read and MANY <= row.count - row.failed <= TOO_MANY


def find_bulk_reads(
    match: Match, store: Store, window: Window, rows: Sequence[CallGroup]
) -> tuple[tuple[BulkRead, ...], tuple[Query, ...]]:
    """The buckets of which `MANY` objects and more were read, where the rows have so many reads."""
    if not any(map(is_bulk, rows)):
        return (), ()
    found = store.query(
        f"""
        select {_BUCKET} as bucket, {calls()} as calls, sum({_BYTES}) as bytes,
            min(event_time) as first, max(event_time) as last,
            arg_max(event_id, event_time, {OF_EACH}) as event_ids
        from events
        where event_time >= $window_first and event_time <= $window_last and {match.sql}
          and {COUNTED} and event_source = 's3.amazonaws.com' and event_name = 'GetObject'
          and not failed
        group by 1
        order by 2 desc, 1
        limit {BUCKETS}
        """,
        {**match.parameters, "window_first": window.first, "window_last": window.last},
        first=window.first,
        last=window.last,
    )
    many = (row for row in found.rows if row["calls"] >= MANY)
    return tuple(
        BulkRead(
            bucket=row["bucket"] or "",
            count=row["calls"],
            size=None if row["bytes"] is None else int(row["bytes"]),
            first=iso(row["first"]),
            last=iso(row["last"]),
            event_ids=tuple(row["event_ids"]),
        )
        for row in many
    ), (found.query,)
