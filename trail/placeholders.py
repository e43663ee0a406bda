"""Values that say nothing: words for "none", and ids that only stand where one was.

A tool prints `null` for what is not there, and whoever shares logs writes the same `EXAMPLE` or
`xxxxxxxx-…` over every event's id: two of those that are equal are no two copies of one event.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from trail.access_keys import is_stand_in
from trail.masks import is_written_over_an_id

NULLS = frozenset({"null", "NULL", "Null", "None", "<null>", "(null)", "\\N", "nil"})
"""How tools print what is not there. No field of CloudTrail's that is an id or a code is so."""
NO_ERRORS = frozenset(
    {"success", "succeeded", "successful", "none", "null", "nil", "n/a", "na", "nan", "0", "false"}
    | {"ok", "no error", "noerror", "no_error", "-", "--", ""}
)
"""What tools write, in small letters, in the column of an error where there was none. CloudTrail's
own records have no such field then, and no AWS error has such a name."""

_NOTHING = frozenset(word.casefold() for word in NULLS)
_OF_IDS = b"0123456789abcdefABCDEF-"
_NO_SIGN = re.compile(r"[\W_]+")
_NO_HEX = re.compile(r"[^0-9a-f-]")
_TEMPLATE = re.compile(r"x{8}-x{4}-[x\d]x{3}-[xyn\d]x{3}-x{12}")
_ONE_SIGN = frozenset(
    "-".join(sign * length for length in (8, 4, 4, 4, 12)) for sign in "0123456789abcdefABCDEF"
)


def are_plain_ids(ids: Sequence[Any]) -> bool:
    """Whether none of many event ids, all of them text, is a placeholder: told at once where all
    look like AWS's."""
    if not "".join(ids).encode("utf-8", "replace").translate(None, _OF_IDS):
        return _ONE_SIGN.isdisjoint(ids) and "-" not in ids
    return not any(map(is_no_id, ids))


@lru_cache(16_384)
def is_no_id(text: str) -> bool:
    """Whether an event's id is a mask or a placeholder, which many events share.

    AWS's ids are random UUIDs. Another exporter's may be anything, so only what surely is none is
    taken for none: one sign over and over, a template's letters, words that people write over ids.
    """
    bare = text.strip().casefold()
    if bare in _NOTHING or is_stand_in(text) or _TEMPLATE.fullmatch(bare):
        return True
    signs = _NO_SIGN.sub("", bare)
    if len(set(signs)) <= 1:
        return len(signs) >= 8 or not signs
    return _NO_HEX.search(bare) is not None and is_written_over_an_id(bare)
