"""Which addresses tell one network from others."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

_EVERYONES = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
        ),
    )
)


def is_public(address: str | None) -> bool:
    """Whether it is an address that tells one network from others; no service's name, and none of
    those that every network may use. Those that are reserved for examples tell demos' from others.
    """
    try:
        known = ip_address(address or "")
    except ValueError:
        return False
    return not any(known in network for network in _EVERYONES)
