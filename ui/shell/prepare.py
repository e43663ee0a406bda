"""`python -m ui.shell.prepare`: the dashboard's long jobs, in a process of their own.

A build inside a page's script would die with the browser tab. This writes one line of JSON per
step into the job's log, which the index page reads; it imports no Streamlit.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from demo.generate import generate
from trail.counted import counted
from trail.errors import BacktrailError
from trail.index.build import Progress, add
from trail.index.passed_over import gone_line, passed_over_lines
from trail.private import keep_private


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the index is extended; 1 with the reason as the log's last line."""
    parser = argparse.ArgumentParser(prog="python -m ui.shell.prepare", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--demo", type=Path, help="write the demo here first, and add it")
    options = parser.parse_args(arguments)
    paths: list[Path] = options.paths
    try:
        if options.demo is not None:
            generate(options.demo, progress=_Teller("Writing the demo", 0.0, 0.4).fraction)
            paths = [*paths, options.demo / "logs"]
        built = add(
            paths,
            options.index,
            progress=_Teller("Reading", 0.4 if options.demo else 0.0, 1.0).build,
        )
    except BacktrailError as error:
        _say({"error": str(error)})
        return 1
    _say(
        {
            "part": 1.0,
            "done": True,
            "events": built.events_added,
            "files": built.files_read,
            "unchanged": built.files_unchanged,
            "duplicates": built.duplicates,
            "rejected": built.rejected,
            "skipped": built.skipped_files,
            "passed_over": [
                *passed_over_lines(built.passed_over),
                *filter(None, [gone_line(built.events_gone)]),
            ],
        }
    )
    return 0


class _Teller:
    """Says how far a stage is, at most ten times a second."""

    def __init__(self, stage: str, begin: float, end: float) -> None:
        self.stage, self.begin, self.end = stage, begin, end
        self._said = 0.0

    def fraction(self, part: float, note: str) -> None:
        now = time.monotonic()
        if now - self._said > 0.1:
            self._said = now
            whole = self.begin + (self.end - self.begin) * max(0.0, min(1.0, part))
            _say({"part": whole, "stage": self.stage, "note": note})

    def build(self, at: Progress) -> None:
        part = at.bytes_done / at.bytes_total if at.bytes_total else 0.0
        left = at.elapsed_s * (1 - part) / part if part > 0.02 else None
        note = (
            f"{at.files_done:,} of {counted(at.files_total, 'file')}, {counted(at.events, 'event')}"
        )
        if left is not None:
            note += f", about {left:.0f} s left"
        if at.file:
            note += f"; at {at.file}"
        self.fraction(part, note)


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    keep_private()
    sys.exit(main())
