"""Readers for calls whose sentence is their name, a verb and the thing that they name."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, last_part, listing, named
from alerts.content.readers import Reader
from alerts.content.sign import ContentSign


def things(call: Call, kind: str, *paths: str) -> str:
    """ "instance i-1", "instance i-1 and instance i-2", or the kind alone where none is named."""
    stated = call.all_given(*paths)
    found = [last_part(one) if one.startswith("arn:") else one for one in stated]
    if len(found) > 1:
        return listing([named(kind, one) for one in found])
    return named(kind, found[0] if found else "")


def plainly(
    kind: str, verb: str, thing: str, *paths: str, techniques: str, grave: bool = False,
    tail: str = "",
) -> Reader:  # fmt: skip
    """A reader that says: the call's name, the verb, the thing at the paths."""

    def read(call: Call) -> Iterator[ContentSign]:
        about = things(call, thing, *paths) if paths else thing
        sentence = f"{call.name} {verb} {about}{tail}."
        yield ContentSign(kind, "for", grave, sentence, tuple(techniques.split()), about=about)

    return read
