"""The stand-ins, by the kind of what they stand for: `user-1`, `role-2`, an account's 12 digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import ahocorasick

ACCOUNT = "account"
ADDRESS = "address"
EMAIL = "email"
HOST = "host"
KEY = "key"  # an access key, or the unique id of a user or role: all begin with four letters
NAME = "name"  # what a field names without saying as what
PHONE = "phone"
RESOURCE = "resource"  # i-0123…, vpc-0123…

CERTAIN = frozenset({ACCOUNT, ADDRESS, EMAIL, HOST, KEY, PHONE, RESOURCE})
"""Kinds that are told by their form: nothing of ours looks like one of them."""


def stand_in(kind: str, original: str, number: int) -> str:
    """What the `number`th original of that kind is called from now on."""
    if kind == ACCOUNT:
        digits = f"99990000{number:04d}"
        between = next((one for one in "- " if one in original), "")
        return between.join((digits[:4], digits[4:8], digits[8:]))
    if kind == KEY:
        return f"{original[:4].upper()}{'REDACTED':0<{max(8, len(original) - 8)}}{number:04d}"
    if kind == EMAIL:
        return f"person-{number}@redacted.example"
    if kind == HOST:
        return f"host-{number}.redacted.example"
    if kind == RESOURCE:
        return f"{original.partition('-')[0].lower()}-{number:017d}"
    return f"{kind}-{number}"


def named(
    originals: Mapping[str, str], clear: Iterable[str], thing_of: Callable[[str, str], str]
) -> dict[str, str]:
    """A stand-in for each original (text → kind), none of which is an original itself.

    `clear` are originals, case-folded, that a stand-in must not even contain; `thing_of` an
    original and its kind is the same for two that are one thing written in two ways.
    """
    counters: dict[str, int] = {}
    taken = {one.casefold() for one in originals}
    contained = ahocorasick.Automaton()
    for one in clear:
        if one:
            contained.add_word(one, None)
    contained.make_automaton()

    def holds_one(candidate: str) -> bool:
        return len(contained) > 0 and any(True for _ in contained.iter(candidate))

    found: dict[str, str] = {}
    of_things: dict[str, str] = {}
    for original, kind in originals.items():
        if original.casefold() in found:
            continue
        thing = thing_of(original, kind)
        if thing in of_things:
            found[original.casefold()] = of_things[thing]
            continue
        while True:
            counters[kind] = counters.get(kind, 0) + 1
            candidate = stand_in(kind, original, counters[kind])
            if holds_one(candidate.casefold()):
                candidate = f"x{counters[kind]:06d}{len(found):06d}"
                if holds_one(candidate):
                    candidate = "·" * (len(found) + 3)
            if candidate.casefold() not in taken:
                break
        found[original.casefold()] = candidate
        of_things[thing] = candidate
    return found
