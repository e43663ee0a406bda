"""How times, counts and names are written on the screen, the same everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from trail.counted import counted


def as_time(value: object) -> datetime | None:
    """An aware UTC time from a time or ISO text; None for anything else."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            return as_time(datetime.fromisoformat(value))
        except (ValueError, OverflowError):  # no time, or none that UTC has
            return None
    return None


def when(value: object) -> str:
    """ "10 Mar 2026 12:00:05": to the second, always UTC."""
    moment = as_time(value)
    return "–" if moment is None else f"{moment:%d %b %Y %H:%M:%S}".lstrip("0")


def clock(value: object, beside: object = None) -> str:
    """ "10 Mar 12:00:05"; with its year where that is not the year of the time it stands `beside`.

    Without `beside`, for where the year is plain from what stands around it.
    """
    moment, other = as_time(value), as_time(beside)
    if moment is None:
        return "–"
    if other is not None and other.year != moment.year:
        return when(moment)
    return f"{moment:%d %b %H:%M:%S}".lstrip("0")


def day(value: date) -> str:
    return f"{value:%d %b %Y}".lstrip("0")


def window(first: object, last: object) -> str:
    """ "3 Mar 12:00:05 to 10 Mar 2026 12:00:05 UTC"; both years where they differ."""
    return f"{clock(first, beside=last)} to {when(last)} UTC"


def iso(value: object) -> str | None:
    """ "2026-03-10T12:00:05Z", as addresses and files carry it."""
    moment = as_time(value)
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def number(value: object) -> str:
    """ "12,345"; "–" for what was not counted, which is never 0."""
    return f"{value:,}" if isinstance(value, int) else "–"


def count(value: int, one: str, many: str | None = None) -> str:
    """ "1 call", "2 calls"."""
    return counted(value, one, many)


def text(value: Any) -> str:
    return "–" if value is None or value == "" else str(value)


def short_arn(arn: str | None) -> str:
    """What an ARN names, without what every ARN has: "user/alice", "assumed-role/ops/i-0abc"."""
    if not arn:
        return "–"
    parts = arn.split(":", 5)
    return parts[5] if len(parts) == 6 and arn.startswith("arn:") else arn


def role_name(arn: str | None) -> str:
    """The role's bare name out of a role's or a role session's ARN."""
    short = short_arn(arn)
    if short.startswith("assumed-role/"):
        return short.split("/")[1] or short
    return short.rpartition("/")[2] or short


def service(event_source: str | None) -> str:
    """ "ec2" from "ec2.amazonaws.com"."""
    name = event_source or "–"
    for ending in (".amazonaws.com.cn", ".amazonaws.com", ".aws.internal"):
        name = name.removesuffix(ending)
    return name


def shortened(value: str, limit: int = 80) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"
