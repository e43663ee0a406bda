"""The command line of cases: list, show, report, verify, backup, restore, add, user."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cases import users
from cases.actor import Actor
from cases.audit import Head
from cases.backup import backup, restore
from cases.canonical import plain
from cases.case import STATES, VERDICTS, case_file, find_cases
from cases.database import URL_SETTING, Database, open_database
from cases.errors import NotFound
from cases.intake import load_files
from cases.kept_reports import read_report
from cases.verify import Verification, heads_in, verify
from cases.visible import visible
from trail.counted import counted
from trail.errors import BacktrailError
from trail.private import keep_private, private_file

UNCHECKED = 3
"""The exit code of a verification that contradicts nothing and vouches for no word either."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 verification failed, 2 refused or not found, 3 nothing wrong found
    and yet a report that carries no digest, so that its words were not checked."""
    given = _parser().parse_args(arguments)
    try:
        database = open_database(given.database)
        try:
            code: int = given.run(database, given)
        finally:
            database.close()
    except BacktrailError as error:
        print(visible(str(error)), file=sys.stderr)
        return 2
    return code


FORMATS = ("md", "html", "pdf", "json")


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--database", metavar="FILE|URL", help=f"the case database (default: {URL_SETTING})"
    )
    shared.add_argument("--json", action="store_true", help="print JSON")
    parser = argparse.ArgumentParser(prog="python -m cases", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[shared], help=words, description=words)
        added.set_defaults(run=run)
        return added

    listing = command("list", _list, "the cases, newest first")
    listing.add_argument("--state", action="append", choices=STATES, default=[])
    listing.add_argument("--verdict", action="append", choices=VERDICTS, default=[])
    listing.add_argument("--owner")
    listing.add_argument("--tag")

    showing = command("show", _show, "one case with everything in it")
    showing.add_argument("case", type=int)

    reporting = command("report", _report, "a case's report")
    reporting.add_argument("case", type=int)
    reporting.add_argument("--format", choices=FORMATS, default=None)
    reporting.add_argument(
        "--redact", action="store_true", help="stand-ins for all that identifies"
    )
    reporting.add_argument(
        "--words",
        type=Path,
        metavar="FILE",
        help="words of your own to be redacted, one a line (default: $BACKTRAIL_REDACTED_WORDS)",
    )
    reporting.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    reporting.add_argument(
        "--by", metavar="USER", help="who makes it, for the audit trail (default: your login name)"
    )

    verifying = command(
        "verify", _verify, "check that the history, and reports of it, are as they were written"
    )
    verifying.add_argument(
        "--report", action="append", type=Path, default=[], metavar="FILE", help="a kept report"
    )
    verifying.add_argument(
        "--head", action="append", default=[], metavar="SEQ:HASH", help="a head that one printed"
    )

    saving = command("backup", _backup, "write the whole database to one file")
    saving.add_argument("file", type=Path)

    restoring = command("restore", _restore, "fill an empty database from a backup")
    restoring.add_argument("file", type=Path)

    loading = command("add", _add, "put the alerts of files and folders into the inbox")
    loading.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    loading.add_argument("--by", required=True, metavar="USER")

    adding = command("user", _user, "add a user, or change their role")
    adding.add_argument("name")
    adding.add_argument("role", choices=users.ROLES)
    adding.add_argument("--by", required=True, metavar="LEAD", help="who does this; first: NAME")
    return parser


def _login_name() -> str:
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):  # a container's user need not have a name
        return "someone (command line)"


def _print_json(value: Any) -> None:
    print(json.dumps(plain(value), indent=2))


def _list(database: Database, given: argparse.Namespace) -> int:
    found = find_cases(
        database, states=given.state, verdicts=given.verdict, owner=given.owner, tag=given.tag
    )
    if given.json:
        _print_json(found)
        return 0
    for one in found:
        verdict = (one.verdict or "undecided").replace("_", " ")
        line = f"{one.id:>5}  {one.state:<13} {one.severity:<8} {verdict:<14}"
        print(f"{line} {visible(one.owner or '–'):<12} {visible(one.title)}")
    if not found:
        print("No cases match.")
    return 0


def _show(database: Database, given: argparse.Namespace) -> int:
    if given.json:
        _print_json(case_file(database, given.case))
        return 0
    # Imported here: it brings the PDF library, a second that no other command has to wait.
    from cases.report import render_report

    sys.stdout.write(render_report(database, given.case, "md").decode("utf-8"))
    return 0


def _report(database: Database, given: argparse.Namespace) -> int:
    suffix = given.out.suffix.lstrip(".") if given.out else ""
    form: Any = given.format or ("json" if given.json else suffix if suffix in FORMATS else "md")
    from cases.redaction.listed import listed_words
    from cases.report.made import make_report

    words = listed_words(given.words) if given.redact else ()
    by = given.by or _login_name()
    made = make_report(
        database,
        by,
        given.case,
        form,
        redacted=given.redact,
        words=words,
        by=Actor(by, "command line").document(),
    )
    content = made.content
    if made.unrecorded:
        print(visible(made.unrecorded), file=sys.stderr)
    if given.out is None:
        sys.stdout.buffer.write(content)
        return 0
    try:
        private_file(given.out)
        given.out.write_bytes(content)
    except OSError as error:
        raise NotFound(f"{given.out} cannot be written: {error.strerror}.") from error
    print(f"{given.out}: {len(content):,} bytes", file=sys.stderr)
    return 0


def _verify(database: Database, given: argparse.Namespace) -> int:
    heads: list[Head] = []
    for text in given.head:
        found = heads_in(text)
        if not found:
            raise NotFound(f"{text!r} is no head: copy it from the report's last section.")
        heads += found
    reports = [(str(file), read_report(file)) for file in given.report]
    return _tell(verify(database, heads, reports), given.json)


def _tell(found: Verification, as_json: bool) -> int:
    if as_json:
        _print_json({**plain(found), "ok": found.ok, "head": str(found.head)})
    else:
        print(
            f"{counted(found.entries, 'audit entry', 'audit entries')},"
            f" {counted(found.cases, 'case')},"
            f" {counted(found.evidence, 'piece of evidence', 'pieces of evidence')}; head"
            f" {found.head}"
        )
        for printed in found.heads_checked:
            print(f"compared with {printed}")
        for problem in found.problems:
            print(visible(problem))
        for report in found.reports:
            print(visible(f"{report.name}:"))
            for line in (*report.problems, *report.lines):
                print(f"  {visible(line)}")
        print("The history was tampered with." if found.problems else _holds(found))
    if found.problems or any(one.problems for one in found.reports):
        return 1
    return 0 if found.ok else UNCHECKED


def _holds(found: Verification) -> str:
    wrong = sum(one.status == "does not hold" for one in found.reports)
    if wrong:
        reports = counted(wrong, "report does", "reports do")
        return f"The history agrees with itself, and {reports} not hold against it."
    unchecked = sum(one.status == "unchecked" for one in found.reports)
    if unchecked:
        reports = counted(unchecked, "report carries", "reports carry")
        return f"The history agrees with itself; {reports} no digest and could not be checked."
    return "Nothing contradicts the history."


def _backup(database: Database, given: argparse.Namespace) -> int:
    made = backup(database, given.file)
    if given.json:
        _print_json({"file": str(made.file), "rows": made.rows, "head": str(made.head)})
    else:
        print(f"{made.file}: {counted(sum(made.rows.values()), 'row')}; head {made.head}")
    return 0


def _restore(database: Database, given: argparse.Namespace) -> int:
    return _tell(restore(database, given.file), given.json)


def _add(database: Database, given: argparse.Namespace) -> int:
    found = load_files(_named(database, given.by), given.by, given.paths)
    if given.json:
        _print_json(found)
    else:
        new = sum(one.new for one in found.received)
        print(f"{counted(len(found.received), 'alert')}, {new:,} of them new")
    for file, reason in found.refused:
        print(visible(f"{file}: {reason}"), file=sys.stderr)
    return 0 if found.received or not found.refused else 2


def _named(database: Database, name: str) -> Database:
    """The database in the hands of a local user: a name on a command line proves nothing."""
    return database.acting_as(Actor(name, "command line"))


def _user(database: Database, given: argparse.Namespace) -> int:
    known = {user.name for user in users.users(database)}
    change = users.change_user if given.name in known else users.add_user
    user = change(_named(database, given.by), given.by, given.name, given.role)
    if given.json:
        _print_json(user)
    else:
        article = "an" if user.role == "analyst" else "a"
        print(f"{visible(user.name)} is {article} {user.role}.")
    return 0


if __name__ == "__main__":
    keep_private()
    sys.exit(main())
