"""Findings of Macie, Config and IAM Access Analyzer: who they name, and little else."""

from __future__ import annotations

from alerts.alert import Alert, Principal
from alerts.arns import principal_of_arn
from alerts.draft import Draft
from alerts.json_place import Place, first_time
from alerts.kinds.cloudtrail import principal_of_identity
from alerts.kinds.security_hub import LABELS
from trail.read.place import join

_MACIE_IDENTITIES = {
    "assumedRole": "AssumedRole",
    "iamUser": "IAMUser",
    "federatedUser": "FederatedUser",
    "root": "Root",
    "awsAccount": "AWSAccount",
    "awsService": "AWSService",
}


def is_macie(place: Place) -> bool:
    return place.at("resourcesAffected").is_object and place.at("type").text is not None


def read_macie(place: Place, shape: str) -> Alert:
    draft = _common(place)
    call = place.at("policyDetails", "action", "apiCallDetails")
    draft.take("event_name", call.at("api"))
    draft.take("event_source", call.at("apiServiceName"))
    draft.take_times([call.at("firstSeen")], [call.at("lastSeen")])
    draft.take(
        "severity",
        place.at("severity", "description"),
        read=lambda found: LABELS.get((found.text or "").lower()),
    )
    actor = place.at("policyDetails", "actor")
    draft.take("source_ip_address", actor.at("ipAddressDetails", "ipAddressV4"))
    for key, kind in _MACIE_IDENTITIES.items():
        identity = actor.at("userIdentity", key)
        if identity.is_object:
            person, origins = principal_of_identity({**identity.value, "type": kind})
            draft.add_principal(
                person,
                **{
                    name: join(identity.path, path.removeprefix("userIdentity."))
                    for name, path in origins.items()
                },
            )
    draft.fields["sample"] = place.at("sample").is_true
    return _finished(draft, "macie", shape, place)


def is_config(place: Place) -> bool:
    return place.at("configRuleName").text is not None and place.at("resourceType").text is not None


def read_config(place: Place, shape: str) -> Alert:
    draft = _common(place)
    rule, resource = place.at("configRuleName"), place.at("resourceId")
    result = place.at("newEvaluationResult")
    compliance = result.at("complianceType").text or "changed"
    draft.fields["title"] = f"{rule.text}: {resource.text} is {compliance}"
    time = result.at("resultRecordedTime")
    draft.fall_back_on([time], "when Config judged the resource")
    unique = resource.text or ""
    if unique.startswith(("AIDA", "AROA")):
        kind = "IAMUser" if unique.startswith("AIDA") else "Role"
        draft.add_principal(
            Principal(kind, principal_id=unique, account_id=draft.fields.get("account_id")),
            principal_id=resource.path,
        )
        draft.note("The principal is the resource that Config judged, not who changed it.")
    return _finished(draft, "config", shape, place)


def is_access_analyzer(place: Place) -> bool:
    return (
        place.at("resource").text is not None
        and place.at("resourceType").text is not None
        and (place.at("analyzedAt").text is not None or place.at("isPublic").value is not None)
    )


def read_access_analyzer(place: Place, shape: str) -> Alert:
    draft = _common(place)
    draft.fields["title"] = f"{place.at('resource').text} is shared outside its zone of trust"
    found = first_time([place.at("createdAt"), place.at("analyzedAt")])
    draft.fall_back_on([found], "when Access Analyzer found the sharing")
    shared_with = place.at("principal", "AWS")
    if (text := shared_with.text) is not None:
        person = principal_of_arn(text)
        if person is None and text.isdigit():
            person = Principal("AWSAccount", account_id=text)
        if person is not None:
            draft.add_principal(person, arn=shared_with.path)
            draft.note("The principal is whom the resource is shared with.")
    return _finished(draft, "access-analyzer", shape, place)


def _common(place: Place) -> Draft:
    draft = Draft()
    draft.take("id", place.at("id"))
    draft.take("title", place.at("title"))
    draft.take("finding_type", place.at("type"))
    draft.take_account(place.at("accountId"), place.at("awsAccountId"))
    draft.take("region", place.at("region"), place.at("awsRegion"))
    return draft


def _finished(draft: Draft, source: str, shape: str, place: Place) -> Alert:
    if not draft.principals:
        draft.note("The finding names no AWS identity: give the principal to look for.")
    if "first_seen" not in draft.fields:
        draft.fall_back_on(
            [place.at("createdAt"), place.at("updatedAt")],
            "when the finding was created, or last updated",
        )
    return draft.alert(source, shape, place.value)
