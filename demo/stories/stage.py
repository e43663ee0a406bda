"""Where stories are told: the days there are, and how to put one call on the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from demo.company import HOME_REGION
from demo.identities import refused
from demo.ledger import Ledger
from demo.records import Call, Record, Session, build

DAY, HOUR = 86_400, 3_600


def moment(text: str) -> int:
    """Seconds since 1970 of a UTC time such as `2026-03-26T02:41:07`."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


@dataclass(frozen=True)
class Stage:
    """One story's view of the demo. Its random numbers are its own, so that the story's own
    events are the same in a small demo and in a big one."""

    ledger: Ledger
    seed: int
    key: str
    start: int
    """Midnight of the first day, seconds since 1970."""
    end: int
    """Midnight after the last day."""
    density: float
    """1.0 at the full size; less makes the ordinary days of the story's people quieter."""

    def rng(self, part: str) -> Random:
        """Random numbers for one part of the story: `attack`, `history`."""
        return Random(f"{self.seed}:story:{self.key}:{part}")

    def days(self, *, weekends: bool = False) -> Iterator[int]:
        """The midnights of the demo's days."""
        for day in range(self.start, self.end, DAY):
            if weekends or (day // DAY + 3) % 7 < 5:
                yield day

    def some(self, full: int) -> int:
        """So many at the full size, never less than three."""
        return max(3, round(full * self.density))

    def say(
        self, rng: Random, session: Session, call: Call, at: int, region: str = HOME_REGION
    ) -> Record:
        """Put one call on the record, and give it back as it was written."""
        record = build(session, call, at, region, rng)
        self.ledger.emit(at, record)
        return record

    def refuse(
        self, rng: Random, session: Session, role_arn: str, at: int, reason: str = ""
    ) -> Record:
        """An AssumeRole that is denied, on the caller's record alone."""
        record = build(session, refused(session, role_arn, reason), at, HOME_REGION, rng)
        self.ledger.emit(at, record, role_wanted=role_arn)
        return record
