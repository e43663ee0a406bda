"""One JSON value → the CloudTrail records in it, whatever it is wrapped in, and what else it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from trail.read.columns import NOT_CALLS
from trail.read.flat import WHO, day_and_account, flat_record, is_of_cloudtrail, is_udm, says_who
from trail.read.ocsf import is_ocsf, ocsf_of_another, ocsf_record
from trail.read.others import kind_of_object
from trail.read.place import Place, plain_name
from trail.read.structs import Ambiguous
from trail.read.walk import ORIGINALS, SYSLOG, Found, Walk

CLOUDTRAIL_KEYS = frozenset(
    {"eventTime", "eventName", "eventSource", "eventVersion", "eventID", "userIdentity"}
)
_CALLED_OTHERWISE = frozenset({"evt", "evt.name"})
"""Where Datadog keeps the name of an event, instead of in the record's own field."""
_OF_WHOLE_ONES = (
    "requestParameters", "responseElements", "serviceEventDetails", "requestID",
    "additionalEventData", "eventType",
)  # fmt: skip
NO_ZONE = (
    "its time is written without its zone, as whoever exported it saw it: export eventTime itself,"
    " or times in UTC"
)
RULE_RAN = (
    "its time is when a rule ran, not when the call was: export kibana.alert.original_time, or the"
    " events themselves"
)
UNREADABLE_WHO = (
    "what its columns say of who called is empty, masked or in no form that can be read for"
    f" certain: it needs {WHO}, as JSON, a struct or an ARN"
)
SUMS_UP = (
    "it sums up several events, as an alert or a search's statistics do, and is none itself: export"
    " the events"
)
SEVERAL = "its eventName holds several values: export each event in a row of its own"
NOBODY = f"does not say who called: it has none of {WHO}. Export it with them"


@dataclass(frozen=True)
class Record:
    """A record, its own JSON where it stood in a string, and whether it stands there as AWS wrote
    it (else it was put together from a tool's row)."""

    record: dict[str, Any]
    text: str | None
    whole: bool


@dataclass(frozen=True)
class NoCall:
    """What is recognised and is no per-call event."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """What should be a record and cannot be taken for one. `foreign`: it is nothing of the kind.

    `day` (UTC) and `account` are those of the event that is lost by it, where they are known.
    """

    reason: str
    foreign: bool = False
    day: date | None = None
    account: str | None = None


Outcome = Record | NoCall | Refused

_any = msgspec.json.Decoder()


def is_whole(record: Mapping[str, Any]) -> bool:
    """Whether an object is a record as AWS wrote it, in its spelling and not taken apart."""
    if "userIdentity" in record:
        identity = record["userIdentity"]
        return not (isinstance(identity, str) and identity.lstrip().startswith(("{", "arn:"))) and (
            "eventName" in record
            or _CALLED_OTHERWISE.isdisjoint(record)
            and ("eventVersion" in record or "eventTime" in record)
        )
    return (
        "eventVersion" in record
        and any(name in record for name in _OF_WHOLE_ONES)
        and not says_who(record)
    )


def no_call(record: Mapping[str, Any]) -> str | None:
    """Why a record of CloudTrail's is no call (an insight, a summary); None for a call."""
    for key in ("eventCategory", "eventType", "eventSource"):
        if isinstance(told := record.get(key), str) and told in NOT_CALLS:
            return NOT_CALLS[told]
    return None


def outcomes_in(value: object) -> Iterator[Outcome]:
    """What each part of the value is; nothing where none of it is anything known."""
    try:
        walk: Walk[Outcome, Place] = Walk(_read, _parse)
        for found in walk.found(Place(value)):
            yield _outcome(found)
    except RecursionError:
        yield Refused("nested too deeply")


def _outcome(found: Found[Outcome, Place]) -> Outcome:
    what = found.what
    if what is None:
        value = found.place.value
        if not isinstance(value, Mapping):
            return Refused("not a JSON object", foreign=True)
        return no_record(value)
    if not isinstance(what, Record):
        return what
    text = found.text
    record = _completed(what.record, found)
    if text is None and record is not what.record and what.whole:
        text = json.dumps(what.record, ensure_ascii=True)
    return Record(record, text, what.whole)


def no_record(value: Mapping[str, Any]) -> NoCall | Refused:
    """What to say of an object that holds no record: what it is, or that the record was cut off."""
    if len(value) == 1 and _BULK_ACTIONS & value.keys():
        (action,) = value.values()
        if isinstance(action, dict) and all(str(key).startswith("_") for key in action):
            return NoCall("a line of Elastic's bulk form that says where the next one belongs")
    for name, cell in value.items():
        is_damaged = isinstance(cell, str) and _BEGINS.match(cell) and _parse(cell) is None
        if is_damaged and (plain_name(name) in ORIGINALS or not is_of_cloudtrail(str(name))):
            return Refused("the record in its text is cut off or damaged: no valid JSON")
    return Refused(kind_of_object(value) or "no CloudTrail record", foreign=True)


