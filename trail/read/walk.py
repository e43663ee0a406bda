"""Where the records are inside a JSON value: wrappers opened, containers walked.

The order matters (§8). A tool's own copy of the whole record (`_raw`, `@message`, `eventJson`) wins
over its rewriting of it, a whole record under any key over columns beside it, and an object over
JSON in a string, which may be a caller's text: what stands under a field of CloudTrail's is never
opened.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from trail.read.flat import is_of_cloudtrail
from trail.read.place import Place, plain_name

STRING_LEVELS = 4
"""JSON inside a string inside JSON …: SNS in SQS in a subscription makes three."""
LEVELS = 24
"""How deep an unknown envelope is searched."""
MOST_LEVELS = 80
"""How deep any value is walked: fewer than Python's own calls may nest."""
SEARCHED = 20_000
"""Values of one JSON value that are looked at below unknown keys."""
UNPACKED = 64 << 20
"""Bytes that the packed messages of one JSON value may unpack to, together."""

SYSLOG = re.compile(r"\s*<\d{1,3}>[^{\n]{1,200}(?={)")
"""The header of a message that carries JSON."""

T = TypeVar("T")
P = TypeVar("P", bound=Place)

ORIGINALS = {
    "raw": "Splunk's _raw",
    "eventoriginal": "Elastic's event.original",
    "cloudtrailevent": "LookupEvents",
    "message": "CloudWatch Logs",
    "eventjson": "CloudTrail Lake's eventJson",
    "rawevent": "a raw event",
    "rawlog": "a raw log",
    "rawdata": "raw data",
    "rawmessage": "a raw message",
    "originalmessage": "an original message",
    "fulllog": "Wazuh's full_log",
}
"""Plain names of keys whose text is the original, kept by a tool beside its own rewriting of it."""
_OF_A_RECORD = frozenset({"eventVersion", "userIdentity", "eventName"})
_ORIGINAL_KEYS = frozenset({"_raw", "CloudTrailEvent", "event.original", "event", "@message"})
# Key → what it is called in the alert's shape. Lists are walked, strings read as JSON.
WRAPPERS = (
    ("detail", "EventBridge event"),
    ("Findings", "list of findings"),
    ("Records", "Records list"),
    ("Events", "Events list"),
    ("logEvents", "CloudWatch Logs"),
    ("awslogs", "CloudWatch Logs subscription"),
    ("kinesis", "Kinesis event"),
    ("Sns", "SNS event"),
    ("Message", "SNS message"),
    ("Messages", "SQS messages"),
    ("Body", "SQS message"),
    ("hits", "Elastic search result"),
    ("_source", "Elastic document"),
    ("fields", "Elastic document"),
    ("result", "Splunk result"),
    ("results", "list of results"),
    ("rows", "list of rows"),
    ("event", "wrapped event"),
    ("document", "wrapped document"),
    ("alert", "wrapped alert"),
    ("alerts", "list of alerts"),
    ("items", "list of items"),
    ("data", "wrapped data"),
    ("payload", "wrapped payload"),
)
_TOLD_BY = {
    "SQS message": ("MessageId", "ReceiptHandle"),
    "EventBridge event": ("detail-type", "source"),
    "Elastic document": ("_id", "_index", "_source"),
}
"""Keys beside a wrapper of a common name, of which one is there if it is what it is called."""
_WRAPPER_NAMES = tuple((plain_name(key), key, name) for key, name in WRAPPERS)


@dataclass(frozen=True)
class Found(Generic[T, P]):
    """What stands at a place, and the objects that it stood in, the innermost first, each with
    the key it was below. `what` is None for an item of a list in which others are something."""

    what: T | None
    place: P
    above: tuple[tuple[P, str], ...] = ()
    text: str | None = None
    """The JSON that it was read from, where it stood in a string of its own."""


Reader = Callable[[P, tuple[str, ...], bool], T | None]
"""(place of an object, names of what it stood in, whether rows of other tools count) → what it is.
"""


