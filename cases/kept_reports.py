"""Whether a report that was kept is as it was made, and is one that this database made.

Four things are told, each on its own: the digest that the file carries of itself, whether the
history has it as a report that was made, the head of the history in it, and the seal of its case.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cases.audit import FIRST_HASH, Head
from cases.errors import CaseRefused, NotFound
from cases.heads import heads_in
from cases.report_digest import Mark, form_of, read_mark
from trail.counted import counted

REPORT_MADE = "report made"
"""The audit entry's action; its `after.report` has `sha256`, `form`, `redacted` and `head`."""

LARGEST = 128 * 2**20
"""Bytes of a file that is read as a report."""

SAYS_SO = "carries a digest of itself"
"""In the words of each report that has one: a file that says so and has none was cut."""

_REMAINS = (SAYS_SO.encode(), b"backtrail-digest-", b"Digest of this file", b" sha256=")
"""What is left of a digest of which something was changed."""

Digest = Literal["agrees", "differs", "none"]
Status = Literal["holds", "does not hold", "unchecked"]


@dataclass(frozen=True)
class KeptReport:
    """What became of one file: `lines` say what was compared, `problems` what does not agree.

    `status` is "unchecked" for a file without a digest in which nothing is wrong: its words could
    be anybody's, around a head that any other report prints.
    """

    name: str
    status: Status
    digest: Digest
    made_at_entry: int | None
    heads: tuple[Head, ...]
    lines: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.status == "holds"


def read_report(file: Path) -> bytes:
    """The file's bytes. `NotFound` for one that cannot be read, `CaseRefused` for one too large."""
    try:
        if not file.is_file():
            raise NotFound(f"The report {file} cannot be read: there is no such file.")
        size = file.stat().st_size
        if size > LARGEST:
            raise CaseRefused(
                f"{file} has {size:,} bytes, and no report has more than {LARGEST:,}: it was not"
                " read."
            )
        return file.read_bytes()
    except OSError as error:
        raise NotFound(f"The report {file} cannot be read: {error.strerror}.") from error


def check_report(
    name: str,
    content: bytes,
    rows: Sequence[Any],
    seals: dict[int, str | None],
    broken: Collection[int],
) -> KeptReport:
    """What holds of the file. `rows` is the audit trail, `seals` each case's seal, `broken` the
    cases that do not match theirs. `NotFound` for a file that is no report.
    """
    mark = read_mark(content)
    if mark is None:
        return _without_digest(name, content, rows)
    agrees = mark.found == mark.sha256
    lines, problems = [], []
    if agrees:
        lines.append(
            f"Its own digest agrees: all {len(content):,} bytes are those that it was made over."
        )
    else:
        problems.append(f"Its own digest does not agree: {_what_changed(content, mark)}")
    entry = _made(rows, mark.sha256)
    if entry is None:
        problems.append(
            "It is not a report that this database recorded making: it is another database's, it"
            " was made where the history could not be written, or its digest was made anew after"
            " a change."
        )
    elif agrees:
        lines.append(f"It is a report that this database made: {_told(entry)}.")
    else:
        problems.append(
            f"It carries the digest of a report that this database made ({_told(entry)}), and is"
            " not that report any more."
        )
    for one, good in _heads((mark.head,), rows):
        (lines if good else problems).append(one)
    seal, good = _seal(mark, seals, broken)
    (lines if good else problems).append(seal)
    return KeptReport(
        name,
        "does not hold" if problems else "holds",
        "agrees" if agrees else "differs",
        None if entry is None else entry.seq,
        (mark.head,),
        tuple(lines),
        tuple(problems),
    )


def _what_changed(content: bytes, mark: Mark) -> str:
    plain = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip() + b"\n"
    same = read_mark(plain)
    if form_of(content) != "pdf" and same is not None and same.found == mark.sha256:
        return (
            "no word was changed, but the line ends, or what stands before the first or after the"
            " last line, were, as a mail program or an editor does. Keep the file as it was"
            " downloaded."
        )
    return (
        f"the file's {counted(len(content), 'byte is', 'bytes are')} not those that it"
        f" was made over. It was edited,"
        " cut off or converted since."
    )


