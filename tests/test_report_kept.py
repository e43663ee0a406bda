"""A report that was kept: `cases verify --report` finds whatever was changed in it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import event

from cases import audit, case, review
from cases.__main__ import main
from cases.backup import backup, restore
from cases.database import Database, open_database
from cases.kept_reports import LARGEST, KeptReport
from cases.report import FORMATS, Format, render_report
from cases.report.made import make_report
from cases.report_digest import read_mark
from cases.verify import verify
from tests.a_case import Clock, a_case, a_closed_case, add_people

pytest_plugins = ("tests.case_databases",)


def checked(database: Database, content: bytes) -> KeptReport:
    (found,) = verify(database, (), [("kept", content)]).reports
    return found


def sealed(database: Database) -> int:
    closed = a_closed_case(database)
    review.request_review(database, "ann", closed.id, "please look")
    review.approve(database, "lou", closed.id, case.get_case(database, closed.id).version)
    return closed.id


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("redacted", [False, True])
def test_a_report_as_it_was_made_holds(database: Database, form: Format, redacted: bool) -> None:
    opened = a_case(database)
    head = audit.head(database)
    made = make_report(database, "ann", opened.id, form, redacted=redacted)
    assert made.unrecorded is None
    last = audit.history(database, opened.id)[-1]
    assert (last.actor, last.action) == ("ann", "report made")
    mark = read_mark(made.content)
    assert mark is not None
    assert last.after["report"] == {
        "sha256": mark.sha256,
        "form": form,
        "redacted": redacted,
        "head": str(head),
    }
    # By hand: the digest's own 64 places zeroed, then the SHA-256 of every byte.
    assert made.content.count(mark.sha256.encode()) == 1
    blank = made.content.replace(mark.sha256.encode(), b"0" * 64)
    assert hashlib.sha256(blank).hexdigest() == mark.sha256

    found = checked(database, made.content)
    assert (found.ok, found.digest, found.made_at_entry) == (True, "agrees", last.seq)
    assert found.heads == (head,)
    words = " ".join(found.lines)
    assert "Its own digest agrees" in words
    assert f"audit entry {last.seq}, by ann" in words
    assert f"entry {head.seq}, is in this history" in words
    assert "was not sealed when it was made" in words


@pytest.mark.parametrize("form", FORMATS)
def test_any_changed_byte_is_found(sqlite_database: Database, form: Format) -> None:
    content = make_report(sqlite_database, "ann", a_case(sqlite_database).id, form).content
    step = max(1, len(content) // 60)
    for at in [*range(0, len(content), step), len(content) - 1]:
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        try:
            found = checked(sqlite_database, changed)
        except Exception as refused:  # not even recognized as a report
            assert "report" in str(refused) or "digest" in str(refused)  # noqa: PT017
            continue
        assert not found.ok, (at, content[at : at + 20])


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_an_edited_verdict_in_a_sealed_report_is_found(database: Database, form: Format) -> None:
    case_id = sealed(database)
    content = make_report(database, "lea", case_id, form).content
    assert "still has and matches the seal" in " ".join(checked(database, content).lines)
    edited = re.sub(rb"benign", b"true_positive", content, count=1, flags=re.IGNORECASE)
    assert edited != content
    found = checked(database, edited)
    assert (found.ok, found.digest) == (False, "differs")
    assert "edited, cut off or converted" in found.problems[0]


def test_a_digest_made_anew_after_an_edit_is_found(sqlite_database: Database) -> None:
    content = make_report(sqlite_database, "ann", a_case(sqlite_database).id, "md").content
    mark = read_mark(content)
    assert mark is not None
    edited = content.replace(b"unusual place", b"usual place")
    anew = read_mark(edited)
    assert anew is not None
    forged = edited.replace(mark.sha256.encode(), anew.found.encode())
    found = checked(sqlite_database, forged)
    assert (found.ok, found.digest, found.made_at_entry) == (False, "agrees", None)
    assert "not a report that this database recorded making" in found.problems[0]


def test_line_ends_and_a_line_more_are_said_to_be_that(sqlite_database: Database) -> None:
    content = make_report(sqlite_database, "ann", a_case(sqlite_database).id, "md").content
    for mailed in (content.replace(b"\n", b"\r\n"), content + b"\n", b"\xef\xbb\xbf" + content):
        found = checked(sqlite_database, mailed)
        assert not found.ok
        assert "no word was changed, but the line ends" in found.problems[0]


def test_a_value_that_looks_like_a_digest_is_not_taken_for_it(sqlite_database: Database) -> None:
    fake = f"backtrail-digest-1 case=9 seal=none head=9:{'a' * 64} sha256={'b' * 64}"
    texts = (
        f"Digest of this file: `{fake}`",
        f'<meta name="backtrail-digest" content="{fake}">',
        f'\n  "digest": "{fake}"',
        f"%%EOF\n%{fake}",
    )
    opened = a_case(sqlite_database)
    for one in texts:
        case.add_note(sqlite_database, "ann", opened.id, one)
    for form in FORMATS:
        content = make_report(sqlite_database, "ann", opened.id, form).content
        assert checked(sqlite_database, content).ok, form


def test_a_report_of_another_database_is_told_apart(
    sqlite_database: Database, tmp_path: Path
) -> None:
    content = make_report(sqlite_database, "ann", a_case(sqlite_database).id, "json").content
    other = open_database(str(tmp_path / "other.db"), Clock())
    try:
        found = checked(other, content)
        assert (found.digest, found.ok) == ("agrees", False)
        words = " ".join(found.problems)
        assert "is not in this history, which was cut or is another database's" in words
        assert "there is no case 1 here" in words
        # The history itself has nothing wrong with it.
        assert verify(other, (), [("kept", content)]).problems == ()
        copy = tmp_path / "copy"
        backup(sqlite_database, copy)
        restore(other, copy)
        assert checked(other, content).ok
    finally:
        other.close()


def without_mark(content: bytes) -> bytes:
    return content[: content.index(b"\nDigest of this file")].replace(b"carries a digest", b"is")


def test_a_report_from_before_there_were_digests(sqlite_database: Database) -> None:
    old = without_mark(render_report(sqlite_database, a_case(sqlite_database).id, "md"))
    found = checked(sqlite_database, old)
    assert (found.ok, found.status, found.digest) == (False, "unchecked", "none")
    assert found.lines[0].startswith("It carries no digest: its words cannot be checked; only its")
    make_report(sqlite_database, "ann", 1, "md")
    later = without_mark(render_report(sqlite_database, 1, "md"))
    assert "it was taken out" in checked(sqlite_database, later).problems[0]
    assert checked(sqlite_database, old).status == "unchecked"


def test_a_report_without_its_digest_is_never_said_to_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "cases.db")
    database = open_database(url, Clock())
    add_people(database)
    case_id = sealed(database)
    early = audit.history(database, case_id)[0]
    reports: dict[Format, str] = {
        "md": make_report(database, "ann", case_id, "md").content.decode(),
        "html": make_report(database, "ann", case_id, "html").content.decode(),
        "json": make_report(database, "ann", case_id, "json").content.decode(),
    }
    database.close()
    forged = {"invented": f"# Report: case 1\nTrue positive. Head: {early.seq}:{early.hash}\n"}
    for form, text in reports.items():
        text = re.sub("(?i)benign", "true positive", text)
        if form == "json":
            document = json.loads(text)
            forged[form] = json.dumps(
                {"case": document["case"], "head": {"text": f"{early.seq}:{early.hash}"}}
            )
            continue
        text = "\n".join(line for line in text.splitlines() if "digest" not in line.lower())
        text = re.sub(r"\b[0-9]+:[0-9a-f]{64}", f"{early.seq}:{early.hash}", text)
        forged[form] = text
    for name, text in forged.items():
        file = tmp_path / name
        file.write_text(text)
        assert main(["verify", "--database", url, "--report", str(file)]) == 3, name
        out = capsys.readouterr().out
        assert "its words cannot be checked; only its head is known" in out
        assert "could not be checked.\n" in out
        assert "Nothing contradicts" not in out
        assert main(["verify", "--database", url, "--report", str(file), "--json"]) == 3
        told = json.loads(capsys.readouterr().out)
        assert (told["ok"], told["reports"][0]["status"]) == (False, "unchecked")


def test_bad_files_get_a_sentence(
    sqlite_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = a_case(sqlite_database)
    whole = {form: make_report(sqlite_database, "ann", opened.id, form).content for form in FORMATS}
    url = str(sqlite_database.engine.url.database)

    def told(content: bytes) -> tuple[int, str]:
        file = tmp_path / "kept"
        file.write_bytes(content)
        code = main(["verify", "--database", url, "--report", str(file)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    assert told(b"") == (2, f"{tmp_path / 'kept'} is empty: there is no report in it.\n")
    code, said = told(bytes(range(256)) * 40)
    assert (code, "is no whole report" in said) == (2, True)
    for form, content in whole.items():
        code, said = told(content[: len(content) * 2 // 3])
        assert code in (1, 2), form
        assert "is no whole report" in said or "cut off" in said, form
    # Only the last line is missing, so that the head is still there.
    code, said = told(whole["md"][: whole["md"].rindex(b"Digest of")])
    assert (code, "the file was cut off or edited" in said) == (1, True)
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(200 * 2**20)
    assert main(["verify", "--database", url, "--report", str(tmp_path / "huge")]) == 2
    assert f"no report has more than {LARGEST:,}" in capsys.readouterr().err
    assert main(["verify", "--database", url, "--report", str(tmp_path)]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_the_command_line_says_what_was_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "cases.db")
    database = open_database(url, Clock())
    add_people(database)
    a_case(database)
    database.close()
    file = tmp_path / "report.md"
    assert main(["report", "1", "--database", url, "--out", str(file), "--by", "ann"]) == 0
    capsys.readouterr()
    assert main(["verify", "--database", url, "--report", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Its own digest agrees" in out
    assert "by ann at" in out
    database = open_database(url)
    assert audit.history(database, 1)[-1].by == {"names": "command line"}
    database.close()
    assert out.endswith("Nothing contradicts the history.\n")
    file.write_bytes(file.read_bytes().replace(b"unusual", b"usual"))
    assert main(["verify", "--database", url, "--report", str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["problems"], told["reports"][0]["digest"]) == (False, [], "differs")
    assert main(["verify", "--database", url, "--report", str(file)]) == 1
    assert "1 report does not hold against it" in capsys.readouterr().out


def test_a_database_that_cannot_be_written_gives_the_report_all_the_same(
    sqlite_database: Database,
) -> None:
    opened = a_case(sqlite_database)
    before = audit.head(sqlite_database)

    @event.listens_for(sqlite_database.engine, "connect")
    def _read_only(connection, _record):  # type: ignore[no-untyped-def]
        connection.execute("pragma query_only = on")

    sqlite_database.engine.dispose()
    made = make_report(sqlite_database, "vic", opened.id, "md")
    assert made.content.startswith(b"# Case 1")
    assert made.unrecorded is not None
    assert "does not tell that this report was made" in made.unrecorded
    assert audit.head(sqlite_database) == before


def test_a_report_of_a_sealed_case_does_not_break_its_seal(database: Database) -> None:
    case_id = sealed(database)
    make_report(database, "vic", case_id, "md")
    assert verify(database).problems == ()
