"""What counts as one call: the rules, and the columns that tell them.

Most records are a call each. These are not:

- Copies of one call in two accounts share `sharedEventID` (§0, fact 8).
- One event id may come with times on two days, out of an exporter that rewrote them. Nobody knows
  which is right, so both are kept, and count once among whatever a question looks at.
- A correction (`addendum` with reason UPDATED_DATA, §1.1) counts in place of the record that its
  `originalEventID` names. Of several corrections of one record the last counts.
- A network activity record counts with the record of the same call that the service made, where
  account, request id, service and API all agree. That both records of a call share these is
  assumed: AWS does not document it. Without such a twin it counts by itself.

The relations `events`, `edges` and `credentials` say so in three columns beside those of the event
table: records with one `call_id` count once together (null: none is shared); a record counts not
at all where `replaced` says why (`CORRECTED`, `NETWORK_TWIN`), and `replaced_by` is the event id of
the one that counts instead. `daily` has `call_id` and `replaced`. Of `credentials` replaced records
are left out: what was corrected proves nothing.

What follows from a record alone is a column of the event table (`shared_event_id`,
`original_event_id`). What follows from two records, which may come in any order, in any file and
on two days, is found when they come (`trail.index.same_calls`) and kept beside the rollups, by week.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from trail.access_keys import STAND_INS

_MASKS = ", ".join(f"'{word}'" for word in sorted(STAND_INS))
SHARED_EVENT_ID = (
    "case when not contains(shared_event_id, '*')"
    f" and lower(shared_event_id) not in ({_MASKS}) then shared_event_id end"
)
"""The `sharedEventID` of a row; null where it was masked, which all records of an export share."""

CALL_COLUMNS = ("call_id", "replaced", "replaced_by")
CORRECTED = "corrected"
NETWORK_TWIN = "network activity"

CALLS_SCHEMA = pa.schema(
    [
        # The record that is spoken of.
        ("day", pa.date32()),
        ("event_id", pa.string()),
        ("recipient_account_id", pa.string()),
        ("identity_id", pa.string()),
        ("is_credential", pa.bool_()),
        # What is said of it.
        ("call_id", pa.string()),
        ("replaced", pa.string()),
        ("replaced_by", pa.string()),
        ("other_day", pa.date32()),  # of the record that it shares the call with
        ("corrects", pa.string()),  # a correction: the id of the record that it corrects
        ("event_time", pa.timestamp("us")),  # of a correction
    ]
)
"""Rows about records that do not count by themselves, several about one record at times; and one
about each correction, so that its original is known when it comes later."""


def with_calls(source: str, told: str | None, columns: Iterable[str] = (), where: str = "") -> str:
    """A select of the rows of `source` with some `columns` (none: all) and of `CALL_COLUMNS` those
    among them. `told` is a relation of `CALLS_SCHEMA` about rows of the source, None where nothing
    is known of any.
    """
    names = tuple(columns) or ("*", *CALL_COLUMNS)
    if told is None:
        known = {
            "call_id": f"{SHARED_EVENT_ID} as call_id",
            "replaced": "cast(null as varchar) as replaced",
            "replaced_by": "cast(null as varchar) as replaced_by",
        }
        return f"select {', '.join(known.get(name, name) for name in names)} from {source}{where}"
    known = {"call_id": f"coalesce({SHARED_EVENT_ID}, told.call_id) as call_id"}
    listed = (
        known.get(name, f"told.{name}" if name in CALL_COLUMNS else f"e.{name}") for name in names
    )
    return f"""select {", ".join(listed)} from (select * from {source}{where}) as e left join (
            select day, event_id, recipient_account_id,
                coalesce(max(call_id) filter (where corrects is not null), max(call_id)) as call_id,
                min(replaced) as replaced, min_by(replaced_by, replaced) as replaced_by
            from {told} where call_id is not null or replaced is not null
            group by day, event_id, recipient_account_id
        ) as told on told.event_id = e.event_id and told.day = cast(e.event_time as date)
            and told.recipient_account_id is not distinct from e.recipient_account_id"""
