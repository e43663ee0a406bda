"""One CloudTrail record, in CloudTrail's own spelling, as an `Alert`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.alert import Alert, Principal
from alerts.draft import Draft
from alerts.json_place import Place, sane_time
from alerts.times.sane_times import EARLIEST
from trail.events import Unreadable, event_id_of, event_row, time_of_event
from trail.read.place import join
from trail.read.summed import Summed

_TITLE_LENGTH = 160

_ROW_ORIGINS = {
    "id": "eventID",
    "region": "awsRegion",
    "source_ip_address": "sourceIPAddress",
    "user_agent": "userAgent",
    "event_source": "eventSource",
    "event_name": "eventName",
    "error_code": "errorCode",
    "event_id": "eventID",
}
_PRINCIPAL_ORIGINS = {
    "type": "type",
    "arn": "arn",
    "principal_id": "principalId",
    "access_key_id": "accessKeyId",
    "role_arn": "sessionContext.sessionIssuer.arn",
    "session_name": "principalId",
    "session_created": "sessionContext.attributes.creationDate",
    "user_name": "userName",
    "account_id": "accountId",
    "source_identity": "sessionContext.sourceIdentity",
    "sign_in_session_arn": "sessionContext.signInSessionArn",
}

_ID_ELSEWHERE = {
    "AWSService": ("invoked_by", "invokedBy"),
    "IdentityCenterUser": ("on_behalf_of", "onBehalfOf.userId"),
}
"""Types without a principal id: the column, and the path, of what identifies them instead."""


def read_record(
    place: Place,
    shape: str,
    spelt: Mapping[str, str] | None = None,
    raw: object = None,
    summed: Summed | None = None,
    ran: str | None = None,
) -> Alert | None:
    """The alert of the record at `place`; None if it has no event name and so is no record.

    `spelt` says how a tool that rewrote the record called its fields; `raw` is its own row, and
    `summed` says of when several events are that it sums up. `ran` is the path of its time where
    that is when a rule found it.
    """
    record = place.value
    names = spelt or {}

    def where(name: str) -> str:
        return join(place.path, names.get(name, name))

    draft = Draft()
    insight = place.at("insightDetails")
    if record.get("eventType") == "AwsCloudTrailInsight" or (
        "eventName" not in record and insight.is_object
    ):
        record = dict(record)
        record.setdefault("eventName", insight.at("eventName").text or "Insight")
        record.setdefault("eventSource", insight.at("eventSource").text)
        draft.note(
            "This is a CloudTrail Insights record: it says that a call's rate was unusual, and "
            "names no caller."
        )
    stated = [Place(record.get(name), where(name)) for name in ("eventTime", "@timestamp")]
    first, last = _ends(summed, place.path)
    if ran is None or not draft.fall_back_on(stated[:1], f"when the rule ran ({ran})"):
        draft.take_times(first or stated, (last or stated) if first else [])
    if summed is not None:
        draft.note("This sums up several events: what they have in common, and when they were.")
    try:
        time_of_event(record)
    except Unreadable:
        # A row needs a time; the alert must not pretend to have this one.
        record = dict(record, eventTime=EARLIEST.isoformat())
    try:
        row = event_row(record)
    except Unreadable:
        return None

    for name in ("source_ip_address", "user_agent", "event_source", "event_name", "error_code"):
        draft.put(name, row[name], where(_ROW_ORIGINS[name]))
    draft.put("region", row["aws_region"], where("awsRegion"))
    if place.at("eventID").text is not None and event_id_of(record) is not None:
        draft.put("id", row["event_id"], where("eventID"))
        draft.put("event_id", row["event_id"], where("eventID"))
        draft.fields["event_ids"] = (row["event_id"],)
    else:
        # What the index calls this record too, when it holds it in the same form.
        draft.put("id", row["event_id"], "a hash of the record")
    draft.take_account(
        Place(record.get("recipientAccountId"), where("recipientAccountId")),
        Place(row["recipient_account_id"], where("userIdentity.accountId")),
    )
    draft.fields["title"] = _title(row)
    principal, origins = principal_of_row(row)
    draft.add_principal(principal, **{name: where(path) for name, path in origins.items()})
    if principal.type == "AWSService":
        draft.note("An AWS service made this call: the record names no session behind it.")
    elif principal.type == "Unknown":
        draft.note("The record does not say what kind of identity made this call.")
    elif principal.type == "AWSAccount":
        draft.note(
            "The caller belongs to another account: this copy of the record shows only its "
            "account and principal id."
        )
    return draft.alert("cloudtrail", shape, place.value if raw is None else raw)


def _ends(summed: Summed | None, path: str) -> tuple[list[Place], list[Place]]:
    """The places of the first and the last time of what is summed up."""
    if summed is None:
        return [], []
    ends = [
        [] if end is None else [Place(end[1], join(path, end[0]))]
        for end in (summed.first, summed.last)
    ]
    return ends[0], ends[1]


def principal_of_row(row: Mapping[str, Any]) -> tuple[Principal, dict[str, str]]:
    """Who made the event of an event-table row, and the record's path of each field."""
    values = {
        "type": row["identity_type"] or "Unknown",
        "arn": row["principal_arn"],
        "principal_id": row["principal_id"],
        "access_key_id": row["access_key_id"],
        "role_arn": row["issuer_arn"],
        "session_name": row["session_name"],
        "session_created": row["session_created"],
        "user_name": row["user_name"],
        "account_id": row["account_id"],
        "source_identity": row["source_identity"],
        "sign_in_session_arn": row["sign_in_session_arn"],
    }
    created = values["session_created"]
    values["session_created"] = sane_time(created.isoformat()) if created else None
    paths = dict(_PRINCIPAL_ORIGINS)
    if values["principal_id"] is None and values["type"] in _ID_ELSEWHERE:
        column, paths["principal_id"] = _ID_ELSEWHERE[values["type"]]
        values["principal_id"] = row[column]
    origins = {
        name: f"userIdentity.{paths[name]}" for name, value in values.items() if value is not None
    }
    return Principal(**values), origins


def principal_of_identity(identity: Mapping[str, Any]) -> tuple[Principal, dict[str, str]]:
    """Who a `userIdentity` object names, and the path of each field, from `userIdentity.` on."""
    anytime = {"eventTime": "2006-01-01T00:00:00Z", "eventName": "-", "userIdentity": identity}
    return principal_of_row(event_row(anytime))


def _title(row: Mapping[str, Any]) -> str:
    name = row["event_name"]
    if not row["failed"]:
        return f"{name} ({row['event_source']})" if row["event_source"] else str(name)
    if row["error_code"]:
        return f"{name} failed with {row['error_code']}"
    title = f"{name} failed: {row['error_message']}" if row["error_message"] else f"{name} failed"
    return title if len(title) <= _TITLE_LENGTH else title[: _TITLE_LENGTH - 1] + "…"
