"""`python -m demo`: write the demo's logs, alerts and truth file."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from demo.generate import DAYS, EVENTS, SEED, generate
from trail.errors import BacktrailError


def _show(fraction: float, text: str) -> None:
    end = "\n" if fraction >= 1 else ""
    print(f"\r{fraction:4.0%} {text:<24}", end=end, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """0 when the demo is written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/demo"), metavar="DIR")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--days", type=int, default=DAYS, metavar="N")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        done = generate(
            options.out,
            seed=options.seed,
            days=options.days,
            events=options.events,
            progress=_show,
        )
    except (BacktrailError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{done.events:,} events of {done.first_day} to {done.last_day} in"
        f" {done.files:,} files "
        f"({done.bytes / 1e6:.1f} MB), {done.duplicates:,} of them twice, "
        f"{done.alerts} alerts, in {time.monotonic() - began:.1f} s\n"
        f"logs    {done.folder / 'logs'}\n"
        f"alerts  {done.folder / 'alerts'}\n"
        f"truth   {done.folder / 'truth.json'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
