"""Where the alerts are inside a JSON value: wrappers opened, containers walked, kinds told apart.

The order matters (§8): a wrapped original wins over a tool's rewriting of it, an exact signature
over a container's name, and a search through everything comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from alerts import cloudtrail, flat_records, guardduty, other_findings, security_hub
from alerts.alert import Alert
from alerts.draft import fallback_words
from alerts.json_place import Place, first_time
from alerts.json_text import json_in, json_in_subscription
from trail.errors import AlertUnrecognised

MAX_STRING_LEVELS = 4
"""JSON inside a string inside JSON …: SNS in SQS in a subscription makes three."""
MAX_ALERTS = 10_000
_MAX_SEARCHED = 5_000
_FINDING_TYPE = re.compile(r"[A-Z][A-Za-z]+:[A-Z][A-Za-z0-9]+/[\w.!-]+")

# Keys whose string value is the original text, kept by the tool beside its own rewriting of it.
_ORIGINALS = (
    (("_raw",), "Splunk's _raw"),
    (("event", "original"), "Elastic's event.original"),
    (("event.original",), "Elastic's event.original"),
    (("CloudTrailEvent",), "LookupEvents"),
)
# Key → what it is called in the alert's shape. Lists are walked, strings read as JSON.
_WRAPPERS = (
    ("detail", "EventBridge event"),
    ("Findings", "list of findings"),
    ("Records", "Records list"),
    ("Events", "Events list"),
    ("logEvents", "CloudWatch Logs"),
    ("awslogs", "CloudWatch Logs subscription"),
    ("Sns", "SNS event"),
    ("Message", "SNS message"),
    ("Messages", "SQS messages"),
    ("Body", "SQS message"),
    ("hits", "Elastic search result"),
    ("_source", "Elastic document"),
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

_Reader = Callable[[Place, tuple[str, ...]], Alert | None]


def alerts_in(value: object) -> list[Alert]:
    """Every alert in the JSON value, in its order; an empty list if there is none."""
    found: list[Alert] = []
    for alert in _walk(Place(value), (), MAX_STRING_LEVELS):
        found.append(alert)
        if len(found) > MAX_ALERTS:
            raise too_many()
    return found or _search(value)


def unread_in(value: object) -> tuple[int, int]:
    """How many of the objects at the top of the JSON value hold no alert, and how many they are."""
    items = value if isinstance(value, list) else [value]
    objects = [Place(item) for item in items if isinstance(item, dict)]
    read = sum(1 for one in objects if any(True for _ in _walk(one, (), MAX_STRING_LEVELS)))
    return len(objects) - read, len(objects)


def too_many() -> AlertUnrecognised:
    return AlertUnrecognised(
        f"This holds more than {MAX_ALERTS:,} alerts or records. Index log files with "
        "`python -m trail add`, and give only the alerts here."
    )


def _walk(place: Place, envelope: tuple[str, ...], strings_left: int) -> Iterator[Alert]:
    if isinstance(place.value, str):
        if strings_left and (inner := json_in(place.value)) is not None:
            yield from _walk(place.inside(inner), envelope, strings_left - 1)
        return
    if isinstance(place.value, list):
        for item in place.items():
            yield from _walk(item, envelope, strings_left)
        return
    if not place.is_object:
        return
    for keys, name in _ORIGINALS:
        original = place.at(*keys)
        if isinstance(original.value, str):
            inside = list(_walk(original, (name, *envelope), strings_left))
            if inside:
                yield from (_dated(alert, place) for alert in inside)
                return
    alert = _read(place, envelope)
    if alert is not None:
        yield alert
        return
    for key, name in _WRAPPERS:
        wrapped = place.at(key)
        if wrapped.value is None or wrapped.value == []:
            continue
        inside = list(
            _walk_wrapped(wrapped, key, _envelope_name(place, name), envelope, strings_left)
        )
        if inside:
            if key == "detail":
                inside = [_completed(alert, place) for alert in inside]
            yield from (_dated(alert, place) for alert in inside)
            return


def _completed(alert: Alert, event: Place) -> Alert:
    """The alert with the account and region of the EventBridge event, where it names none."""
    account, region = event.at("account"), event.at("region")
    if alert.account_id is None and account.account is not None:
        alert = replace(
            alert,
            account_id=account.account,
            principals=tuple(
                replace(person, account_id=person.account_id or account.account)
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


def _walk_wrapped(
    wrapped: Place, key: str, name: str, envelope: tuple[str, ...], strings_left: int
) -> Iterator[Alert]:
    inner = (name, *envelope)
    if key == "awslogs" and isinstance(wrapped.at("data").value, str):
        data = wrapped.at("data")
        yield from _walk(data.inside(json_in_subscription(data.value)), inner, strings_left)
    elif key == "logEvents" or (key == "Events" and _are_log_messages(wrapped)):
        for item in wrapped.items():
            inside = _walk(item.at("message"), ("CloudWatch Logs", *envelope), strings_left)
            yield from (_dated(alert, item) for alert in inside)
    else:
        yield from _walk(wrapped, inner, strings_left)


def _are_log_messages(events: Place) -> bool:
    return any(isinstance(item.at("message").value, str) for item in events.items()[:1])


def _envelope_name(place: Place, name: str) -> str:
    if name == "list of findings":
        return "GetFindings response" if "Findings" in place.value else name
    if name == "Events list":
        return "LookupEvents response"
    if name == "Records list":
        first = next(iter(place.at("Records").items()), place)
        of_lambda = first.at("Sns").is_object or first.at("body").text is not None
        return "Lambda event" if of_lambda else "CloudTrail log file"
    if name == "SNS message":
        is_sns = place.at("Type").text == "Notification" or place.at("TopicArn").text is not None
        return name if is_sns else "message field"
    return name


def _read(place: Place, envelope: tuple[str, ...]) -> Alert | None:
    """The alert that stands at this very place, if one does."""
    for recognises, read in _KINDS:
        if recognises(place) and (alert := read(place, envelope)) is not None:
            return alert
    return None


def _search(value: object) -> list[Alert]:
    """Alerts of known kinds under any key at all, nearest the top first."""
    level = [Place(value)]
    searched = 0
    while level and searched < _MAX_SEARCHED:
        found: list[Alert] = []
        below: list[Place] = []
        for place in level:
            searched += 1
            alert = _read(place, (place.path,)) if place.is_object else None
            if alert is not None:
                note = f"Found below {place.path}: the envelope itself is not known."
                found.append(replace(alert, notes=(*alert.notes, note)))
            elif place.is_object:
                below += [place.at(key) for key in place.value if isinstance(key, str)]
            else:
                below += place.items()
        if found:
            return found
        level = below
    return []


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
    flat = flat_records.flat_record(place)
    if flat is None:
        return None
    return cloudtrail.read_record(
        Place(flat.record, place.path), shape_words(flat.shape, envelope), flat.spelt, place.value
    )


def _read_guardduty(place: Place, envelope: tuple[str, ...]) -> Alert:
    if "p_log_type" in place.value:
        envelope = ("Panther", *envelope)
    return guardduty.read_finding(place, shape_words(_guardduty_form(place, envelope), envelope))


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
    (is_guardduty_finding, _read_guardduty),
    (security_hub.is_asff, _as("Security Hub finding (ASFF)", security_hub.read_asff)),
    (security_hub.is_ocsf_finding, _as("Security Hub finding (OCSF)", security_hub.read_ocsf)),
    (other_findings.is_macie, _as("Macie finding", other_findings.read_macie)),
    (other_findings.is_config, _as("Config compliance change", other_findings.read_config)),
    (
        other_findings.is_access_analyzer,
        _as("Access Analyzer finding", other_findings.read_access_analyzer),
    ),
    (_may_be_flat, _read_flat),
)