def _without_digest(name: str, content: bytes, rows: Sequence[Any]) -> KeptReport:
    heads = heads_in(content.decode("utf-8", "replace"))
    if not content.strip():
        raise NotFound(f"{name} is empty: there is no report in it.")
    cut = _cut_off(content)
    if not heads:
        if form_of(content) == "pdf" and not cut:
            raise NotFound(
                f"{name} carries no digest, and no head of the audit chain can be read from it."
                " Copy the head that it prints by hand: --head."
            )
        raise NotFound(
            f"{name} is no whole report: it has neither a digest of its own nor a head of the audit"
            " chain."
        )
    lines, problems = [], []
    made = [row.seq for row in rows if row.action == REPORT_MADE]
    if cut or any(one in content for one in _REMAINS):
        problems.append("It has no digest of its own any more: the file was cut off or edited.")
    elif made and made[0] <= max(head.seq for head in heads):
        problems.append(
            "It carries no digest of its own, which every report had by then: it was taken out."
        )
    else:
        lines.append(
            "It carries no digest: its words cannot be checked; only its head is known, which any"
            " text can quote. A report of before there were digests looks like this, and so does"
            " one whose digest was cut out."
        )
    for one, good in _heads(heads, rows):
        (lines if good else problems).append(one)
    status: Status = "does not hold" if problems else "unchecked"
    return KeptReport(name, status, "none", None, tuple(heads), tuple(lines), tuple(problems))


def _cut_off(content: bytes) -> bool:
    match form_of(content):
        case "pdf":
            return b"%%EOF" not in content[-1024:]
        case "html":
            return not content.rstrip().endswith(b"</html>")
        case "json":
            try:
                json.loads(content)
            except (ValueError, RecursionError):
                return True
    return False


def _made(rows: Iterable[Any], sha256: str) -> Any:
    for row in rows:
        if row.action == REPORT_MADE and sha256 in row.after:
            return row
    return None


def _told(entry: Any) -> str:
    report = json.loads(entry.after).get("report", {})
    redacted = "redacted" if report.get("redacted") else "not redacted"
    return (
        f"audit entry {entry.seq}, by {entry.actor} at {entry.at}, {report.get('form')}, {redacted}"
    )


def _heads(heads: Iterable[Head], rows: Sequence[Any]) -> Iterable[tuple[str, bool]]:
    by_seq = {row.seq: row.hash for row in rows} | {0: FIRST_HASH}
    for head in heads:
        if by_seq.get(head.seq) == head.hash:
            yield f"The head of the history in it, entry {head.seq}, is in this history.", True
        elif head.seq in by_seq:
            yield (
                f"The head of the history in it is not this history's entry {head.seq}: it is"
                " another database's, or the history up to it was rewritten.",
                False,
            )
        else:
            yield (
                f"The head of the history in it, entry {head.seq}, is not in this history, which"
                " was cut or is another database's.",
                False,
            )


def _seal(mark: Mark, seals: dict[int, str | None], broken: Collection[int]) -> tuple[str, bool]:
    case = f"case {mark.case_id}"
    if mark.case_id not in seals:
        return f"The case's seal cannot be compared: there is no {case} here.", False
    now = seals[mark.case_id]
    if mark.case_id in broken:
        return f"The case's seal: {case} does not match its seal.", False
    if mark.seal is None:
        since = "is sealed since" if now else "is not sealed now either"
        return f"The case's seal: {case} was not sealed when it was made, and {since}.", True
    if now is None:
        return f"The case's seal: {case} was sealed when it was made, and was reopened since.", True
    if now != mark.seal:
        return f"The case's seal: {case} has another seal now than the report carries.", True
    return f"The case's seal: {case} still has and matches the seal that the report carries.", True
