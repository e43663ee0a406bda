"""Reads what was pasted: a little here, much in a process of its own, too much not at all.

Reading is Python's work and takes a millisecond a record, during which no other session of the
server gets far. `python -m ui.shell.read_apart` is that process; it imports no Streamlit.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from alerts import parse_alerts
from alerts.alert import Alert
from trail.errors import AlertUnrecognised
from trail.lean import without_pandas

HERE = 16_000
"""Characters that are read in this process: most alerts. Made to be slow, so many take a second."""
LONGEST = 4_000_000
"""Characters of the longest paste that is read at all. An alert has some thousand."""
SECONDS = 2.0
_ROOT = Path(__file__).resolve().parents[2]


def alerts_in(text: str) -> list[Alert]:
    """Every alert in the text. Raises `AlertUnrecognised`, also when it is too much to read."""
    refuse_too_long(text)
    if len(text) <= HERE:
        return parse_alerts(text)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ui.shell.read_apart"],
            input=text.encode("utf-8", "surrogatepass"),
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback would carry the text
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AlertUnrecognised(
            f"Reading this took longer than {SECONDS:g} seconds, so it was stopped. Paste one "
            "alert, or give a file of many to the inbox."
        ) from None
    if done.returncode != 0:
        raise AlertUnrecognised("This could not be read. Paste one alert alone.")
    found: list[Alert] | str = pickle.loads(done.stdout)  # noqa: S301 # of our own process
    if isinstance(found, str):
        raise AlertUnrecognised(found)
    return found


def refuse_too_long(text: str) -> None:
    """Raises `AlertUnrecognised` for a text that is not to be read at all."""
    if len(text) > LONGEST:
        raise AlertUnrecognised(
            f"This has {len(text):,} characters, and an alert some thousand. Paste one alert, give "
            "a file of many to the inbox, or add logs on the index page."
        )


def main() -> None:
    text = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    try:
        found: list[Alert] | str = parse_alerts(text)
    except AlertUnrecognised as error:
        found = str(error)
    pickle.dump(found, sys.stdout.buffer)


if __name__ == "__main__":
    without_pandas()
    main()
