"""How else people and programs write what is told by its form: addresses, accounts, phones, hosts.

`203.0.113.5` is `3405803781`, `0xCB007105` and `203.000.113.005`; an account loses its leading zero
where a program takes it for a number.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cases.redaction.kinds import ACCOUNT, ADDRESS, HOST, PHONE


def other_writings(original: str, kind: str) -> set[str]:
    """The same thing written another way; empty where we know of none."""
    ways = {ACCOUNT: _of_account, ADDRESS: _of_address, PHONE: _of_phone, HOST: _of_host}
    return {*ways[kind](original)} - {original} if kind in ways else set()


def _of_account(original: str) -> Iterator[str]:
    digits = "".join(one for one in original if one.isdigit())
    yield digits
    for between in "-.,_ /\u2013\u2011\u00a0":
        yield between.join((digits[:4], digits[4:8], digits[8:]))
        yield between.join(digits[at : at + 3] for at in range(0, 12, 3))
    bare = digits.lstrip("0")
    if 8 < len(bare) < len(digits):
        yield bare
        yield f"{int(bare):,}"


def _of_address(original: str) -> Iterator[str]:
    address = ipaddress.ip_address(without_padding(original))
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            whole = ":".join(f"{int(part, 16):x}" for part in address.exploded.split(":"))
            for written in (str(address), address.exploded, whole):
                yield from (written, written.replace(":", "-"))
            number = int(address)
            yield from (f"{number}", f"{number:032x}", f"0x{number:x}", address.reverse_pointer)
            return
        address = address.ipv4_mapped
    number, parts = int(address), str(address).split(".")
    yield from (str(address), f"{number}", f"{number:08x}", f"0x{number:x}", f"0{number:o}")
    yield ".".join(f"{int(part):03d}" for part in parts)
    yield ".".join(f"0x{int(part):02x}" for part in parts)
    yield ".".join(f"0{int(part):03o}" for part in parts)
    yield from ("-".join(parts), "_".join(parts), ".".join(reversed(parts)))


def thing_of(original: str, kind: str) -> str:
    """What all writings of one thing have in common: `::ffff:203.0.113.5` is `203.0.113.5`."""
    if kind != ADDRESS:
        return original.casefold()
    address = ipaddress.ip_address(without_padding(original))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def without_padding(address: str) -> str:
    """`203.0.113.5` of `203.000.113.005`; any other text as it is."""
    parts = address.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts):
        return ".".join(part.lstrip("0") or "0" for part in parts)
    return address


def _of_phone(original: str) -> Iterator[str]:
    digits = "".join(one for one in original if one.isdigit())
    if len(digits) > 7:
        yield from (digits, f"00{digits}", f"+{digits}")


def _of_host(original: str) -> Iterator[str]:
    if original.isascii():
        return
    try:
        yield original.encode("idna").decode("ascii")
    except UnicodeError:  # no label of a host
        return