_BULK_ACTIONS = frozenset({"index", "create", "update", "delete"})
_BEGINS = re.compile(
    r'\s*\{.{0,4000}?"(?:eventVersion|eventName|eventTime|userIdentity)"\s*:', re.DOTALL
)


def _completed(record: dict[str, Any], found: Found[Outcome, Place]) -> dict[str, Any]:
    """The record with the account and Region of the EventBridge event, where it names none."""
    for outer, key in found.above:
        if key != "detail" or "detail-type" not in outer.value:
            continue
        identity = record.get("userIdentity")
        account, region = outer.value.get("account"), outer.value.get("region")
        if (
            not record.get("recipientAccountId")
            and isinstance(account, str)
            and not (isinstance(identity, dict) and identity.get("accountId"))
        ):
            record = record | {"recipientAccountId": account}
        if not record.get("awsRegion") and isinstance(region, str):
            record = record | {"awsRegion": region}
    return record


def _read(place: Place, names: tuple[str, ...], rows: bool) -> Outcome | None:
    value = place.value
    if not rows:
        if (reason := no_call(value)) is not None:
            return NoCall(reason)
        if "digestS3Object" in value or ("logFiles" in value and "awsAccountId" in value):
            return NoCall("a CloudTrail Digest file: not per-call events")
        if value.get("messageType") == "CONTROL_MESSAGE":
            return NoCall("a CloudWatch Logs control message")
        if is_whole(value):
            return Record(value, None, True)
        # Told at once: what a caller sent stands inside, and is never looked for records in.
        return row_outcome(value) if is_ocsf(value.keys()) or is_udm(value) else None
    return row_outcome(value)


def row_outcome(value: Mapping[str, Any]) -> Outcome | None:
    """What a row of a table, or an object of a tool's own fields, stands for; None if nothing."""
    if is_ocsf(value.keys()):
        if (product := ocsf_of_another(value)) is not None:
            return Refused(f"an OCSF event of {product}, not CloudTrail", foreign=True)
        return Record(ocsf_record(value), None, False)
    try:
        flat = flat_record(value)
    except Ambiguous as error:
        return _lost(value, str(error))
    if flat is not None and "eventTime" in flat.record:
        if flat.summed is not None:
            told = {name: flat.record.get(name) for name in ("eventTime", "recipientAccountId")}
            return _lost({**told, **value}, SUMS_UP)
        if not flat.who:
            return _lost(value, UNREADABLE_WHO if says_who(value) else NOBODY)
        if "\n" in str(flat.record["eventName"]):
            return _lost(value, SEVERAL)
        if flat.ran is not None:
            return _lost(value, RULE_RAN)
        return _lost(value, NO_ZONE) if flat.no_zone else Record(flat.record, None, False)
    if str(value.get("eventSource")).startswith("aws:"):
        return NoCall(f"{str(value['eventSource'])[:40]} record: not an API call")
    if CLOUDTRAIL_KEYS & value.keys():
        return Record(dict(value), None, True)  # what it lacks is said where its row is made
    if "detail-type" in value and isinstance(value.get("detail"), dict):
        return Refused("an EventBridge event, not CloudTrail", foreign=True)
    for name in ("Records", "records", "Events", "events", "logEvents", "results", "hits"):
        if value.get(name) == []:
            return NoCall("an envelope with no records in it")
    return None


def _lost(row: Mapping[str, Any], reason: str) -> Refused:
    return Refused(reason, False, *day_and_account(row))


def _parse(text: str) -> Any:
    """JSON inside a string, also behind a syslog header; None where it holds none."""
    if (header := SYSLOG.match(text)) is not None:
        text = text[header.end() :]
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return decoded(text.encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None


def decoded(text: bytes) -> Any:
    """The value of JSON text. Raises `ValueError`, `UnicodeDecodeError` or `RecursionError`."""
    try:
        return _any.decode(text)
    except msgspec.DecodeError:
        # Python's own reader takes half a surrogate pair, which msgspec refuses.
        return json.loads(text.decode(), parse_constant=_no_constant, parse_int=_whole_number)


def _whole_number(figures: str) -> int:
    """Python reads no longer one, and says so in words of its own."""
    if len(figures) > _FIGURES:
        raise ValueError(f"a number of {len(figures):,} figures")
    return int(figures)


_FIGURES = 4_000


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
