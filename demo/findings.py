"""GuardDuty findings, in the three forms in which analysts meet them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

from demo.company import HOME_REGION
from demo.ids import guid, named_hexadecimal

_NETWORKS = {
    "203.0.113.0/26": ("64499", "Example Hotels", "Spain"),
    "203.0.113.64/26": ("64496", "Example Hosting", "Netherlands"),
    "203.0.113.128/25": ("64500", "Example Servers", "Singapore"),
    "192.0.2.0/24": ("64497", "Example Cloud Runners", "United States"),
    "198.51.100.0/24": ("64498", "Example Telecom", "Ireland"),
}
"""Who a documentation range belongs to in this world; the AS numbers are for documentation too."""


def _network(ip: str) -> tuple[str, str, str]:
    address = ip_address(ip)
    return next(owner for range_, owner in _NETWORKS.items() if address in ip_network(range_))


@dataclass(frozen=True)
class Finding:
    """What GuardDuty has to say about one credential."""

    type: str
    title: str
    description: str
    severity: float
    account: str
    key: str
    principal_id: str
    user_name: str
    """The user's name, or the role's."""
    user_type: str
    api: str
    source: str
    ip: str
    first: str
    last: str
    count: int
    region: str = HOME_REGION
    user_agent: str | None = None
    error: str | None = None
    resource: dict[str, Any] = field(default_factory=dict)
    affected: dict[str, str] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)


def camel(finding: Finding, rng: Random) -> dict[str, Any]:
    """The bare object of an S3 export, and the `detail` of an EventBridge event."""
    finding_id = f"{rng.getrandbits(128):032x}"
    detector = named_hexadecimal(f"detector:{finding.account}", 32)
    asn, org, country = _network(finding.ip)
    action: dict[str, Any] = {
        "api": finding.api,
        "serviceName": finding.source,
        "callerType": "Remote IP",
        "remoteIpDetails": {
            "ipAddressV4": finding.ip,
            "organization": {"asn": asn, "asnOrg": org, "isp": org, "org": org},
            "country": {"countryName": country},
            "city": {"cityName": "Exampleton"},
            "geoLocation": {"lat": 0.0, "lon": 0.0},
        },
        "affectedResources": finding.affected,
    }
    if finding.error:
        action["errorCode"] = finding.error
    if finding.user_agent:
        action["userAgent"] = finding.user_agent
    return {
        "schemaVersion": "2.0",
        "accountId": finding.account,
        "region": finding.region,
        "partition": "aws",
        "id": finding_id,
        "arn": f"arn:aws:guardduty:{finding.region}:{finding.account}:detector/{detector}"
        f"/finding/{finding_id}",
        "type": finding.type,
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": {
                "accessKeyId": finding.key,
                "principalId": finding.principal_id,
                "userName": finding.user_name,
                "userType": finding.user_type,
            },
            **finding.resource,
        },
        "service": {
            "serviceName": "guardduty",
            "detectorId": detector,
            "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": action},
            "resourceRole": "TARGET",
            "additionalInfo": finding.info,
            "eventFirstSeen": finding.first,
            "eventLastSeen": finding.last,
            "archived": False,
            "count": finding.count,
        },
        "severity": finding.severity,
        "createdAt": finding.last.replace("Z", ".412Z"),
        "updatedAt": finding.last.replace("Z", ".412Z"),
        "title": finding.title,
        "description": finding.description,
    }


def event_bridge(finding: Finding, rng: Random) -> dict[str, Any]:
    """The event that a rule on `aws.guardduty` receives."""
    detail = camel(finding, rng)
    return {
        "version": "0",
        "id": guid(rng),
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": finding.account,
        "time": finding.last,
        "region": finding.region,
        "resources": [],
        "detail": detail,
    }


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _pascal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_pascal(inner) for inner in value]
    return value


def api(finding: Finding, rng: Random) -> dict[str, Any]:
    """`aws guardduty get-findings` as it prints: Pascal case, the free-form part as text."""
    bare = camel(finding, rng)
    info = bare["service"].pop("additionalInfo")
    affected = bare["service"]["action"]["awsApiCallAction"].pop("affectedResources")
    result = _pascal(bare)
    result["Service"]["AdditionalInfo"] = {"Value": json.dumps(info), "Type": "default"}
    result["Service"]["Action"]["AwsApiCallAction"]["AffectedResources"] = affected
    return {"Findings": [result]}


@dataclass(frozen=True)
class Actor:
    """One identity of an attack sequence."""

    type: str
    name: str
    principal_id: str
    key: str
    account: str
    created: str | None = None
    issuer: str | None = None

    @property
    def id(self) -> str:
        return f"user:{self.type}:{self.principal_id}"


@dataclass(frozen=True)
class Signal:
    """One kind of deed in an attack sequence."""

    name: str
    source: str
    api: str
    actor: Actor
    first: str
    last: str
    count: int
    error: str | None = None


def sequence(
    finding: Finding, actors: list[Actor], signals: list[Signal], rng: Random
) -> dict[str, Any]:
    """An attack sequence as EventBridge sends it: several actors, and no access key at the top.

    `finding` gives what is common; its key, principal and call are not used.
    """
    event = event_bridge(finding, rng)
    detail = event["detail"]
    endpoint = {"id": f"ip:{finding.ip}", "ip": finding.ip, "connection": {"direction": "INBOUND"}}
    detail["resource"] = {"resourceType": "AttackSequence"}
    service = detail["service"]
    del service["action"], service["additionalInfo"]
    service["detection"] = {
        "sequence": {
            "uid": detail["id"],
            "description": finding.description,
            "actors": [_actor(actor) for actor in actors],
            "resources": [
                {
                    "uid": actor.key,
                    "name": actor.name,
                    "accountId": actor.account,
                    "resourceType": "ACCESS_KEY",
                    "region": finding.region,
                    "data": {
                        "accessKey": {
                            "principalId": actor.principal_id,
                            "userName": actor.name,
                            "userType": actor.type,
                        }
                    },
                }
                for actor in actors
            ],
            "endpoints": [endpoint],
            "signals": [_signal(signal, endpoint["id"], finding, rng) for signal in signals],
            "sequenceIndicators": [
                {"key": "HIGH_RISK_API", "values": ["sts:AssumeRole"], "title": "Risky calls"}
            ],
        }
    }
    return event


def _actor(actor: Actor) -> dict[str, Any]:
    session = {"mfaStatus": "DISABLED"}
    if actor.created and actor.issuer:
        session |= {"createdTime": actor.created, "issuer": actor.issuer}
    return {
        "id": actor.id,
        "user": {
            "name": actor.name,
            "uid": actor.principal_id,
            "type": actor.type,
            "credentialUid": actor.key,
            "account": {"uid": actor.account},
        },
        "session": session,
    }


def _signal(signal: Signal, endpoint: Any, finding: Finding, rng: Random) -> dict[str, Any]:
    api: dict[str, Any] = {"operation": signal.api, "service": signal.source}
    if signal.error:
        api["error"] = signal.error
    if finding.user_agent:
        api["userAgent"] = finding.user_agent
    return {
        "uid": guid(rng),
        "type": "CLOUD_TRAIL",
        "name": signal.name,
        "severity": finding.severity,
        "count": signal.count,
        "firstSeenAt": signal.first,
        "lastSeenAt": signal.last,
        "createdAt": signal.first,
        "updatedAt": signal.last,
        "actorIds": [signal.actor.id],
        "endpointIds": [endpoint],
        "resourceUids": [signal.actor.key],
        "signalIndicators": [],
        "activities": [{"api": api}],
    }
