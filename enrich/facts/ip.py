"""What can be said of a source address without asking a network (§9).

`sourceIPAddress` may be a public or private IP, an AWS service's host name, or `AWS Internal`.
Only what parses as an address is treated as one. Whether a public address is AWS's own is known
only where a copy of AWS's published `ip-ranges.json` is configured.
"""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Kind = Literal["public", "private", "reserved", "aws_service", "aws_internal", "unknown"]

IP_RANGES_SETTING = "BACKTRAIL_AWS_IP_RANGES"
"""Names the environment variable that holds the path of an `ip-ranges.json`."""

_SHARED = ipaddress.ip_network("100.64.0.0/10")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class IpFacts:
    """What an address is; `sentence` says it in words."""

    text: str
    kind: Kind
    sentence: str
    network: str | None = None
    """The /24 (or IPv6 /64) around a public or private address: the unit of "the same network"."""
    aws_service: str | None = None
    aws_region: str | None = None

    @property
    def is_address(self) -> bool:
        return self.kind in ("public", "private", "reserved")


def ip_facts(text: str | None, vpc_endpoint_id: str | None = None) -> IpFacts:
    """The facts on one `sourceIPAddress`."""
    value = (text or "").strip()
    if value.startswith("AWS Internal"):
        return IpFacts(value, "aws_internal", "inside AWS: a console or service backend")
    if value.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws.internal")):
        return IpFacts(value, "aws_service", "an AWS service, on the caller's behalf")
    address = parse_address(value)
    if address is None:
        return IpFacts(value, "unknown", "not an address" if value else "no address stated")
    network = network_of(value)
    if vpc_endpoint_id is not None and vpc_endpoint_id.startswith("vpce-"):
        return IpFacts(value, "private", f"through VPC endpoint {vpc_endpoint_id}", network)
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return IpFacts(value, "reserved", "a machine's own address", network)
    if any(address in block for block in _DOCUMENTATION if block.version == address.version):
        return IpFacts(value, "public", "an address reserved for examples", network)
    if address.is_private or (address.version == 4 and address in _SHARED):
        return IpFacts(
            value,
            "private",
            "a private address: ambiguous across VPCs, behind an endpoint",
            network,
        )
    owner = _aws_owner(address)
    if owner is not None:
        service, region = owner
        return IpFacts(
            value, "public", f"AWS's own range ({service}, {region})", network, service, region
        )
    return IpFacts(value, "public", "a public address", network)


def parse_address(text: str | None) -> Address | None:
    """The address, an IPv4 one also where it is written inside IPv6; None for anything else."""
    try:
        address = ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else address


def network_of(text: str | None) -> str | None:
    """The /24 of an IPv4 address, the /64 of an IPv6 one; None for a name."""
    address = parse_address(text)
    if address is None:
        return None
    bits = 24 if address.version == 4 else 64
    return str(
        ipaddress.ip_network((int(address).to_bytes(address.max_prefixlen // 8), bits), False)
    )


@dataclass(frozen=True)
class ReportedPlace:
    """Where GuardDuty says that a finding's remote address is; null where it does not say."""

    ip_address: str | None
    country: str | None
    city: str | None
    asn: str | None
    organization: str | None


def reported_place(raw: str) -> ReportedPlace | None:
    """What a finding's own JSON reports of its remote address (§7), None if it is no finding."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    details = _remote_details(document)
    if details is None:
        return None
    organization = _part(details, "organization")
    return ReportedPlace(
        _text(_member(details, "ipAddressV4")) or _text(_member(details, "ipAddressV6")),
        _text(_member(_part(details, "country"), "countryName"))
        or _text(_member(_part(details, "country"), "countryCode")),
        _text(_member(_part(details, "city"), "cityName")),
        _text(_member(organization, "asn")),
        _text(_member(organization, "asnOrg")) or _text(_member(organization, "org")),
    )


_DEEPEST = 12


def _remote_details(value: object, depth: int = 0) -> dict[str, object] | None:
    """The first `remoteIpDetails` object, in the API's spelling or EventBridge's."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        found = _member(value, "remoteIpDetails")
        if isinstance(found, dict):
            return found
        children: list[object] = list(value.values())
    else:
        children = value if isinstance(value, list) else []
    for child in children:
        if (inner := _remote_details(child, depth + 1)) is not None:
            return inner
    return None


def _member(container: dict[str, object], name: str) -> object:
    for key, value in container.items():
        if key.lower() == name.lower():
            return value
    return None


def _part(container: dict[str, object], name: str) -> dict[str, object]:
    value = _member(container, name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


_DOCUMENTATION = tuple(
    ipaddress.ip_network(block)
    for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)


def _aws_owner(address: Address) -> tuple[str, str] | None:
    """The most specific published prefix that holds the address: (service, region)."""
    path = os.environ.get(IP_RANGES_SETTING)
    if not path:
        return None
    found: tuple[int, str, str] | None = None
    for network, service, region in _published(path):
        if network.version == address.version and address in network:
            # "AMAZON" repeats every prefix; the service's own row says more.
            rank = network.prefixlen * 2 + (service != "AMAZON")
            if found is None or rank > found[0]:
                found = (rank, service, region)
    return (found[1], found[2]) if found else None


@lru_cache(maxsize=1)
def _published(path: str) -> tuple[tuple[Network, str, str], ...]:
    """The rows of an `ip-ranges.json`; none when it cannot be read, since it is optional."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        rows = [
            (row.get("ip_prefix") or row["ipv6_prefix"], row["service"], row["region"])
            for row in [*document.get("prefixes", ()), *document.get("ipv6_prefixes", ())]
        ]
        return tuple((ipaddress.ip_network(prefix), str(s), str(r)) for prefix, s, r in rows)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return ()
