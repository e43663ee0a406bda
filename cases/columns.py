"""Column types that hold the same values on SQLite and PostgreSQL, whatever an attacker wrote."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from cases.canonical import canonical, from_iso, iso

_MARK = "\ue000"
# PostgreSQL's text refuses NUL, and neither database takes half a surrogate pair; both stand in
# JSON strings that anyone can send us.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff\ue000]")
_ESCAPED = re.compile(_MARK + "([0-9a-f]{4})")


class Words(TypeDecorator[str]):
    """Any Python string, given back exactly as it came."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return _UNSTORABLE.sub(lambda match: f"{_MARK}{ord(match[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time to the microsecond, kept as text that sorts by time."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else iso(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_iso(value)


class Document(TypeDecorator[Any]):
    """A JSON value in its canonical form: ASCII, so that both databases take every string."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
