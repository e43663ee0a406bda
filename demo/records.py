"""The shape of one CloudTrail record, and the few shapes that differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from demo.company import GLOBAL_REGION
from demo.ids import access_key, guid

Record = dict[str, Any]

GLOBAL_SERVICES = frozenset({"iam", "organizations", "cloudfront", "route53", "ce", "support"})
_VERSIONS = {"sts": "1.08", "iam": "1.10", "signin": "1.08", "sso": "1.08", "ssm": "1.09"}
_VERSIONS |= {"monitoring": "1.09", "logs": "1.09", "rds": "1.10", "bedrock": "1.10"}
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}


def iso(at: int) -> str:
    """Seconds since 1970 as CloudTrail writes a time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spelled(at: int) -> str:
    """A time as STS spells an expiration: `Mar 26, 2026, 5:12:03 AM`."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%b} {when.day}, {when.year}, {when.hour % 12 or 12}:{when:%M:%S %p}"


@dataclass(frozen=True)
class Session:
    """A credential in use: who it is, from where, with what."""

    identity: Mapping[str, Any]
    account: str
    ip: str
    agent: str
    console: bool = False
    """The console signs every request with a new key of the same session."""
    vpc_endpoint: str | None = None
    service: str | None = None
    """The service that calls on the identity's behalf, when one does."""

    def where(self, ip: str, agent: str | None = None) -> Session:
        """The same credential used from another place."""
        return replace(self, ip=ip, agent=agent or self.agent, vpc_endpoint=None)


@dataclass(frozen=True)
class Call:
    """One API call as it may be made: what is asked, what is answered."""

    service: str
    name: str
    read: bool = True
    params: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    resources: tuple[Mapping[str, Any], ...] = ()
    error: tuple[str, str] | None = None
    data: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return f"{self.service}.amazonaws.com"

    def failing(self, code: str, message: str, *, keep_params: bool = True) -> Call:
        """The same call, refused."""
        params = self.params if keep_params else None
        return replace(self, error=(code, message), params=params, response=None, resources=())


def build(session: Session, call: Call, at: int, region: str, rng: Random) -> Record:
    """The record of one call, in CloudTrail's order of keys."""
    identity = dict(session.identity)
    if session.console or session.service:
        identity["accessKeyId"] = access_key(session.account, rng)
    if session.service:
        identity["invokedBy"] = session.service
    if call.service in GLOBAL_SERVICES:
        region = GLOBAL_REGION
    from_service = session.service or (
        session.ip if session.ip.endswith((".amazonaws.com", "AWS Internal")) else None
    )
    agent = session.service or session.agent
    if call.service == "s3" and not from_service:
        agent = f"[{agent}]"
    record: Record = {
        "eventVersion": _VERSIONS.get(call.service, "1.11"),
        "userIdentity": identity,
        "eventTime": iso(at),
        "eventSource": call.source,
        "eventName": call.name,
        "awsRegion": region,
        "sourceIPAddress": session.service or session.ip,
        "userAgent": agent,
    }
    if call.error:
        record["errorCode"], record["errorMessage"] = call.error
    record["requestParameters"] = call.params
    record["responseElements"] = call.response
    if call.service == "s3":
        record["additionalEventData"] = {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": f"EXAMPLE{rng.getrandbits(96):024x}=",
            "bytesTransferredOut": 0 if call.error else rng.randrange(300, 90_000),
        }
    record["requestID"] = guid(rng)
    record["eventID"] = guid(rng)
    record["readOnly"] = call.read
    if call.resources:
        record["resources"] = list(call.resources)
    record["eventType"] = "AwsApiCall"
    record["managementEvent"] = not call.data
    record["recipientAccountId"] = session.account
    if session.vpc_endpoint:
        record["vpcEndpointId"] = session.vpc_endpoint
        record["vpcEndpointAccountId"] = session.account
    record["eventCategory"] = "Data" if call.data else "Management"
    if not from_service:
        host = (call.params or {}).get("Host") or f"{call.service}.{region}.amazonaws.com"
        record["tlsDetails"] = {**_TLS, "clientProvidedHostHeader": host}
    if session.console:
        record["sessionCredentialFromConsole"] = "true"
    record.update(call.extra)
    return record
