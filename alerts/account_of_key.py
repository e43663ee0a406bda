"""The account that an access key id or a unique id was made in: a calculation, not a look-up."""

from __future__ import annotations

import base64
import re

# Ids of 20 (keys) or 21 characters: a prefix of four, then base32 whose first five bytes and one
# bit hold the account. Older ids are random there; they are known by a clear first bit (§2.5).
_ID = re.compile(r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[Q-Z2-7][A-Z2-7]{15,16}")
_ACCOUNT_BITS = 0x7FFFFFFFFF80


def account_of_key(key_id: str | None) -> str | None:
    """The 12-digit account id; None for ids too old to tell, placeholders and anything else.

    A made-up id gives a made-up account: show it as derived unless the account is a known one.
    """
    unique = (key_id or "").partition(":")[0]
    if _ID.fullmatch(unique) is None:
        return None
    decoded = base64.b32decode(unique[4:20])
    account = (int.from_bytes(decoded[:6], "big") & _ACCOUNT_BITS) >> 7
    return f"{account:012d}" if account < 10**12 else None
