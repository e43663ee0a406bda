"""`python -m enrich ALERT_FILE|-`: the answers for every alert in the file, on standard output.

`--json` prints one object per alert and line, `--markdown` a text for a ticket, and neither a
short summary. Exit status 2, with one sentence on standard error, when there is no alert to ask
about or no index to ask, and 1, after all of the output, when every answer about an alert's
identity `failed`. An alert that the index has no logs for is answered: `not_covered`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from alerts import parse_alerts
from alerts.alert import Alert
from enrich import Result, as_json, ask_for_every_principal
from enrich.data.beside import Beside
from enrich.forms.markdown import as_markdown
from enrich.gaps import fill_gaps
from enrich.ledger.words import became_words
from enrich.time_basis import shared_caveats, time_caveats
from enrich.window import iso
from enrich.words import called, short
from trail.counted import counted
from trail.errors import AlertUnrecognised, BacktrailError
from trail.index.catalog import default_index
from trail.private import keep_private
from trail.store import IndexSummary, open_store


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 when some identity's answers all failed; 2 after one sentence about what is wrong."""
    unanswered = 0
    options = _options().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names come in every script; a terminal that has not theirs shows them as escapes.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        alerts = parse_alerts(_read(options.alert_file))
        index: Path = options.index or default_index()
        store = open_store(index)
        summary = store.summary()
        if not summary.events:
            raise BacktrailError(
                f"The index at {index} holds no events: add logs with "
                f"`python -m trail add PATH --index {index}`."
            )
        for number, pasted in enumerate(alerts):
            alert = fill_gaps(pasted, store)
            results = ask_for_every_principal(alert, store)
            unanswered += sum(_is_unanswered(result) for result in results)
            if options.json:
                _say(json.dumps(as_json(alert, results, summary)) + "\n")
            elif options.markdown:
                _say(("\n---\n" if number else "") + as_markdown(alert, results, summary))
            else:
                _say(_summary(alert, results, summary) + "\n")
    except BacktrailError as error:
        print(short(str(error), 2_000), file=sys.stderr)
        return 2
    except BrokenPipeError:
        _close_output()  # the reader has seen enough (`| head`)
    if unanswered:
        print(
            f"All questions failed for {counted(unanswered, 'identity', 'identities')}: the answers"
            " say why.",
            file=sys.stderr,
        )
    return 1 if unanswered else 0


def _is_unanswered(result: Result) -> bool:
    """Whether not one of the questions could be answered, nor be said not to apply."""
    return bool(result.answers) and all(answer.status == "failed" for answer in result.answers)


def _say(text: str) -> None:
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _close_output()
        reason = error.strerror or type(error).__name__
        raise BacktrailError(
            f"The answers cannot be written ({reason}): give standard output somewhere to go."
        ) from error


def _close_output() -> None:
    """Sends what is left of the output nowhere: Python would complain once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m enrich",
        description="Answers five questions about an alert.",
        epilog="Exit status: 0 when answered, 1 when all five answers about an identity failed, 2"
        " when there is no alert to ask about, or no index.",
    )
    parser.add_argument("alert_file", help="a file with one or more alerts, or - for stdin")
    parser.add_argument("--index", type=Path, help="the index folder (default: data/index)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object per alert and line")
    form.add_argument("--markdown", action="store_true", help="text for a ticket")
    return parser


def _read(alert_file: str) -> bytes:
    if alert_file == "-":
        if sys.stdin is None:
            raise AlertUnrecognised(
                "Standard input is closed: pipe an alert into it, or name a file instead of -."
            )
        return sys.stdin.buffer.read()
    try:
        return Path(alert_file).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AlertUnrecognised(
            f"The alert file {alert_file} cannot be read ({reason}): name a file, or - for stdin."
        ) from error


def _summary(alert: Alert, results: Sequence[Result], summary: IndexSummary) -> str:
    lines = [f"{short(alert.title or alert.id, 120)} ({iso(alert.first_seen) or 'no time'})"]
    lines += [f"  the time is not sure: {short(said, 400)}" for said in time_caveats(alert)]
    # What a caveat says already, and what only asks to look at the reading, is not said here too.
    said_below = {*time_caveats(alert), *(c for r in results for a in r.answers for c in a.caveats)}
    lines += [f"  note: {short(n, 1_000)}" for n in alert.notes if n not in said_below]
    for result in results:
        who = called(result.principal)
        lines.append(f"  {short(who, 160)}")
        above = time_caveats(alert)
        shared = [one for one in shared_caveats(result.answers) if one not in above]
        lines += [f"    note: {short(one, 1_000)}" for one in shared]
        said = {*above, *shared}
        for answer in result.answers:
            lines.append(f"    {answer.name} [{answer.status}] {short(answer.sentence, 1_000)}")
            own = (one for one in answer.caveats if one not in said)
            lines += [f"      note: {short(caveat, 1_000)}" for caveat in own]
        lines += [f"    {short(one, 1_000)}" for one in _beside(result.beside)]
    return "\n".join(lines)


def _beside(beside: Beside) -> list[str]:
    """A line for each thing beside the answers that says something."""
    course, after, ledger = beside.course, beside.after, beside.ledger
    lines = [f"order: {course.sentence}"] if course.stages else []
    if after.status != "not_applicable":
        lines.append(f"after the alert [{after.status}] {after.sentence}")
        lines += [f"  note: {caveat}" for caveat in after.caveats]
    if ledger.status in ("answered", "failed"):
        lines.append(f"made and undone [{ledger.status}] {ledger.sentence}")
    lines += [f"it used {one.kind} {short(one.name)}: {became_words(one)}" for one in ledger.used]
    return lines


if __name__ == "__main__":
    keep_private()
    sys.exit(main())
