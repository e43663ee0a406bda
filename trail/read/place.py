"""A value inside parsed JSON together with where it stood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

_NOT_IN_NAMES = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Place:
    """A JSON value and its path. Looking below what is not there gives a place that holds None.

    Keys are looked up as spelt, else in any case and without "_" and "-": SOAR tools rewrite
    `accessKeyDetails` as `AccessKeyDetails` or `access_key_details`, and mix them.
    """

    value: Any
    path: str = ""

    def at(self, *keys: str) -> Self:
        place = self
        for key in keys:
            place = place._child(key)
        return place

    def _child(self, key: str) -> Self:
        if isinstance(self.value, Mapping):
            if key in self.value:
                return type(self)(self.value[key], join(self.path, key))
            wanted = plain_name(key)
            for spelt, value in self.value.items():
                if plain_name(spelt) == wanted:
                    return type(self)(value, join(self.path, spelt))
        return type(self)(None, join(self.path, key))

    def items(self) -> list[Self]:
        """The places of a list's items; none if this is no list."""
        if not isinstance(self.value, list):
            return []
        return [
            type(self)(item, f"{self.path}[{number}]") for number, item in enumerate(self.value)
        ]

    def inside(self, value: Any) -> Self:
        """The place of what this string held when it was read as JSON."""
        return type(self)(value, f"{self.path} →")

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, Mapping)

    @property
    def text(self) -> str | None:
        """Text, or a number as text; blank and everything else as None."""
        if isinstance(self.value, str):
            return self.value.strip() or None
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return str(self.value)
        return None


def join(path: str, key: str) -> str:
    if path.endswith("→"):
        return f"{path} {key}"
    return f"{path}.{key}" if path else key


def plain_name(key: object) -> str:
    """A key without its case and punctuation: `Access_Key-Id` → `accesskeyid`."""
    return _plain(key) if isinstance(key, str) and len(key) < 200 else _stripped(str(key))


@lru_cache(8_192)
def _plain(key: str) -> str:
    return _stripped(key)


def _stripped(key: str) -> str:
    return _NOT_IN_NAMES.sub("", key).lower()
