"""Which names may stand where another was: two that are equal are perhaps not one.

Three questions with a list of words each, since what tells a mask is what the real thing is not:

- a **name** of a session, a role or a user may be nearly anything, so only words that nobody gives
  tell (`WRITTEN_OVER`), and even those may be a name: what rests on one is never sure, and it is
  looked up all the same;
- an **event's id** is a random UUID: any word in it is written over it (`ALSO_OVER_IDS` as well,
  which are parts of real names: `example-app`, `hidden-zone`);
- an **access key** is random capitals and digits, so that words of six letters and fewer are in
  real ones by chance: its list counts how often (`trail.access_keys`).
"""

from __future__ import annotations

import re

from trail.access_keys import is_stand_in

WRITTEN_OVER = (
    "redact", "masked", "anonymi", "obfuscat", "placeholder", "sanitiz", "sanitis", "scrubbed",
    "censored", "pseudonym",
)  # fmt: skip
"""Parts of words that people write over names and ids, in small letters."""
ALSO_OVER_IDS = ("example", "removed", "hidden", "withheld")

_A_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_TELLING = re.compile("|".join(WRITTEN_OVER), re.I)
_EXAMPLE = re.compile(r"EXAMPLE")
"""As AWS's documentation writes it over ids and names; `example` is a word."""


def could_be_a_name(text: str) -> bool:
    """Whether IAM allows it as a name, of a role, a session, a user or a federated user: whatever
    it looks like, somebody may be called so."""
    return _A_NAME.fullmatch(text) is not None


_NONE = frozenset({"", "-", "--", "null", "none", "nil", "nan", "n.a.", "undefined"})


def says_none(name: str) -> bool:
    """Whether it is how tools print that there is no name."""
    return name.strip().casefold() in _NONE


def may_be_mask(name: str) -> bool:
    """Whether a name is none that IAM would give, or tells that another was written over."""
    return (
        is_stand_in(name)
        or not could_be_a_name(name)
        or _TELLING.search(name) is not None
        or _EXAMPLE.search(name) is not None
        or (len(name) > 3 and len(set(name)) == 1)
    )


def is_written_over_an_id(text: str) -> bool:
    """Whether an id, in small letters, has a word in it that stands for another."""
    return any(word in text for word in (*WRITTEN_OVER, *ALSO_OVER_IDS))
