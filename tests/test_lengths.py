"""Every place that people write into takes so much and no more, and says so."""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cases import case, evidence, review
from cases.database import Database
from cases.errors import CaseRefused
from cases.lengths import LINE, TAG, TAGS, TEXT
from cases.verify import verify
from tests.a_case import LiteralStore, a_case, a_closed_case, an_alert, an_id

pytest_plugins = ("tests.case_databases",)

ROOT = Path(__file__).resolve().parents[1]
EVENT = "11111111-0000-4000-8000-000000000001"


_numbers = itertools.count(1)


def _open(database: Database) -> case.Case:
    """A case of its own: an alert is in one that is open at most."""
    return a_case(database, an_alert(id=an_id(next(_numbers))))


def _done(database: Database) -> case.Case:
    return a_closed_case(database, an_alert(id=an_id(next(_numbers))))


def _saved(database: Database, **changes: Any) -> None:
    opened = _open(database)
    case.save_case(database, "ann", opened.id, opened.version, changes)


def _noted(database: Database, words: str) -> None:
    case.add_note(database, "ann", _open(database).id, words)


def _pinned(database: Database, words: str) -> None:
    store = LiteralStore({EVENT: json.dumps({"eventID": EVENT})})
    evidence.pin_event(database, "ann", _open(database).id, EVENT, store, words)


def _closed(database: Database, words: str) -> None:
    opened = _open(database)
    case.close_case(database, "ann", opened.id, opened.version, verdict="benign", reason=words)


def _approved(database: Database, words: str) -> None:
    done = _done(database)
    review.approve(database, "lea", done.id, done.version, words)


def _returned(database: Database, words: str) -> None:
    done = _done(database)
    review.return_case(database, "lea", done.id, done.version, words)


PLACES: dict[str, tuple[Callable[[Database, str], None], int]] = {
    "a note": (_noted, TEXT),
    "a title": (lambda database, words: _saved(database, title=words), LINE),
    "a summary": (lambda database, words: _saved(database, summary=words), TEXT),
    "a reason": (lambda database, words: _saved(database, reason=words), TEXT),
    "a tag": (lambda database, words: _saved(database, tags=[words]), TAG),
    "a verdict's reason": (_closed, TEXT),
    "a pin": (_pinned, LINE),
    "a sign-off": (_approved, TEXT),
    "what is missing": (_returned, TEXT),
    "why it is reopened": (
        lambda database, words: void(case.reopen_case(database, "ann", _done(database).id, words)),
        LINE,
    ),
    "what a lead shall look at": (
        lambda database, words: review.request_review(database, "ann", _done(database).id, words),
        LINE,
    ),
}


def void(_: object) -> None:
    """For a function whose answer nobody wants."""


@pytest.mark.parametrize("place", PLACES)
def test_what_is_written_has_a_length(database: Database, place: str) -> None:
    write, most = PLACES[place]
    write(database, "x" * most)
    with pytest.raises(CaseRefused, match=rf"has {most + 1:,} characters, and may have {most:,}"):
        write(database, "x" * (most + 1))
    assert verify(database).problems == ()


def test_a_case_has_so_many_tags(database: Database) -> None:
    _saved(database, tags=[f"t{n}" for n in range(TAGS)])
    with pytest.raises(CaseRefused, match="51 tags, and a case may have 50"):
        _saved(database, tags=[f"t{n}" for n in range(TAGS + 1)])


def test_what_was_longer_before_stays_when_something_else_is_saved(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = a_case(database)
    with monkeypatch.context() as before:
        before.setattr("cases.lengths.TEXT", 10**6)
        long = case.save_case(database, "ann", opened.id, opened.version, {"summary": "x" * 10**5})
    both = {"summary": long.summary, "tags": ["s3"]}
    assert case.save_case(database, "ann", opened.id, long.version, both).tags == ("s3",)


def test_pages_ask_for_words_through_boxes_alone() -> None:
    """Others would have no length, and no sentence for what is too long."""
    for source in sorted([*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]):
        if source.name == "boxes.py":
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("text_input", "text_area", "chat_input"), source
