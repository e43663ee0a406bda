"""What a security group lets in: port range and from where.

AuthorizeSecurityGroupIngress has `ipPermissions` (EC2 API Reference), in its older form the same
fields by themselves; ModifySecurityGroupRules has them in capitals.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alerts.content.call import Call, account_in, listing, named, texts_at, values_at
from alerts.content.let_in import other_accounts
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "network_open": "A security group lets the whole internet in.",
    "network_open_to_address": "A security group lets a public address in on a port for logging"
    " in or for a database.",
    "network_open_to_account": "A security group lets another account's group in.",
}

_ADMIN_PORTS = {
    22: "SSH", 23: "Telnet", 135: "RPC", 445: "SMB", 1433: "SQL Server", 1521: "Oracle",
    2375: "Docker", 3306: "MySQL", 3389: "RDP", 5432: "PostgreSQL", 5439: "Redshift",
    5900: "VNC", 5985: "WinRM", 5986: "WinRM", 6379: "Redis", 6443: "Kubernetes",
    9200: "Elasticsearch", 11211: "Memcached", 27017: "MongoDB",
}  # fmt: skip
"""Ports for logging in or for data, which no public website needs."""
MANY_PORTS = 1_000
LARGE = 7
"""The longest prefix that no organization has for itself."""
_TECHNIQUES = ("T1562.007",)


@dataclass(frozen=True)
class _Rule:
    """One permission: which ports, from where."""

    protocol: str
    first: int
    last: int
    ranges: frozenset[str]
    accounts: frozenset[str]

    def order(self) -> tuple[str, int, int, list[str], list[str]]:
        return self.protocol, self.first, self.last, sorted(self.ranges), sorted(self.accounts)

    @property
    def all_ports(self) -> bool:
        return self.protocol in ("-1", "all") or self.first < 0

    @property
    def ports(self) -> str:
        """ "every port", "port 22 (SSH)", "ports 20-25"."""
        if self.all_ports:
            return "every port and protocol"
        if self.protocol in ("icmp", "icmpv6", "1", "58"):
            return "ICMP"
        if (self.first, self.last) == (0, 65535):
            return "every port"
        if self.first == self.last:
            known = _ADMIN_PORTS.get(self.first)
            return f"port {self.first}{f' ({known})' if known else ''}"
        within = [name for port, name in _ADMIN_PORTS.items() if self.first <= port <= self.last]
        told = f" ({listing(within, 3)} among them)" if within else ""
        return f"ports {self.first}-{self.last}{told}"

    @property
    def is_grave(self) -> bool:
        """Whether the ports are for logging in or data, or very many."""
        if self.all_ports:
            return True
        if self.protocol in ("icmp", "icmpv6", "1", "58"):
            return False
        covers = any(self.first <= port <= self.last for port in _ADMIN_PORTS)
        return covers or self.last - self.first >= MANY_PORTS


def _ingress(call: Call) -> Iterator[ContentSign]:
    name = call.given("groupId") or call.given("groupName")
    if call.name == "ModifySecurityGroupRules":
        name = call.given("ModifySecurityGroupRulesRequest.GroupId") or name
    group = named("security group", name)
    rules = list(_rules(call))
    for rule in rules:
        everywhere = sorted(one for one in rule.ranges if _is_internet(one))
        if everywhere:
            whole = any(one.endswith("/0") for one in everywhere)
            to = "the whole internet" if whole else "a large part of the internet"
            yield ContentSign(
                "network_open",
                "for",
                rule.is_grave,
                f"{call.name} opened {rule.ports} of {group} to {to} ({listing(everywhere)}).",
                _TECHNIQUES,
                about=group,
            )
        elif rule.is_grave and (public := sorted(one for one in rule.ranges if _is_public(one))):
            yield ContentSign(
                "network_open_to_address",
                "for",
                False,
                f"{call.name} opened {rule.ports} of {group} to {listing(public)}.",
                _TECHNIQUES,
                about=group,
            )
        if outside := call.outsiders(sorted(rule.accounts)):
            yield ContentSign(
                "network_open_to_account",
                "for",
                False,
                f"{call.name} opened {rule.ports} of {group} to a group of"
                f" {other_accounts(outside, call)}.",
                _TECHNIQUES,
                outside,
                group,
            )


def _rules(call: Call) -> Iterator[_Rule]:
    found = list(values_at(call.request, "ipPermissions"))
    changed = "ModifySecurityGroupRulesRequest.SecurityGroupRule.SecurityGroupRule"
    found += values_at(call.request, changed)
    # The older form has an empty `ipPermissions` beside its own fields.
    if not any(found) and call.given("cidrIp"):
        found = [dict(call.request)]
    yield from sorted({_rule(one) for one in found[:200] if isinstance(one, dict)}, key=_Rule.order)


def _rule(value: dict[str, Any]) -> _Rule:
    ranges = {
        text
        for path in ("ipRanges.cidrIp", "ipv6Ranges.cidrIpv6", "cidrIp", "cidrIpv4", "cidrIpv6")
        for text in texts_at(value, path)
    }
    accounts = {account_in(text) for text in texts_at(value, "groups.userId")} - {""}
    protocol = next(texts_at(value, "ipProtocol"), "-1").casefold()
    first, last = (_port(next(texts_at(value, path), "")) for path in ("fromPort", "toPort"))
    return _Rule(protocol, first, max(first, last), frozenset(ranges), frozenset(accounts))


def _port(text: str) -> int:
    try:
        return max(-1, min(int(float(text)), 65535))
    except (ValueError, OverflowError):
        return -1


def _is_internet(text: str) -> bool:
    """Whether a range is the whole internet or a large part of it: two halves are as good."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen <= (LARGE if network.version == 4 else 2 * LARGE)


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).is_global
    except ValueError:
        return False


READERS: Readers = readers(
    ("ec2", "AuthorizeSecurityGroupIngress ModifySecurityGroupRules", _ingress)
)