class Walk(Generic[T, P]):
    """Goes through one JSON value. `read` says what an object is, `parse` reads JSON in strings,
    `parse_prose` JSON amid the words of a string."""

    def __init__(
        self,
        read: Reader[P, T],
        parse: Callable[[str], Any],
        parse_prose: Callable[[str], Any] | None = None,
    ) -> None:
        self._read = read
        self._parse = parse
        self._parse_prose = parse_prose
        self._searched = 0
        self._unpacked = 0
        self._level = 0

    def found(self, place: P) -> Iterator[Found[T, P]]:
        """Everything in the value, in its order; nothing if it holds nothing."""
        yield from self._either(place, (), (), STRING_LEVELS)

    def _either(
        self, place: P, names: tuple[str, ...], above: tuple[tuple[P, str], ...], strings: int
    ) -> list[Found[T, P]]:
        """What the value holds; rows of other tools only where it holds no whole record."""
        found: list[Found[T, P]] = []
        if isinstance(place.value, list):
            for item in place.items():
                found += self._either(item, names, above, strings) or _nothing(item, place, above)
            return found if any(one.what is not None for one in found) else []
        found = self._walk(place, names, above, strings, rows=False)
        return found or self._walk(place, names, above, strings, rows=True)

    def _walk(
        self,
        place: P,
        names: tuple[str, ...],
        above: tuple[tuple[P, str], ...],
        strings: int,
        *,
        rows: bool,
    ) -> list[Found[T, P]]:
        if self._level > MOST_LEVELS:
            return []
        self._level += 1
        try:
            return self._walked(place, names, above, strings, rows=rows)
        finally:
            self._level -= 1

    def _walked(
        self,
        place: P,
        names: tuple[str, ...],
        above: tuple[tuple[P, str], ...],
        strings: int,
        *,
        rows: bool,
    ) -> list[Found[T, P]]:
        value = place.value
        if isinstance(value, str):
            if not strings or (inner := self._parse(value)) is None:
                return []
            found = self._walk(place.inside(inner), names, above, strings - 1, rows=rows)
            return [replace(one, text=value) if one.place.value is inner else one for one in found]
        if isinstance(value, list):
            if (row := row_of(value)) is not None:
                return self._walk(type(place)(row, place.path), names, above, strings, rows=rows)
            found = []
            for item in place.items():
                here = self._walk(item, names, above, strings, rows=rows)
                if not here and not rows:
                    here = self._walk(item, names, above, strings, rows=True)
                found += here or _nothing(item, place, above)
            return found if any(one.what is not None for one in found) else []
        if not isinstance(value, Mapping) or len(above) > LEVELS:
            return []
        if (table := table_of(value)) is not None:
            return self._walk(type(place)(table, place.path), names, above, strings, rows=rows)
        if not rows and value.keys() >= _OF_A_RECORD and _ORIGINAL_KEYS.isdisjoint(value):
            what = self._read(place, names, False)  # the usual case, told at once
            if what is not None:
                return [Found(what, place, above)]
        by_name: dict[str, str] = {}
        for key in value:
            if isinstance(key, str):
                by_name.setdefault(plain_name(key), key)
        for original in self._originals(place, by_name):
            name, child = original
            found = self._walk(child, (name, *names), ((place, name), *above), strings, rows=rows)
            if found:
                return found
        if not rows and (what := self._read(place, names, False)) is not None:
            return [Found(what, place, above)]
        walked = set()
        for plain, key, name in _WRAPPER_NAMES:
            spelt = key if key in value else by_name.get(plain)
            if spelt is None or spelt in walked or value[spelt] is None or value[spelt] == []:
                continue
            walked.add(spelt)
            found = self._wrapped(place, spelt, plain, name, names, above, strings, rows=rows)
            if found:
                return found
        # What was walked above is not walked again: the whole takes a time that grows as it does.
        if not rows:
            return self._below(place, walked, above, names, strings, rows=False)
        if (what := self._read(place, names, True)) is not None:
            return [Found(what, place, above)]
        return self._texts(place, walked, above, names, strings) or self._below(
            place, walked, above, names, strings, rows=True
        )

    def _originals(self, place: P, by_name: Mapping[str, str]) -> Iterator[tuple[str, P]]:
        for plain, name in ORIGINALS.items():
            spelt = by_name.get(plain)
            if spelt is not None and isinstance(place.value[spelt], str | dict):
                child = place.at(spelt)
                if plain == "message" and (
                    spelt == "Message" or not _looks_like_json(child.value)
                ):  # SNS's is no log's
                    continue
                yield _called_by(spelt, name, by_name), child
        event = by_name.get("event")
        if event is not None and isinstance(place.value[event], Mapping):
            original = place.at(event, "original")
            if isinstance(original.value, str):
                yield ORIGINALS["eventoriginal"], original

    def _wrapped(
        self,
        place: P,
        key: str,
        plain: str,
        name: str,
        names: tuple[str, ...],
        above: tuple[tuple[P, str], ...],
        strings: int,
        *,
        rows: bool,
    ) -> list[Found[T, P]]:
        child = place.at(key)
        inside = (self._called(place, plain, name), *names)
        outer = ((place, key), *above)
        if plain in ("awslogs", "kinesis") and isinstance(child.at("data").value, str):
            data = child.at("data")
            message = self._subscription(data.value)
            return self._walk(data.inside(message), inside, outer, strings, rows=rows)
        if plain == "logevents" or (plain == "events" and _are_log_messages(child)):
            found: list[Found[T, P]] = []
            for item in child.items():
                here = self._walk(
                    item.at("message"), ("CloudWatch Logs", *names), ((item, "message"), *outer),
                    strings, rows=rows,
                )  # fmt: skip
                found += here or _nothing(item, child, outer)
            return found if any(one.what is not None for one in found) else []
        if plain == "data" and isinstance(child.value, str) and not _looks_like_json(child.value):
            message = self._subscription(child.value)  # Firehose's records
            return self._walk(child.inside(message), inside, outer, strings, rows=rows)
        return self._walk(child, inside, outer, strings, rows=rows)

    def _called(self, place: P, plain: str, name: str) -> str:
        if name == "list of findings":
            return "GetFindings response" if "Findings" in place.value else name
        if name == "Events list":
            return "LookupEvents response"
        if name == "Records list":
            first = next(iter(place.at("Records").items()), place)
            of_lambda = first.at("Sns").is_object or first.at("body").text is not None
            return "Lambda event" if of_lambda else "CloudTrail log file"
        if name == "SNS message":
            is_sns = place.at("Type").text == "Notification" or place.at("TopicArn").text
            return name if is_sns else "message field"
        told_by = _TOLD_BY.get(name)
        if told_by is not None and not any(place.at(key).value is not None for key in told_by):
            return f"a field {plain!r}"
        return name

    def _below(
        self,
        place: P,
        walked: set[str],
        above: tuple[tuple[P, str], ...],
        names: tuple[str, ...],
        strings: int,
        *,
        rows: bool,
    ) -> list[Found[T, P]]:
        """What stands below keys that nobody knows, in objects and lists."""
        found: list[Found[T, P]] = []
        for key, member in place.value.items():
            if not isinstance(member, dict | list) or not member:
                continue
            if isinstance(key, str) and key not in walked and not is_of_cloudtrail(key):
                self._searched += 1
                if self._searched > SEARCHED:
                    return found
                below = names or ("an unknown envelope",)
                outer = ((place, key), *above)
                found += self._walk(place.at(key), below, outer, strings, rows=rows)
        return found

    def _texts(
        self,
        place: P,
        walked: set[str],
        above: tuple[tuple[P, str], ...],
        names: tuple[str, ...],
        strings: int,
    ) -> list[Found[T, P]]:
        """What JSON in strings holds below keys that nobody knows, also amid words."""
        found: list[Found[T, P]] = []
        below = names or ("an unknown envelope",)
        for key, member in place.value.items():
            if not isinstance(key, str) or not isinstance(member, str) or is_of_cloudtrail(key):
                continue
            child = place.at(key)
            outer = ((place, key), *above)
            here: list[Found[T, P]] = []
            if _looks_like_json(member):
                here = self._walk(child, below, outer, strings, rows=False)
                if not any(one.what is not None for one in here):
                    here = self._walk(child, below, outer, strings, rows=True)  # a string in it
            if not here and strings and self._parse_prose is not None and "{" in member:
                # a chat's message, a ticket's description
                inner = self._parse_prose(member)
                if inner:
                    here = self._walk(child.inside(inner), below, outer, strings - 1, rows=False)
            found += [one for one in here if one.what is not None]
        return found

    def _subscription(self, data: str) -> Any:
        """What CloudWatch Logs hands a subscriber, base64 of gzip of JSON; None if it is none."""
        try:
            packed = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            return None
        if packed[:2] != b"\x1f\x8b":
            return self._parse(packed.decode("utf-8", "replace"))
        # Its own share: a record of many of them must not unpack to many times its size.
        most = min(UNPACKED - self._unpacked, (64 << 10) + 100 * len(packed))
        try:
            unpacked = zlib.decompressobj(31).decompress(packed, max(1, most))
        except zlib.error:
            return None
        self._unpacked += len(unpacked)
        return self._parse(unpacked.decode("utf-8", "replace"))


