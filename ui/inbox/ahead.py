"""`python -m ui.inbox.ahead`: brings alerts in and answers their questions ahead of the reader.

A process of its own, since a page's script dies with its tab. It writes one line of JSON per
step, which the inbox page reads; it imports no Streamlit. Index and case database come from the
environment, where a database's password belongs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cases import enrichment, rule_runs
from cases.database import Database, open_database
from cases.intake import load_files
from enrich import ask_all
from trail.counted import counted
from trail.errors import BacktrailError, IndexMissing
from trail.private import keep_private
from trail.store import DuckStore, open_store

NAMED = 100
"""Files and rules that could not be used, named in the summary; the others are counted."""
ENDINGS = (".json", ".jsonl", ".ndjson", ".txt", ".log", ".csv", ".gz")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all was done; 1 with the reason as the last line."""
    parser = argparse.ArgumentParser(prog="python -m ui.inbox.ahead", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="alert files and folders to take in")
    parser.add_argument("--actor", help="the user who takes them in")
    parser.add_argument("--detect", action="store_true", help="run the detections over the index")
    parser.add_argument("--discard", action="store_true", help="delete the files when taken in")
    options = parser.parse_args(arguments)
    try:
        run = _Run(open_database(), options.actor or "")
        if options.paths:
            run.take_in(options.paths, discard=options.discard)
        try:
            store = open_store()
        except IndexMissing:
            run.finish(indexed=False)
            return 0
        if options.detect:
            run.detect(store)
        run.answer(store)
        run.finish()
    except BacktrailError as error:
        _say({"error": str(error)})
        return 1
    return 0


class _Run:
    """What came in so far, what could not be used, and how often that is said."""

    def __init__(self, database: Database, actor: str) -> None:
        self.database, self.actor = database, actor
        self.alerts = self.new = self.answered = 0
        self.nothing_new = False
        self.problems: list[str] = []
        self._said = 0.0

    def take_in(self, paths: Sequence[Path], *, discard: bool) -> None:
        files = list(_files(paths))
        if not files:
            self.problems.append("There is no file of alerts in it.")
        for done, file in enumerate(files):
            self._step(
                done / len(files), "Reading alerts", f"{done:,} of {counted(len(files), 'file')}"
            )
            took = load_files(self.database, self.actor, [file])
            self.alerts += len(took.received)
            self.new += sum(one.new for one in took.received)
            self.problems += [f"{file.name}: {why}" for _, why in took.refused]
            if discard:
                file.unlink(missing_ok=True)

    def detect(self, store: DuckStore) -> None:
        from alerts.detections import rules_in_use  # 0.4 s of imports that only this needs

        self._step(0.0, "Running the detections", "over the index")

        def told(read: int, of: int) -> None:
            whole = f"over all {counted(of, 'day')}" if read == of else ""
            few = f"over {counted(read, 'day')} that are new or changed, of {of:,}"
            self._step(0.0, "Running the detections", whole or few)

        ran = rule_runs.run_rules(self.database, self.actor, store, rules_in_use(), told)
        self.problems += [str(problem) for problem in ran.problems]
        self.nothing_new = not ran.days_read
        self.alerts += ran.found
        self.new += ran.new

    def answer(self, store: DuckStore) -> None:
        version = store.version()
        total = enrichment.pending_count(self.database, version)
        self._step(0.0, "Answering ahead", f"0 of {counted(total, 'alert')}")

        def progress(done: int, total: int, _: str) -> None:
            self._step(
                done / max(total, 1), "Answering ahead", f"{done:,} of {counted(total, 'alert')}"
            )

        self.answered = enrichment.enrich_pending(self.database, store, ask_all, progress)

    def finish(self, *, indexed: bool = True) -> None:
        more = len(self.problems) - NAMED
        _say(
            {
                "part": 1.0,
                "done": True,
                "alerts": self.alerts,
                "new": self.new,
                "answered": self.answered,
                "nothing_new": self.nothing_new,
                "indexed": indexed,
                "problems": self.problems[:NAMED] + ([f"and {more} more"] if more > 0 else []),
            }
        )

    def _step(self, part: float, stage: str, note: str) -> None:
        now = time.monotonic()
        if part == 0.0 or now - self._said > 0.2:
            self._said = now
            _say({"part": min(1.0, part), "stage": stage, "note": note})


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (
                file
                for file in sorted(path.rglob("*"))
                if file.is_file() and file.suffix.lower() in ENDINGS
            )
        else:
            yield path


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    keep_private()
    sys.exit(main())
