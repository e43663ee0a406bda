"""One text for one value: the JSON form that is stored, compared and hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from trail.structs import by_key


def iso(moment: datetime) -> str:
    """The moment in UTC as fixed-width ISO 8601 with `Z`, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """The aware UTC moment that `iso` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses, structs and mappings as dicts, times as text."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, msgspec.Struct):
        return {key: plain(member) for key, member in by_key(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(inner) for inner in value), key=str)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces and ASCII only: equal values give equal bytes."""
    return json.dumps(plain(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """The SHA-256 of the value's canonical form, in hex."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()