_SUMO = frozenset({"messagetime", "messagetimems", "sourcecategory", "sourcehost"})


def _called_by(spelt: str, name: str, by_name: Mapping[str, str]) -> str:
    """What the copy of a record under such a key is called, which other tools have as well."""
    if plain_name(spelt) == "raw" and (spelt != "_raw" or not _SUMO.isdisjoint(by_name)):
        return "Sumo Logic's _raw" if spelt == "_raw" else "a field 'raw'"
    if plain_name(spelt) == "message" and spelt != "@message":
        return "a field 'message'"
    return name


def row_of(items: list[Any]) -> dict[str, Any] | None:
    """The row that a list of cells makes: Logs Insights' `[{"field": …, "value": …}]`, Lake's
    `[{"eventName": …}, {"eventTime": …}]`; None for any other list."""
    if not items or len(items) > 1_000 or not all(isinstance(item, dict) for item in items):
        return None
    if all("field" in item and "value" in item for item in items):
        return {str(item["field"]): item["value"] for item in items}
    if all(len(item) == 1 for item in items):
        cells = [cell for item in items for cell in item.items()]
        if len(dict(cells)) == len(cells) and all(isinstance(cell, str) for _, cell in cells):
            return dict(cells)
    return None


_COLUMNS_AND_ROWS = (
    ("columns", "rows"), ("columns", "values"), ("schema", "datarows"), ("meta", "data"),
)  # fmt: skip


