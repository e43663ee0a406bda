"""`python -m trail`: builds an event index, says what is in it, and looks after it."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trail.counted import counted
from trail.errors import BacktrailError, SourceUnreadable
from trail.index.catalog import Catalog, default_index
from trail.index.passed_over import gone_line, passed_over_lines, what_to_do
from trail.index.status import read_status, render_status
from trail.lean import without_pandas
from trail.private import keep_private

if TYPE_CHECKING:
    from trail.index.build import BuildSummary
    from trail.read.s3 import Reading


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 could not (said in one sentence on stderr), 130 interrupted."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names come in every script; a terminal that has not theirs shows them as escapes.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BacktrailError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What was published before is kept.", file=sys.stderr)
        return 130
    except OSError as error:
        # What may go wrong with an index is said by then: this is what was to be printed.
        if not isinstance(error, BrokenPipeError):  # else the reader has seen enough (`| head`)
            what = error.filename or "The output"
            print(f"{what} cannot be written ({error.strerror or error}).", file=sys.stderr)
        # Nowhere with the rest of it: Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trail", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], told: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=told, description=told)
        made.add_argument(
            "--index", type=Path, default=None, metavar="DIR",
            help="the index folder (default: $BACKTRAIL_INDEX, else data/index)",
        )  # fmt: skip
        made.set_defaults(run=run)
        return made

    adding = command("add", _add, "Read new and changed files and objects into the index.")
    adding.add_argument(
        "paths", nargs="+", metavar="PATH", help="a file, a folder, or s3://BUCKET/PREFIX"
    )
    _bounds_of_s3(adding)
    status = command(
        "status", _status, "Say what the index holds: days, accounts, regions, rejects."
    )
    status.add_argument("--json", action="store_true", help="one JSON object")
    command("verify", _verify, "Read every segment and check it against the catalog.")
    drop = command(
        "drop", _drop, "Drop old days from the index, for good. Source files are not touched."
    )
    drop.add_argument("--before", required=True, type=_day, metavar="DATE", help="YYYY-MM-DD")
    command("compact", _compact, "Merge each day's segments into one.")
    migrate = command("migrate", _migrate, "Read all sources again for this version's schema.")
    migrate.add_argument(
        "--force", action="store_true",
        help="also when the schema is current, or when some sources are gone",
    )  # fmt: skip
    return parser


def _bounds_of_s3(adding: argparse.ArgumentParser) -> None:
    of_s3 = adding.add_argument_group(
        "with s3://", "What is listed and read, and by whom; docs/live-aws.md has the policy."
    )
    of_s3.add_argument("--since", type=_day, metavar="DAY", help="the first day, YYYY-MM-DD")
    of_s3.add_argument("--until", type=_day, metavar="DAY", help="the last day")
    of_s3.add_argument(
        "--account", action="append", default=[], metavar="ID", help="only this; may be repeated"
    )
    of_s3.add_argument(
        "--region", action="append", default=[], metavar="NAME", help="only this; may be repeated"
    )
    of_s3.add_argument("--profile", metavar="NAME", help="a profile of the AWS settings")
    of_s3.add_argument("--role-arn", metavar="ARN", help="a role to take first")
    of_s3.add_argument("--external-id", metavar="ID", help="what the role's trust asks for")
    of_s3.add_argument(
        "--requester-pays", action="store_true", help="you pay for requests, not the bucket's owner"
    )


def _reading(options: argparse.Namespace) -> Reading:
    """What was said of S3. Raises `SourceUnreadable` where it makes no sense."""
    from trail.read.s3 import Access, Bounds, Reading, is_address

    access = Access(options.profile, options.role_arn, options.external_id, options.requester_pays)
    bounds = Bounds(
        options.since, options.until, frozenset(options.account), frozenset(options.region)
    )
    if (access, bounds) != (Access(), Bounds()) and not any(map(is_address, options.paths)):
        raise SourceUnreadable(
            "Bounds, profile and role are for s3:// addresses, and none is named. Files and folders"
            " are read whole."
        )
    if wrong := [one for one in options.account if not re.fullmatch(r"\d{12}", one)]:
        raise SourceUnreadable(f"{wrong[0]!r} is no AWS account: that is a number of 12 digits.")
    if options.since and options.until and options.since > options.until:
        raise SourceUnreadable(
            f"--since {options.since} is after --until {options.until}: swap them."
        )
    if options.external_id and not options.role_arn:
        raise SourceUnreadable("--external-id goes with a role: name it with --role-arn.")
    return Reading(access, bounds)


def _index(options: argparse.Namespace) -> Path:
    chosen: Path | None = options.index
    return chosen if chosen is not None else default_index()


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-03-31") from None


# What follows imports DuckDB and more, which takes longer than all that `status` has to do.


def _add(options: argparse.Namespace) -> int:
    from trail.index.build import add
    from trail.index.progress import Bar

    reading = _reading(options)
    with Bar(sys.stderr) as bar:
        built = add(options.paths, _index(options), progress=bar, s3=reading)
    return _told(built, _index(options))


def _told(built: BuildSummary, index: Path) -> int:
    speed = built.bytes_read / 1e6 / built.elapsed_s if built.elapsed_s else 0.0
    print(
        f"{counted(built.events_added, 'event')} added from {counted(built.files_read, 'file')} in "
        f"{built.elapsed_s:,.1f} s ({speed:,.1f} MB/s);"
        f" {counted(built.files_unchanged, 'file')} unchanged, "
        f"{counted(built.duplicates, 'duplicate')}, {built.rejected:,} rejected, "
        f"{built.skipped_files:,} skipped."
    )
    for said in passed_over_lines(built.passed_over):
        print(f"  {said}")
    if (went := gone_line(built.events_gone)) is not None:
        print(f"  {went}")
    advice = what_to_do(
        events=built.events_added, duplicates=built.duplicates, files=built.files_read,
        unchanged=built.files_unchanged, rejected=built.rejected, skipped=built.skipped_files,
    )  # fmt: skip
    if advice is not None:
        print(advice)
    if built.rejected:
        print(f"`python -m trail status --index {index}` says what was rejected, where and why.")
    if built.interrupted:
        print("Interrupted: run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def _status(options: argparse.Namespace) -> int:
    with Catalog(_index(options)) as catalog:
        status = read_status(catalog)
    if options.json:
        print(json.dumps(status.as_json()))
    else:
        print(render_status(status), end="")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from trail.index.upkeep import verify

    found = verify(_index(options))
    for told in (*found.problems, *found.notes):
        print(told)
    if found.problems:
        print(
            f"{counted(len(found.problems), 'problem')}. Build the index again from its sources: "
            "`python -m trail migrate --force`.",
            file=sys.stderr,
        )
        return 1
    agree = "agrees" if found.segments + found.events == 1 else "agree"
    print(
        f"{counted(found.segments, 'segment')} and {counted(found.events, 'event')}"
        f" {agree} with the"
        " catalog."
    )
    return 0


def _drop(options: argparse.Namespace) -> int:
    from trail.index.upkeep import drop_before

    dropped = drop_before(_index(options), options.before)
    print(f"{counted(dropped, 'event')} of days before {options.before} dropped.")
    return 0


def _compact(options: argparse.Namespace) -> int:
    from trail.index.upkeep import compact

    before, after = compact(_index(options))
    print(f"{counted(before, 'segment is', 'segments are')} now {after:,}.")
    return 0


def _migrate(options: argparse.Namespace) -> int:
    from trail.index.progress import Bar
    from trail.index.upkeep import migrate

    with Bar(sys.stderr) as bar:
        built = migrate(_index(options), progress=bar, force=options.force)
    if built is None:
        print("The index has this version's schema already.")
        return 0
    return _told(built, _index(options))


if __name__ == "__main__":
    keep_private()
    without_pandas()
    sys.exit(main())
