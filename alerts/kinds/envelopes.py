"""Where the alerts are inside a JSON value: wrappers opened, containers walked, kinds told apart.

The order matters (§8): a wrapped original wins over a tool's rewriting of it, an exact signature
over a container's name, and a search through everything comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from alerts.alert import Alert
from alerts.arns import IDENTITY_ARN
from alerts.draft import fallback_words
from alerts.json_place import Place, first_time, is_readable_time
from alerts.json_text import json_in, json_values
from alerts.kinds import cloudtrail, guardduty, other_findings, security_hub
from trail.errors import AlertUnrecognised
from trail.read.flat import Flat, flat_record, is_udm
from trail.read.ocsf import PATHS as OCSF_PATHS
from trail.read.ocsf import is_ocsf, ocsf_of_another, ocsf_record
from trail.read.place import plain_name
from trail.read.structs import Ambiguous
from trail.read.walk import Walk

MAX_ALERTS = 10_000
_FINDING_TYPE = re.compile(r"[A-Z][A-Za-z]+:[A-Z][A-Za-z0-9]+/[\w.!-]+")

_Reader = Callable[[Place, tuple[str, ...]], Alert | None]


def alerts_in(value: object) -> list[Alert]:
    """Every alert in the JSON value, in its order; an empty list if there is none."""
    found: list[Alert] = []
    for one in _walk().found(Place(value)):
        if one.what is not None:
            found.append(_in_envelopes(one.what, one.above))
            if len(found) > MAX_ALERTS:
                raise too_many()
    return found


def _walk() -> Walk[Alert, Place]:
    return Walk(_read, json_in, json_values)


def unread_in(value: object) -> tuple[int, int]:
    """How many of the objects at the top of the JSON value hold no alert, and how many they are."""
    items = value if isinstance(value, list) else [value]
    objects = [Place(item) for item in items if isinstance(item, dict)]
    read = sum(1 for one in objects if any(True for _ in _walk().found(one)))
    return len(objects) - read, len(objects)


def too_many() -> AlertUnrecognised:
    return AlertUnrecognised(
        f"This holds more than {MAX_ALERTS:,} alerts or records. Index log files with "
        "`python -m trail add`, and give only the alerts here."
    )


def _in_envelopes(alert: Alert, above: tuple[tuple[Place, str], ...]) -> Alert:
    """The alert with what the envelopes say that it does not say itself, the innermost first."""
    for envelope, key in above:
        if key == "detail":
            alert = _completed(alert, envelope)
        alert = _dated(alert, envelope)
    return alert


def _completed(alert: Alert, event: Place) -> Alert:
    """The alert with the account and region of the EventBridge event, where it names none."""
    account, region = event.at("account"), event.at("region")
    if alert.account_id is None and account.account is not None:
        alert = replace(
            alert,
            account_id=account.account,
            principals=tuple(
                replace(person, account_id=person.account_id or account.account)
                if person.type != "AWSAccount"  # that is of another account
                else person
                for person in alert.principals
            ),
            origins={**alert.origins, "account_id": account.path},
        )
    if alert.region is None and region.text is not None:
        alert = replace(alert, region=region.text, origins={**alert.origins, "region": region.path})
    return alert


_SENT = (
    ("time",),
    ("timestamp",),
    ("attributes", "SentTimestamp"),
    ("eventTime",),
    ("_time",),
    ("p_event_time",),
    ("createdAt",),
    ("updatedAt",),
)
"""Where an envelope says when it was sent: EventBridge, SNS and logs, SQS, and others."""


def _dated(alert: Alert, envelope: Place) -> Alert:
    """The alert with the envelope's time where it has none of its own, marked as a fall-back."""
    if alert.first_seen is not None:
        return alert
    sent = first_time(envelope.at(*keys) for keys in _SENT)
    if sent.time is None:
        return alert
    return replace(
        alert,
        first_seen=sent.time,
        last_seen=sent.time,
        time_is_fallback=True,
        notes=(
            *alert.notes,
            fallback_words(
                f"when its envelope was sent ({sent.path})", unread=bool(alert.unread_times)
            ),
        ),
        origins={**alert.origins, "first_seen": sent.path, "last_seen": sent.path},
    )


def _read(place: Place, envelope: tuple[str, ...], rows: bool) -> Alert | None:
    """The alert that stands at this very place, if one does; with `rows` also in columns."""
    for recognises, read in _ROWS if rows else _KINDS:
        if recognises(place) and (alert := read(place, envelope)) is not None:
            return alert
    return None


# --- Kinds -------------------------------------------------------------------------------------


def is_cloudtrail_record(place: Place) -> bool:
    record = place.value
    if str(record.get("eventSource")).startswith("aws:"):
        return False  # an S3 notification, which is spelt like a record
    if record.get("eventType") == "AwsCloudTrailInsight":
        return True
    return isinstance(record.get("eventName"), str) and (
        isinstance(record.get("userIdentity"), dict)
        or ("eventSource" in record and "userIdentity" not in record and "eventVersion" in record)
        or ("eventSource" in record and "userIdentity" in record and record["userIdentity"] is None)
    )


