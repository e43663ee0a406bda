"""Rows that sum up several events and are none themselves.

Kibana's threshold alerts have what their events share in `kibana.alert.threshold_result.terms`;
Splunk's own detections end in `stats`, with `firstTime` and `lastTime` and the names of its data
model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trail.read.place import plain_name

_RESULTS = (("kibana", "alert", "threshold_result"), ("signal", "threshold_result"))
_OF_SPLUNK = {
    "signature": "eventName", "dest": "eventSource", "src": "sourceIPAddress",
    "vendor_account": "recipientAccountId", "vendor_region": "awsRegion",
    "user": "userIdentity.userName",
}  # fmt: skip
"""Splunk's names in its data model → CloudTrail's, for rows that have these alone."""


@dataclass(frozen=True)
class Summed:
    """What the events of such a row have in common, by column, each with the path where it stands;
    and the path and value of the time of the first and the last, where they have columns."""

    columns: Mapping[str, tuple[str, Any]]
    first: tuple[str, Any] | None
    last: tuple[str, Any] | None = None
    is_local: bool = False
    """Whether times without a zone are of one that the tool's user chose."""


def summed_up(row: Mapping[str, Any]) -> Summed | None:
    """What the row sums up; None for the row of one event."""
    return _by_threshold(row) or _by_stats(row)


def _by_threshold(row: Mapping[str, Any]) -> Summed | None:
    if not any(isinstance(key, str) and key.startswith(("kibana", "signal")) for key in row):
        return None
    for keys in _RESULTS:
        named = _terms(_at(row, *keys, "terms")) or dict(
            zip(
                map(str, _list(_at(row, *keys, "terms", "field"))),
                _list(_at(row, *keys, "terms", "value")),
                strict=False,
            )
        )
        begin = next(iter(_list(_at(row, *keys, "from"))), None)
        path = ".".join(keys)
        if named or begin is not None or _at(row, *keys, "count") is not None:
            columns = {name: (f"{path}.terms", value) for name, value in named.items()}
            first = None if begin is None else (f"{path}.from", begin)
            return Summed(columns, first)
    return None


def _by_stats(row: Mapping[str, Any]) -> Summed | None:
    names = {plain_name(key): key for key in row if isinstance(key, str)}
    if "firsttime" not in names or "lasttime" not in names:
        return None
    columns = {
        own: (name, row[name])
        for name, own in _OF_SPLUNK.items()
        if isinstance(row.get(name), str)
        and (name != "dest" or row[name].endswith(".amazonaws.com"))
    }
    if str(row.get("user")).startswith("arn:"):
        columns["userIdentity.arn"] = columns.pop("userIdentity.userName")
    first, last = names["firsttime"], names["lasttime"]
    return Summed(columns, (first, row[first]), (last, row[last]), True)


def _terms(value: Any) -> dict[str, Any]:
    """Field → value, of a list of pairs, which some exports have as JSON text."""
    found: dict[str, Any] = {}
    for item in _list(value):
        if isinstance(item, str) and item.lstrip().startswith("{"):
            try:
                item = json.loads(item)
            except (ValueError, RecursionError):
                continue
        if isinstance(item, Mapping) and isinstance(item.get("field"), str):
            found[item["field"]] = item.get("value")
    return found


def _at(row: Mapping[str, Any], *keys: str) -> Any:
    """What stands below keys that a tool joined by dots, or nested, or both."""
    for joined in range(len(keys), 0, -1):
        value = row.get(".".join(keys[:joined]))
        if joined == len(keys):
            found = value
        else:
            found = _at(value, *keys[joined:]) if isinstance(value, Mapping) else None
        if found is not None:
            return found
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
