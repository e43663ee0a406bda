"""The audit log and other logs: switched off, narrowed, widened, made to expire.

Fields by CloudTrail's API Reference (EventSelector, AdvancedEventSelector, UpdateTrail). What a
selector was before stands in another record: one is called narrow where it leaves out management
events, wide where it has all of them and data events as well, and else nothing.

Starting a log speaks against, and modestly: whoever may call StartLogging can do so to look like
the owner, at no cost. The sign says that this call is no accusation, not that its caller is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alerts.content.call import Call, last_part, listing, named, texts_at, values_at
from alerts.content.plain import plainly
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign
from trail.counted import counted

KINDS = {
    "logging_stopped": "The audit log was stopped or deleted.",
    "logging_narrowed": "The audit log was made to leave events out.",
    "logging_redirected": "The audit log was sent to another bucket.",
    "logging_started": "A log was made or started.",
    "logging_widened": "The audit log was made to record more.",
    "other_log_stopped": "A network, DNS, access or model log was stopped or deleted.",
    "other_log_shortened": "Logs were made to be kept for a few days alone.",
    "logs_expire": "Objects of what is a log bucket by its name or rule were made to expire soon.",
    "objects_expire": "Objects of a bucket were made to expire soon.",
}

_OFF = "T1562.008"
FEW_DAYS = 3
"""Days of a log's or an object's life that are few."""


def _stopped(call: Call) -> Iterator[ContentSign]:
    trail = named("trail", last_part(call.given("name")))
    did = {"StopLogging": "stopped", "DeleteTrail": "deleted"}[call.name]
    yield ContentSign(
        "logging_stopped", "for", True, f"{call.name} {did} {trail}.", (_OFF,), about=trail
    )


def _started(call: Call) -> Iterator[ContentSign]:
    trail = named("trail", last_part(call.given("name")))
    did = {
        "StartLogging": f"started {trail}: it records again, or for the first time",
        "CreateTrail": f"made {trail}, which records once it is started",
    }.get(call.name, f"made or started {trail}")
    yield ContentSign("logging_started", "against", False, f"{call.name} {did}.", about=trail)


def _store_started(call: Call) -> Iterator[ContentSign]:
    store = named("event data store", last_part(call.given("eventDataStore") or call.given("name")))
    yield ContentSign(
        "logging_started", "against", False, f"{call.name} made or started {store}.", about=store
    )


def _selectors(call: Call) -> Iterator[ContentSign]:
    trail = named("trail", last_part(call.given("trailName")))
    classic = [one for one in values_at(call.request, "eventSelectors") if isinstance(one, dict)]
    advanced = [
        one for one in values_at(call.request, "advancedEventSelectors") if isinstance(one, dict)
    ]
    if not classic and not advanced:
        return
    if advanced:
        missing, graver, more = _by_fields(advanced)
    else:
        missing, graver, more = _by_classic(classic)
    if missing:
        yield ContentSign(
            "logging_narrowed",
            "for",
            graver,
            f"PutEventSelectors left out of {trail}: {listing(missing)}.",
            (_OFF,),
            about=trail,
        )
    elif more:
        yield ContentSign(
            "logging_widened",
            "against",
            False,
            f"PutEventSelectors has {trail} record all management events and data events of"
            f" {listing(more)}.",
            about=trail,
        )


def _by_classic(selectors: list[dict[str, Any]]) -> tuple[list[str], bool, list[str]]:
    """What the selectors leave out of management events, whether that is much, and which data
    events they have."""
    kept: set[str] = set()
    sources: set[str] = set()
    data: set[str] = set()
    for one in selectors:
        kind = next(texts_at(one, "readWriteType"), "All")
        if _is_true(one, "includeManagementEvents", default=True):
            kept |= {"ReadOnly", "WriteOnly"} if kind == "All" else {kind}
            sources |= set(texts_at(one, "excludeManagementEventSources"))
        for resource in values_at(one, "dataResources"):
            if isinstance(resource, dict) and any(texts_at(resource, "values")):
                data |= set(texts_at(resource, "type"))
    return *_left_out(kept, sources), sorted(data)


def _by_fields(selectors: list[dict[str, Any]]) -> tuple[list[str], bool, list[str]]:
    """The same of advanced selectors."""
    kept: set[str] = set()
    sources: set[str] = set()
    data: set[str] = set()
    for one in selectors:
        fields: dict[str, dict[str, list[str]]] = {}
        for field in values_at(one, "fieldSelectors"):
            if isinstance(field, dict):
                name = next(texts_at(field, "field"), "").casefold()
                fields[name] = {key: list(texts_at(field, key)) for key in ("equals", "notEquals")}
        categories = fields.get("eventcategory", {}).get("equals", [])
        if "Management" in categories:
            read_only = fields.get("readonly", {}).get("equals", [])
            both = {"ReadOnly", "WriteOnly"}
            kept |= {"true": {"ReadOnly"}, "false": {"WriteOnly"}}.get(
                (read_only or [""])[0].casefold(), both
            )
            sources |= set(fields.get("eventsource", {}).get("notEquals", []))
        if "Data" in categories:
            data |= set(fields.get("resources.type", {}).get("equals", []))
    return *_left_out(kept, sources), sorted(data)


def _left_out(kept: set[str], sources: set[str]) -> tuple[list[str], bool]:
    if not kept:
        return ["all management events"], True
    missing = []
    if "WriteOnly" not in kept:
        missing.append("management events that write")
    if "ReadOnly" not in kept:
        missing.append("management events that read")
    grave = "WriteOnly" not in kept
    # Leaving out the key service's many calls is what AWS's console itself offers, for the cost.
    if left := sorted(sources):
        missing.append(f"management events of {listing(left)}")
        grave = grave or any(not one.startswith(("kms.", "rdsdata.")) for one in left)
    return missing, grave


def _is_true(value: Mapping[str, Any], path: str, *, default: bool) -> bool:
    stated = next(values_at(value, path), default)
    return stated.casefold() != "false" if isinstance(stated, str) else stated is not False


def _updated(call: Call) -> Iterator[ContentSign]:
    trail = named("trail", last_part(call.given("name")))
    narrower = {
        "isMultiRegionTrail": "all other Regions",
        "includeGlobalServiceEvents": "global services, IAM and STS among them",
        "isOrganizationTrail": "the organization's other accounts",
    }
    out = [words for flag, words in narrower.items() if call.said(flag, False)]
    if out:
        yield ContentSign(
            "logging_narrowed",
            "for",
            True,
            f"UpdateTrail has {trail} leave out {listing(out)}, if it had them.",
            (_OFF,),
            about=trail,
        )
    elif call.said("enableLogFileValidation", False):
        yield ContentSign(
            "logging_narrowed",
            "for",
            False,
            f"UpdateTrail has {trail} write no digests, by which changed files would be found.",
            (_OFF,),
            about=trail,
        )
    elif any(call.said(flag, True) for flag in narrower):
        wide = [words for flag, words in narrower.items() if call.said(flag, True)]
        yield ContentSign(
            "logging_widened",
            "against",
            False,
            f"UpdateTrail has {trail} record {listing(wide)}.",
            about=trail,
        )
    elif bucket := call.given("s3BucketName"):
        yield ContentSign(
            "logging_redirected",
            "for",
            False,
            f"UpdateTrail has {trail} write to {named('bucket', bucket)}.",
            (_OFF,),
            about=trail,
        )


def _insights(call: Call) -> Iterator[ContentSign]:
    trail = named("trail", last_part(call.given("trailName")))
    stated = call.value("insightSelectors")
    kinds = call.all_given("insightSelectors.insightType")
    if kinds:
        yield ContentSign(
            "logging_widened", "against", False,
            f"PutInsightSelectors has {trail} record unusual activity ({listing(kinds)}).",
            about=trail,
        )  # fmt: skip
    elif stated is None and _has_empty_list(call.request, "insightSelectors"):
        yield ContentSign(
            "logging_narrowed", "for", False,
            f"PutInsightSelectors has {trail} record no unusual activity.", (_OFF,), about=trail,
        )  # fmt: skip


def _has_empty_list(value: Mapping[str, Any], field: str) -> bool:
    return any(key.casefold() == field.casefold() and below == [] for key, below in value.items())


def _retention(call: Call) -> Iterator[ContentSign]:
    group = named("log group", call.given("logGroupName"))
    days = _number(call.given("retentionInDays"))
    if days is not None and days <= FEW_DAYS:
        yield ContentSign(
            "other_log_shortened", "for", False,
            f"PutRetentionPolicy has {group} kept for {counted(days, 'day')} alone.",
            (_OFF, "T1070"), about=group,
        )  # fmt: skip


_HOLDS_LOGS = re.compile(r"trail|log|audit|siem", re.I)


def _lifecycle(call: Call) -> Iterator[ContentSign]:
    name = call.given("bucketName")
    bucket = named("bucket", name)
    days = [
        number
        for rule in values_at(call.request, "LifecycleConfiguration.Rule")
        if isinstance(rule, dict)
        and next(texts_at(rule, "Status"), "").casefold() == "enabled"
        for text in texts_at(rule, "Expiration.Days")
        if (number := _number(text)) is not None
    ]  # fmt: skip
    if not days or min(days) > FEW_DAYS:
        return
    rules = call.all_given("LifecycleConfiguration.Rule.ID")
    is_log = any(_HOLDS_LOGS.search(one) for one in (name, *rules))
    yield ContentSign(
        "logs_expire" if is_log else "objects_expire",
        "for",
        is_log,
        f"{call.name} has objects of {bucket} deleted after {counted(min(days), 'day')}"
        f"{', and its name or its rule speaks of logs' if is_log else ''}.",
        (_OFF, "T1485") if is_log else ("T1485",),
        about=bucket,
    )


def _access_log(call: Call) -> Iterator[ContentSign]:
    """An empty status switches a bucket's access log off (S3 API Reference, PutBucketLogging)."""
    if not any(key.casefold() == "bucketloggingstatus" for key in call.request):
        return
    if next(values_at(call.request, "BucketLoggingStatus.LoggingEnabled"), None) is None:
        bucket = named("bucket", call.given("bucketName"))
        yield ContentSign(
            "other_log_stopped", "for", False,
            f"PutBucketLogging switched the access log of {bucket} off.", (_OFF,), about=bucket,
        )  # fmt: skip


