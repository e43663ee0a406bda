"""`python -m bench [NAME…] [--scale full] [--work DIR]`: each ends in one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import chains, crash, crash_cases, dashboard, fuzz, ingest, load, queries
from bench.truth import running

BENCHES: dict[str, Callable[..., dict[str, Any]]] = {
    "large_files": ingest.large_files,
    "small_files": ingest.small_files,
    "own_keys": ingest.own_keys,
    "real_files": ingest.real_files,
    "incremental": ingest.incremental,
    "queries": queries.queries,
    "role_chain": chains.role_chain,
    "raw_questions": queries.raw_questions,
    "memory": ingest.memory,
    "crash": crash.many_kills,
    "crash_cases": crash_cases.many_kills,
    "dashboard": dashboard.dashboard,
    "load": load.load,
    "fuzz": fuzz.fuzz,
    "truth": running.truth,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--scale", choices=["usual", "full"], default="usual")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "backtrail-bench",
        help="where generated logs and indexes go, and stay for the next run",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=float, help="how long `load` (else 10) and `fuzz` (else 30) go on"
    )
    made_up = parser.add_argument_group("truth")
    made_up.add_argument("--seed", type=int, default=1, help="which worlds (default: 1)")
    made_up.add_argument("--worlds", type=int, default=20_000, help="how many (default: 20,000)")
    made_up.add_argument(
        "--only", type=int, metavar="N", help="write world N out as files in the work folder"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench named {unknown[0]}; there are: {', '.join(BENCHES)}")
    options.work.mkdir(parents=True, exist_ok=True)
    if options.only is not None:
        folder = options.work / f"world-{options.seed}-{options.only}"
        print(*running.write_out(options.seed, options.only, folder), sep="\n")
        return
    worlds = {"seed": options.seed, "worlds": options.worlds}
    for name in options.names or BENCHES:
        print(f"{name}: {BENCHES[name].__doc__}", file=sys.stderr)
        more: dict[str, Any] = worlds if name == "truth" else {}
        if name in ("load", "fuzz") and options.minutes is not None:
            more = {"minutes": options.minutes}
        print(json.dumps(BENCHES[name](options.work, options.scale == "full", **more)), flush=True)


if __name__ == "__main__":
    main()
