"""Identifiers that look like AWS's own: keys and unique ids that encode their account, GUIDs."""

from __future__ import annotations

import base64
from functools import cache
from random import Random

_TOP_BIT = 1 << 47


def _encoded(account: str, rng: Random) -> str:
    """16 base32 characters whose first 6 bytes hold the account, as modern AWS ids do."""
    head = _TOP_BIT | int(account) << 7 | rng.getrandbits(7)
    return base64.b32encode(head.to_bytes(6, "big") + rng.randbytes(4)).decode()


def access_key(account: str, rng: Random, prefix: str = "ASIA") -> str:
    """A new access key id: `ASIA…` temporary, `AKIA…` long-term."""
    return prefix + _encoded(account, rng)


@cache
def unique_id(prefix: str, account: str, name: str) -> str:
    """The unique id of a user (`AIDA`), role (`AROA`) or profile (`AIPA`): one per name, always."""
    rng = Random(f"unique:{prefix}:{account}:{name}")
    return prefix + _encoded(account, rng) + rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@cache
def long_term_key(account: str, user: str) -> str:
    """The one long-term key that an IAM user of the company has always had."""
    return access_key(account, Random(f"key:{account}:{user}"), "AKIA")


def guid(rng: Random) -> str:
    """A version 4 GUID, as event ids and request ids are."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def named_guid(name: str) -> str:
    """The GUID that belongs to a name, the same in every run."""
    return guid(Random(f"guid:{name}"))


def hexadecimal(rng: Random, length: int = 17) -> str:
    """Lower-case hex digits, as in the tail of `i-…`, `snap-…`, `vpce-…`."""
    return f"{rng.getrandbits(4 * length):0{length}x}"


def named_hexadecimal(name: str, length: int = 17) -> str:
    """The hex digits that belong to a name, the same in every run."""
    return hexadecimal(Random(f"hex:{name}"), length)
