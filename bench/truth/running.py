"""Indexes worlds, asks about them and counts: `python -m bench truth`, and a part of the tests.

The one module here that calls Backtrail: the index is built by the real build, and an alert goes
the way of `python -m enrich --json`, in process and for the one question that is judged.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts import parse_alerts
from bench.truth.alerts import Asked, ask_about
from bench.truth.damage import Damage, damage, log_files
from bench.truth.judging import SURE, Claim, judge
from bench.truth.kinds import KINDS
from bench.truth.world import World
from enrich import NOBODY, QUESTIONS, Result, as_json, ask, fill_gaps
from trail.errors import AlertUnrecognised
from trail.index.build import add
from trail.store import Store, open_store

PACK = 250
"""Worlds in one index: each has accounts and ids of its own."""


@dataclass
class Tally:
    """What was counted, over all worlds; adds up."""

    worlds: int = 0
    claims: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By method, confidence and outcome."""
    by_kind: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_form: Counter[tuple[str, str]] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    recalled: Counter[str] = field(default_factory=Counter)
    behind: int = 0
    """Sure hops behind a wrong guess: true of the session that the guess named."""
    broken: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    coverage: list[str] = field(default_factory=list)
    """What was said of the logs around a missing record, and is not so."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.worlds + other.worlds,
            self.claims + other.claims,
            self.by_kind + other.by_kind,
            self.by_form + other.by_form,
            self.statuses + other.statuses,
            self.recalled + other.recalled,
            self.behind + other.behind,
            self.broken + other.broken,
            self.missed + other.missed,
            self.undecided + other.undecided,
            self.coverage + other.coverage,
        )


@dataclass
class Made:
    """One world with what was done to its logs and the alert that is asked about."""

    world: World
    done: Damage
    asked: Asked
    files: dict[str, str]


def make(seed: int, number: int) -> Made:
    """The world of a seed and number: always the same."""
    world = World(seed, number)
    kinds = sorted(KINDS)
    world.kind = kinds[number % len(kinds)]
    KINDS[world.kind](world)
    done = damage(world)
    asked = ask_about(world, done)
    return Made(world, done, asked, log_files(world, done))


def run(seed: int, numbers: Iterable[int], threads: int = 1) -> Tally:
    """Makes these worlds, indexes them together and judges the answer about each."""
    made = [make(seed, number) for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        logs.mkdir()
        for one in made:
            for name, text in one.files.items():
                (logs / name).write_text(text)
        add([logs], Path(folder) / "index", workers=1)
        store = open_store(Path(folder) / "index")
        try:
            with ThreadPoolExecutor(threads) as pool:
                judged = pool.map(lambda one: _judge_world(one, store), made)
                return sum(judged, Tally())
        finally:
            store.close()


def _judge_world(made: Made, store: Store) -> Tally:
    world, asked, tally = made.world, made.asked, Tally(worlds=1)
    where = f"world {world.number} ({_what(made)}; {asked.form})"
    answer = answer_to(asked, store)
    if answer is None:
        tally.statuses["unrecognised"] += 1
        return tally
    verdict = judge(world, made.done, asked, answer)
    tally.statuses[verdict.status] += 1
    for claim in verdict.claims:
        _count(tally, claim, world.kind, asked.form, where)
    if verdict.coverage is not None:
        tally.coverage.append(f"{where}: {verdict.coverage}")
    if verdict.recalled is not None:
        tally.recalled["answered" if verdict.recalled else "missed"] += 1
    if verdict.recalled is False:
        shown = [(hop["event_name"], hop["method"]) for hop in answer["data"]["chain"]]
        tally.missed.append(f"{where}: {shown} {answer['caveats'][:2]}")
    return tally


def _count(tally: Tally, claim: Claim, kind: str, form: str, where: str) -> None:
    outcome = _outcome(claim)
    tally.claims[claim.method, claim.confidence, outcome] += 1
    if claim.confidence in SURE:
        tally.behind += claim.behind
        tally.by_kind[kind, outcome] += 1
        tally.by_form[form, outcome] += 1
    line = f"{where}: {claim.what} {claim.method} {claim.rule} {claim.confidence}: {claim.note}"
    if claim.broken:
        tally.broken.append(line)
    elif claim.undecidable:
        tally.undecided.append(line)


def _what(made: Made) -> str:
    mask = f", {made.done.scope} keys masked: {made.done.mask}" if made.done.mask else ""
    return f"{made.world.kind}{mask}"


def _outcome(claim: Claim) -> str:
    if claim.right:
        return "right"
    if claim.undecidable:
        return "undecidable"
    return "wrong person" if claim.right_event else "wrong event"


def answer_to(asked: Asked, store: Store) -> dict[str, Any] | None:
    """`assumed_by` about the identity that is meant in a pasted alert, as `python -m enrich
    --json` has it; None if no alert was recognised.
    """
    try:
        pasted = parse_alerts(asked.text)[0]
    except AlertUnrecognised:
        return None
    alert = fill_gaps(pasted, store)
    meant = [one for one in alert.principals if one.principal_id == asked.principal]
    principal = (*meant, *alert.principals, NOBODY)[0]
    (question,) = (one for one in QUESTIONS if one.name == "assumed_by")
    result = Result(principal, (ask(question, alert, principal, store),))
    shown = json.loads(json.dumps(as_json(alert, [result], store.summary())))
    answer: dict[str, Any] = shown["results"][0]["answers"][0]
    return answer


def write_out(seed: int, number: int, folder: Path) -> list[Path]:
    """One world as files to look at and to ask by hand: its logs, its alert, its truth."""
    made = make(seed, number)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in made.files.items():
        written.append(folder / "logs" / name)
        written[-1].parent.mkdir(exist_ok=True)
        written[-1].write_text(text)
    written.append(folder / ("alert.txt" if "text" in made.asked.form else "alert.json"))
    written[-1].write_text(made.asked.text)
    written.append(folder / "truth.txt")
    written[-1].write_text("\n".join(_told(made)) + "\n")
    return written


def _told(made: Made) -> list[str]:
    world, done, asked = made.world, made.done, made.asked
    lines = [f"seed {world.seed} world {world.number}: {world.kind}; mask {done.mask} {done.scope}"]
    lines += [f"gone: {rec.kind} {rec.record['eventName']} {rec.id}" for rec in world.records
              if rec.id in done.gone]  # fmt: skip
    lines.append(f"asked: {asked.form}, event {asked.rec.id}, key {asked.key}")
    for start in asked.starts:
        lines.append(f"  may be session {start.principal} of {start.created} key {start.key}")
        lines += _chain_told(made, start, "    ")
    return lines


def _chain_told(made: Made, session: Any, indent: str) -> list[str]:
    lines = []
    for step in session.steps:
        events = ", ".join(
            f"{rec.record['eventName']} {rec.id}{' (gone)' if rec.id in made.done.gone else ''}"
            for rec in step.records
        )
        lines.append(f"{indent}made {step.at} {step.marker} by {step.caller.principal or ''}"
                     f" {step.caller.arn or step.caller.tokens}: {events}")  # fmt: skip
        lines += _chain_told(made, step.caller, indent + "  ")
    return lines


def truth(
    work: Path, full: bool, *, seed: int = 1, worlds: int = 20_000, processes: int = 2
) -> dict[str, Any]:
    """Whether certain and high are ever wrong, over made-up worlds whose truth is known."""
    began = time.perf_counter()
    tally = Tally()
    packs = [range(first, min(first + PACK, worlds)) for first in range(0, worlds, PACK)]
    with ProcessPoolExecutor(processes) as pool:
        for number, part in enumerate(pool.map(run, [seed] * len(packs), packs)):
            tally += part
            print(f"  {tally.worlds} worlds, {len(tally.broken)} wrong"
                  f" ({(number + 1) * 100 // len(packs)} %)", file=sys.stderr)  # fmt: skip
            for line in (*part.broken, *part.missed, *part.coverage):  # a long run may be ended
                print(f"    {line}", file=sys.stderr, flush=True)
    print("\n".join(table(tally)))
    answered, missed = tally.recalled["answered"], tally.recalled["missed"]
    return {
        "bench": "truth",
        "seed": seed,
        "worlds": tally.worlds,
        "sure_and_wrong": len(tally.broken),
        "undecidable": len(tally.undecided),
        "wrong_about_logs": len(tally.coverage),
        "recall_by_key": round(answered / max(answered + missed, 1), 5),
        "seconds": round(time.perf_counter() - began, 1),
    }


def table(tally: Tally) -> list[str]:
    """Precision by method and confidence, then by kind and form, then every wrong claim."""
    lines = [f"{'method':<16}{'confidence':<12}{'claims':>8}{'right':>8}{'event':>8}{'person':>8}"
             f"{'undecid.':>10}{'precision':>11}"]  # fmt: skip
    for method, confidence in sorted({(one[0], one[1]) for one in tally.claims}):
        outcomes = ("right", "wrong event", "wrong person", "undecidable")
        counts = [tally.claims[method, confidence, outcome] for outcome in outcomes]
        known = sum(counts[:3])
        share = f"{counts[0] / known:.4f}" if known else "-"
        lines.append(
            f"{method:<16}{confidence:<12}{sum(counts):>8}"
            + "".join(f"{count:>8}" for count in counts[:3])
            + f"{counts[3]:>10}{share:>11}"
        )
    for title, counted in (("kind", tally.by_kind), ("form", tally.by_form)):
        lines.append(f"\n{'sure claims by ' + title:<32}{'right':>8}{'wrong':>8}{'undecid.':>10}")
        for name in sorted({one[0] for one in counted}):
            wrong = counted[name, "wrong event"] + counted[name, "wrong person"]
            lines.append(f"{name:<32}{counted[name, 'right']:>8}{wrong:>8}"
                         f"{counted[name, 'undecidable']:>10}")  # fmt: skip
    lines.append(f"\nstatuses: {dict(tally.statuses)}; alerts whose key an indexed record minted:"
                 f" {dict(tally.recalled)}; sure hops behind a wrong guess:"
                 f" {tally.behind}")  # fmt: skip
    lines += _listed("certain or high, and wrong", tally.broken)
    lines += _listed("key minted in an indexed record, and not answered by it", tally.missed)
    lines += _listed("said of the logs, and wrong", tally.coverage)
    lines += _listed("undecidable", tally.undecided, 20)
    return lines


def _listed(title: str, found: Sequence[str], most: int = 200) -> list[str]:
    lines = [f"\n{title}: {len(found)}", *(f"  {line}" for line in found[:most])]
    return [*lines, f"  … and {len(found) - most} more"] if len(found) > most else lines