def _is_regrouped(place: Place) -> bool:
    """Whether it is an event in OCSF or UDM: what a caller sent stands inside, so that it is told
    before anything is looked for in it."""
    return (is_ocsf(place.value.keys()) and "class_uid" in place.value) or is_udm(place.value)


def _may_be_flat(place: Place) -> bool:
    return not str(place.value.get("eventSource")).startswith("aws:")


def is_guardduty_finding(place: Place) -> bool:
    kind = place.at("type").text
    has_service, has_resource = place.at("service").is_object, place.at("resource").is_object
    is_version_2 = place.at("schemaVersion").text == "2.0"
    if kind is None:
        return False
    if has_service and (has_resource or is_version_2):
        return True
    # Shortened findings: their type is one that only GuardDuty writes.
    return (has_service or has_resource or is_version_2) and (
        _FINDING_TYPE.fullmatch(kind) is not None
    )


def _read_cloudtrail(place: Place, envelope: tuple[str, ...]) -> Alert | None:
    if "p_log_type" in place.value:
        envelope = ("Panther", *envelope)
    return cloudtrail.read_record(place, shape_words("CloudTrail record", envelope))


def _read_flat(place: Place, envelope: tuple[str, ...]) -> Alert | None:
    row = place.value
    if is_ocsf(row.keys()) and "class_uid" in row:
        if ocsf_of_another(row) is not None:
            return None  # another API's activity: Kubernetes', say
        record, shape = ocsf_record(row), "CloudTrail record in OCSF (Security Lake)"
        return cloudtrail.read_record(
            Place(record, place.path), shape_words(shape, envelope), OCSF_PATHS, row
        )
    try:
        flat = flat_record(row, is_readable_time)
    except Ambiguous:
        return None
    if flat is None or "\n" in str(flat.record["eventName"]) or _names_in_words(flat, row):
        return None
    return cloudtrail.read_record(
        Place(flat.record, place.path),
        shape_words(flat.shape, envelope),
        flat.spelt,
        row,
        flat.summed,
        flat.ran,
    )


def _names_in_words(flat: Flat, row: Mapping[str, Any]) -> bool:
    """Whether who called stands only in text that is no record: it is read as text then."""
    return not flat.who and any(
        isinstance(cell, str)
        and plain_name(name).endswith("useridentity")
        and IDENTITY_ARN.search(cell) is not None
        for name, cell in row.items()
    )


def _read_guardduty(place: Place, envelope: tuple[str, ...]) -> Alert:
    if "p_log_type" in place.value:
        envelope = ("Panther", *envelope)
    return guardduty.read_finding(place, shape_words(_guardduty_form(place, envelope), envelope))


def _read_flattened_finding(place: Place, envelope: tuple[str, ...]) -> Alert | None:
    finding = guardduty.nested_again(place)
    if not is_guardduty_finding(finding):
        return None
    return guardduty.read_finding(finding, shape_words("GuardDuty finding, flattened", envelope))


def _read_sentinel_finding(place: Place, envelope: tuple[str, ...]) -> Alert:
    finding = guardduty.sentinel_finding(place)
    return guardduty.read_finding(
        finding, shape_words("GuardDuty finding, Sentinel AWSGuardDuty row", envelope)
    )


def _as(kind: str, read: Callable[[Place, str], Alert]) -> _Reader:
    return lambda place, envelope: read(place, shape_words(kind, envelope))


def shape_words(kind: str, envelope: tuple[str, ...]) -> str:
    """What was recognised, inside what, from the inside out."""
    return ", ".join((kind, *(f"in {name}" for name in envelope)))


def _guardduty_form(place: Place, envelope: tuple[str, ...]) -> str:
    service = place.at("service")
    spelt = [
        key
        for found in (
            place,
            service,
            service.at("action"),
            service.at("action", "awsApiCallAction"),
            place.at("resource", "accessKeyDetails"),
        )
        if found.is_object
        for key in found.value
        if isinstance(key, str) and key[:1].isalpha()
    ]
    capitals = sum(1 for key in spelt if key[0].isupper())
    if capitals == len(spelt):
        return "GuardDuty finding, API form"
    if capitals:
        return "GuardDuty finding, mixed-case form of a SOAR tool"
    if "EventBridge event" in envelope:
        return "GuardDuty finding, EventBridge form"
    return "GuardDuty finding, export form"


_KINDS: tuple[tuple[Callable[[Place], bool], _Reader], ...] = (
    (is_cloudtrail_record, _read_cloudtrail),
    (guardduty.is_flattened, _read_flattened_finding),
    (is_guardduty_finding, _read_guardduty),
    (guardduty.is_sentinel_row, _read_sentinel_finding),
    (security_hub.is_asff, _as("Security Hub finding (ASFF)", security_hub.read_asff)),
    (security_hub.is_ocsf_finding, _as("Security Hub finding (OCSF)", security_hub.read_ocsf)),
    (other_findings.is_macie, _as("Macie finding", other_findings.read_macie)),
    (other_findings.is_config, _as("Config compliance change", other_findings.read_config)),
    (
        other_findings.is_access_analyzer,
        _as("Access Analyzer finding", other_findings.read_access_analyzer),
    ),
    (_is_regrouped, _read_flat),
)
_ROWS: tuple[tuple[Callable[[Place], bool], _Reader], ...] = ((_may_be_flat, _read_flat),)