def _number(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


READERS: Readers = readers(
    ("cloudtrail", "StopLogging DeleteTrail", _stopped),
    ("cloudtrail", "StartLogging CreateTrail", _started),
    ("cloudtrail", "CreateEventDataStore StartEventDataStoreIngestion RestoreEventDataStore",
     _store_started),
    ("cloudtrail", "PutEventSelectors", _selectors),
    ("cloudtrail", "PutInsightSelectors", _insights),
    ("cloudtrail", "UpdateTrail", _updated),
    ("cloudtrail", "DeleteEventDataStore",
     plainly("logging_stopped", "deleted", "event data store", "eventDataStore",
             techniques=_OFF, grave=True)),
    ("cloudtrail", "StopEventDataStoreIngestion",
     plainly("logging_stopped", "stopped", "event data store", "eventDataStore",
             techniques=_OFF, grave=True)),
    ("ec2", "DeleteFlowLogs",
     plainly("other_log_stopped", "deleted", "flow log",
             "DeleteFlowLogsRequest.FlowLogId.content", "DeleteFlowLogsRequest.FlowLogId",
             techniques=_OFF, grave=True)),
    ("route53resolver", "DeleteResolverQueryLogConfig DisassociateResolverQueryLogConfig",
     plainly("other_log_stopped", "stopped", "DNS query log", "resolverQueryLogConfigId",
             techniques=_OFF, grave=True)),
    ("logs", "DeleteLogGroup",
     plainly("other_log_stopped", "deleted", "log group", "logGroupName",
             techniques=f"{_OFF} T1070")),
    ("logs", "DeleteLogStream",
     plainly("other_log_stopped", "deleted", "log stream", "logStreamName",
             techniques=f"{_OFF} T1070")),
    ("logs", "PutRetentionPolicy", _retention),
    ("s3", "PutBucketLifecycle PutBucketLifecycleConfiguration", _lifecycle),
    ("s3", "PutBucketLogging", _access_log),
    ("bedrock", "DeleteModelInvocationLoggingConfiguration",
     plainly("other_log_stopped", "stopped", "the log of model invocations",
             techniques=_OFF, grave=True)),
)  # fmt: skip
