"""Thirty days of the company, written to a folder: the same bytes for the same seed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.ledger import Ledger
from demo.routines import Routine, routines
from demo.stories import STORIES
from demo.stories.stage import DAY, Stage
from demo.truth import Plot, truth_of
from demo.write import LogFiles
from trail.errors import BacktrailError

END = datetime(2026, 4, 1, tzinfo=UTC)
"""The midnight after the last day. Fixed, so that the demo is the same whenever it is made."""
SEED, DAYS, EVENTS = 20_260_331, 30, 200_000
_FEWEST_DAYS = 25
"""The earliest story needs 15 days before it, and the stories take the last nine days."""
_MARKER = "truth.json"

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Summary:
    """What was written."""

    folder: Path
    events: int
    """Different events in the organization's trail."""
    duplicates: int
    """Events written a second time by the account's own trail."""
    files: int
    digests: int
    bytes: int
    late: int
    """Events in the folder of the day after theirs."""
    alerts: int
    first_day: str
    last_day: str
    truth: list[dict[str, Any]]


def generate(
    out: Path,
    *,
    seed: int = SEED,
    days: int = DAYS,
    events: int = EVENTS,
    progress: Progress | None = None,
) -> Summary:
    """Write `logs/`, `alerts/` and `truth.json` under `out`.

    `progress` is called with a fraction and a short text. An earlier demo in `out` is replaced;
    a folder that holds anything else is refused. The stories are whole at every size; ordinary
    work fills up to about `events`.
    """
    tell_progress = progress or (lambda fraction, text: None)
    if days < _FEWEST_DAYS:
        raise BacktrailError(
            f"A demo of {days} days is too short for its stories. Ask for {_FEWEST_DAYS} or more."
        )
    _clear(out)
    end = int(END.timestamp())
    start = end - days * DAY

    tell_progress(0.0, "telling the stories")
    ledger = Ledger()
    plots = _tell_stories(ledger, seed, start, end, events)
    files = LogFiles(out / "logs", seed, range(start + 8 * DAY, start + 12 * DAY, DAY))
    ordinary = routines(seed)
    budgets = _budgets(ordinary, start, end, max(0, events - ledger.emitted))
    for number, day in enumerate(range(start, end, DAY)):
        tell_progress(number / days, f"day {number + 1} of {days}")
        for routine in ordinary:
            routine.live(ledger, day, budgets[type(routine).__name__][number])
        files.write_day(day, ledger.take_before(day + DAY))

    tell_progress(1.0, "writing alerts")
    truth = [truth_of(plot, ledger.deeds) for plot in plots]
    _write_alerts(out, plots)
    summary = Summary(
        out,
        files.events,
        files.duplicates,
        files.files,
        files.digests,
        files.bytes,
        files.late_folders,
        len(plots),
        f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}",
        f"{datetime.fromtimestamp(end - 1, UTC):%Y-%m-%d}",
        truth,
    )
    _write_json(
        out / _MARKER,
        {
            "seed": seed,
            "days": days,
            "first_day": summary.first_day,
            "last_day": summary.last_day,
            "events": summary.events,
            "duplicates": summary.duplicates,
            "files": summary.files,
            "digests": summary.digests,
            "alerts": truth,
        },
    )
    return summary


def _tell_stories(ledger: Ledger, seed: int, start: int, end: int, events: int) -> list[Plot]:
    density = min(events / EVENTS, 1.0)
    plots: list[Plot] = []
    for story in STORIES:
        ledger.watch(story.WATCHED)
    for story in STORIES:
        plots += story.tell(Stage(ledger, seed, story.KEY, start, end, density))
    return plots


def _budgets(
    ordinary: tuple[Routine, ...], start: int, end: int, events: int
) -> dict[str, list[float]]:
    """Events for each routine and day: shares of the whole, by the rhythm of the week."""
    shares = sum(routine.share for routine in ordinary)
    budgets: dict[str, list[float]] = {}
    for routine in ordinary:
        rhythm = [
            routine.rng.uniform(0.85, 1.15)  # no two days are alike
            * (1.0 if (day // DAY + 3) % 7 < 5 else routine.weekend)
            for day in range(start, end, DAY)
        ]
        whole = events * routine.share / shares
        budgets[type(routine).__name__] = [whole * part / sum(rhythm) for part in rhythm]
    return budgets


def _clear(out: Path) -> None:
    """Make way for a new demo; only what a demo wrote is ever deleted."""
    if out.exists() and any(out.iterdir()):
        if not (out / _MARKER).is_file() and not (out / "logs" / "AWSLogs").is_dir():
            raise BacktrailError(
                f"{out} holds something that is no demo. Give --out an empty or new folder."
            )
        for name in ("logs", "alerts"):
            shutil.rmtree(out / name, ignore_errors=True)
        (out / _MARKER).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)


def _write_alerts(out: Path, plots: list[Plot]) -> None:
    index = []
    for plot in plots:
        name = f"{plot.id}.json"
        _write_json(out / "alerts" / name, plot.alert)
        index.append(
            {
                "id": plot.id,
                "file": name,
                "title": plot.title,
                "description": plot.description,
                "story": plot.story,
                "form": plot.form,
            }
        )
    _write_json(out / "alerts.json", index)


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
