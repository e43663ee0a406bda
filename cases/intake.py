"""Alerts from files and folders into the inbox, whatever shape each file has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alerts import parse_alerts
from cases.database import Database
from cases.inbox import Received, receive
from trail.errors import BacktrailError


@dataclass(frozen=True)
class Intake:
    """What came in, and each file in which no alert was found, with the reason."""

    received: tuple[Received, ...]
    refused: tuple[tuple[str, str], ...]


def load_files(database: Database, actor: str, paths: Iterable[Path]) -> Intake:
    """Every alert in the files, and in all files below the folders, one file at a time."""
    received: list[Received] = []
    refused: list[tuple[str, str]] = []
    for file in _files(paths):
        try:
            alerts = parse_alerts(file.read_bytes())
        except BacktrailError as error:
            refused.append((str(file), str(error)))
        except OSError as error:
            refused.append((str(file), f"cannot be read: {error.strerror}"))
        else:
            received += receive(database, actor, alerts)
    return Intake(tuple(received), tuple(refused))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file())
        else:
            yield path
