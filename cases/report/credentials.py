"""Credentials that AWS returned to somebody do not belong into a report, redacted or not.

CloudTrail itself leaves out most secrets, and not all: a `sessionToken` stands in responses, and a
pasted record may have a key's secret in full.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What AWS itself writes in the place of a secret."""

_NAMES = (
    "session_?token|security_?token|x-amz-security-token|secret_?access_?key|access_?token"
    "|refresh_?token|id_?token|client_?secret|authorization_?token"
)
_KEY = re.compile(_NAMES, re.I)
# As a JSON record writes it, in a JSON string however often quoted, or an Athena struct.
_IN_TEXT = re.compile(
    rf"((?<![\w-])(?:{_NAMES})(?:\\*\"|\\*&quot;|')?\s{{0,4}}[:=]\s{{0,4}}(?:\\*\"|\\*&quot;|')?)"
    r"([A-Za-z0-9+/=_.~%-](?:[A-Za-z0-9+/=_.~%-]|\\+/){7,})",
    re.I,
)


def without_credentials(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every secret masked, and how many they were under `masked_credentials`."""
    masking = _Masking()
    masked: dict[str, Any] = {key: masking.walk(value) for key, value in document.items()}
    return {**masked, "masked_credentials": masking.count}


class _Masking:
    """Masks, and counts: the same secret in two places is two values."""

    def __init__(self) -> None:
        self.count = 0

    def walk(self, value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {name: self.walk(inner, str(name)) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.walk(inner, key) for inner in value]
        if not isinstance(value, str):
            return value
        if _KEY.fullmatch(key) and len(value) > 7:
            return self._mask(value)
        return _IN_TEXT.sub(lambda match: match[1] + self._mask(match[2]), value)

    def _mask(self, secret: str) -> str:
        self.count += secret != MASK
        return MASK