def table_of(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of a result that names its columns once: Athena's, Log Analytics', ES|QL's,
    OpenSearch's, ClickHouse's."""
    rows = value.get("Rows")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "Data" in rows[0]:
        cells = [
            [cell.get("VarCharValue") if isinstance(cell, dict) else None for cell in row["Data"]]
            for row in rows
            if isinstance(row, dict) and isinstance(row.get("Data"), list)
        ]
        header = [str(name) for name in cells[0]] if cells else []
        return [dict(zip(header, row, strict=False)) for row in cells[1:]]
    columns, rows = next(
        ((value[names], value.get(cells)) for names, cells in _COLUMNS_AND_ROWS if names in value
         and isinstance(value.get(cells), list)), (None, None)
    )  # fmt: skip
    if not (isinstance(columns, list) and isinstance(rows, list) and columns and rows):
        return None
    names = [c.get("name") if isinstance(c, dict) else c for c in columns]
    if not all(isinstance(name, str) for name in names):
        return None
    listed = [row for row in rows if isinstance(row, list)]
    if len(listed) < len(rows):
        return None
    return [dict(zip(map(str, names), row, strict=False)) for row in listed]


def _nothing(item: P, items: P, above: tuple[tuple[P, str], ...]) -> list[Found[Any, P]]:
    """What to say of an item that holds nothing: that it does not. A row of cells, of which one is
    a record as text, is no list of records."""
    is_row = not any(isinstance(one, Mapping) for one in items.value)
    return [] if is_row and not item.is_object else [Found(None, item, above)]


def _looks_like_json(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, str)
        and (value.lstrip()[:1] in ("{", "[", '"') or SYSLOG.match(value) is not None)
    )


def _are_log_messages(events: Place) -> bool:
    return any(isinstance(item.at("message").value, str) for item in events.items()[:1])
