"""Country, city and network owner of an address, from MaxMind-format files that a user configures.

The files are read where they lie; nothing is asked of a network. Without the setting nothing is
said, and a file that cannot be read says so wherever an address is described.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

from enrich.facts.ip import ReportedPlace, parse_address

FILES_SETTING = "BACKTRAIL_MMDB"
"""The environment variable that lists `.mmdb` files, between `os.pathsep`s."""


def located(text: str | None) -> ReportedPlace | None:
    """What the configured files say of an address; None when they know nothing of it."""
    address = parse_address(text)
    if address is None:
        return None
    place = ReportedPlace(str(address), None, None, None, None)
    for reader in _readers(os.environ.get(FILES_SETTING, "")):
        if address.version == 6 and reader.metadata().ip_version == 4:
            continue
        record = reader.get(address)
        if isinstance(record, Mapping):
            place = _merged(place, record)
    return place if (place.country or place.city or place.asn or place.organization) else None


def unreadable_files() -> tuple[str, ...]:
    """The configured files that cannot be read, with the reason each."""
    return tuple(
        f"{path}: {reason}"
        for path, reader, reason in _opened(os.environ.get(FILES_SETTING, ""))
        if reader is None
    )


def _merged(place: ReportedPlace, record: Mapping[str, Any]) -> ReportedPlace:
    """The place, with what one more file's record adds (country, city and ASN files differ)."""
    country = _part(record, "country") or _part(record, "registered_country")
    number = record.get("autonomous_system_number")
    return replace(
        place,
        country=place.country or _name(country) or _text(country.get("iso_code")),
        city=place.city or _name(_part(record, "city")),
        asn=place.asn or (str(number) if isinstance(number, int) else None),
        organization=place.organization or _text(record.get("autonomous_system_organization")),
    )


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _name(part: Mapping[str, Any]) -> str | None:
    return _text(_part(part, "names").get("en"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _readers(setting: str) -> tuple[maxminddb.Reader, ...]:
    return tuple(reader for _, reader, _ in _opened(setting) if reader is not None)


@lru_cache(maxsize=4)
def _opened(setting: str) -> tuple[tuple[str, maxminddb.Reader | None, str], ...]:
    """Each configured file with its reader, or with why there is none."""
    opened: list[tuple[str, maxminddb.Reader | None, str]] = []
    for name in filter(None, (part.strip() for part in setting.split(os.pathsep))):
        path = Path(name).expanduser()
        try:
            opened.append((name, maxminddb.open_database(path), ""))
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            opened.append((name, None, str(error) or type(error).__name__))
    return tuple(opened)
