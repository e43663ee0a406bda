"""Kills processes that write to cases with SIGKILL at random moments, on SQLite and on PostgreSQL.

Whatever was confirmed to the writer has to be there afterwards, whole, and `verify` has to find the
history sound. `python -m bench.crash_cases URL KILLS SEED` prints one line of JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cases import case, evidence, inbox, users
from cases.database import Database, open_database
from cases.errors import NotFound
from cases.verify import verify
from tests.a_case import LiteralStore, an_alert, an_answer, an_id
from tests.postgres import running_server

_ROOT = Path(__file__).resolve().parents[1]
SEEN = "ready"


def many_kills(work: Path, full: bool) -> dict[str, Any]:
    """50 writers of cases killed at random moments, on SQLite and on PostgreSQL."""
    folder = work / "crash-cases"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seed = int(time.time())
    with running_server() as server:
        told = [
            kill_writers(f"sqlite:///{folder / 'cases.db'}", 25, seed),
            kill_writers(server.create(), 25, seed + 1),
        ]
    return {
        "name": "crash_cases",
        "seed": seed,
        "kills": sum(one["kills"] for one in told),
        "confirmed": sum(one["confirmed"] for one in told),
        "lost": sum(one["lost"] for one in told),
        "unsound": sum(one["unsound"] for one in told),
    }


def kill_writers(url: str, kills: int, seed: int) -> dict[str, int]:
    """What so many writers that were killed left behind."""
    dice = random.Random(seed)
    database = open_database(url)
    if not users.users(database):
        users.add_user(database, "lea", "lea", "lead")
    confirmed: list[list[Any]] = []
    unsound = 0
    for number in range(kills):
        writer = subprocess.Popen(
            [sys.executable, "-m", "bench.crash_cases", "write", url, f"{seed}-{number}"],
            cwd=_ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == f"{SEEN}\n"
        # Every other one has confirmed something by then, however slow the machine is.
        said = writer.stdout.readline() if number % 2 else ""
        time.sleep(dice.uniform(0.0, 0.3))
        writer.kill()
        said += writer.stdout.read()
        writer.wait()
        writer.stdout.close()
        confirmed += [
            json.loads(line) for line in said.splitlines(keepends=True) if line[-1] == "\n"
        ]
        unsound += not verify(database).ok
    lost = sum(not _is_there(database, one) for one in confirmed)
    database.close()
    return {"kills": kills, "confirmed": len(confirmed), "lost": lost, "unsound": unsound}


def _is_there(database: Database, said: list[Any]) -> bool:
    what, case_id, detail = said
    try:
        file = case.case_file(database, case_id)
    except NotFound:
        return False
    return {
        "opened": lambda: file.case.title == detail,
        "note": lambda: any(note.text == detail for note in file.notes),
        "tags": lambda: detail in file.case.tags,
        "frozen": lambda: any(detail in one.records for one in file.evidence),
    }[what]()


def write(url: str, name: str) -> None:
    """Opens cases and works on them without end; says each deed once it was confirmed."""
    database = open_database(url)
    print(SEEN, flush=True)

    def say(what: str, case_id: int, detail: str) -> None:
        print(json.dumps([what, case_id, detail]), flush=True)

    start = random.Random(name).getrandbits(64)
    for number in range(100_000):
        title = f"{name} {number}"
        alert = an_alert(id=an_id(start + number), title=title)
        (received,) = inbox.receive(database, "lea", [alert])
        opened = case.open_case(database, "lea", [received.id])
        say("opened", opened.id, title)
        case.add_note(database, "lea", opened.id, title)
        say("note", opened.id, title)
        now = case.get_case(database, opened.id)
        case.save_case(database, "lea", now.id, now.version, {"tags": [title]})
        say("tags", opened.id, title)
        event = f"event {title}"
        evidence.freeze_answers(
            database, "lea", opened.id, received.id,
            LiteralStore({event: json.dumps({"x": title * 1_000})}),
            answers=[an_answer(evidence=(event,))],
        )  # fmt: skip
        say("frozen", opened.id, event)


def main(arguments: list[str]) -> None:
    if arguments[0] == "write":
        write(*arguments[1:])
        return
    print(json.dumps(kill_writers(arguments[0], int(arguments[1]), int(arguments[2]))))


if __name__ == "__main__":
    main(sys.argv[1:])
