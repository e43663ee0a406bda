"""Which text is an access key id, and which only stands where one was.

Logs come masked (`AKIA****************`, `REDACTED`) and documentation has its own keys: two of
those that are equal are no two uses of one credential (§3.4 rule 1).
"""

from __future__ import annotations

import re

_KEY = re.compile(r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}")
_MASKED = re.compile(r"(.)\1{7}")
"""Eight of one character: no key of AWS's has such a run, and a mask always has."""
_DOCUMENTATION = ("IOSFODNN7EXAMPLE", "I44QH8DHBEXAMPLE")
"""How the keys of AWS's documentation end, whatever their first four letters."""
_STAND_INS = frozenset(
    {"", "-", "unknown", "redacted", "masked", "hidden", "null", "none", "n/a", "removed"}
    | {"anonymized", "anonymised", "hidden_due_to_security_reasons"}
)


def is_access_key(text: object) -> bool:
    """Whether the text identifies one credential of AWS's, long-term or temporary."""
    return (
        isinstance(text, str)
        and _KEY.fullmatch(text) is not None
        and _MASKED.search(text) is None
        and not text.endswith(_DOCUMENTATION)
    )


def is_stand_in(text: object) -> bool:
    """Whether the text, a key, an id or a name, only stands where the real one was masked."""
    if not isinstance(text, str):
        return False
    bare = text.strip().strip("<>[](){}\"'").casefold()
    return bare in _STAND_INS or "*" in text
