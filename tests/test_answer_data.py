"""The data of answers: every field says what it means, and what was stored comes back as it was."""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cases.documents import answer_document, read_answer
from cases.redaction.own_words import own_words
from enrich import QUESTIONS
from enrich.data.found import Found
from enrich.data.services_used import ServicesUsed, ServiceUse
from tests.a_case import an_answer, five_answers

FILES = sorted((Path(__file__).resolve().parents[1] / "enrich" / "data").glob("[a-z]*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_field_says_what_it_means(file: Path) -> None:
    for kind in ast.parse(file.read_text("utf-8")).body:
        if not isinstance(kind, ast.ClassDef):
            continue
        assert ast.get_docstring(kind), kind.name
        for field, after in zip(kind.body, [*kind.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                assert told, f"{kind.name}: {ast.unparse(field)}"


def test_what_was_stored_comes_back_as_it_was() -> None:
    for answer in five_answers():
        stored = json.loads(json.dumps(answer_document(answer)))
        assert read_answer(stored).data == answer.data
        assert type(read_answer(stored).data) is type(answer.data)


def stored(name: str, data: Any) -> dict[str, Any]:
    return {**answer_document(an_answer(name)), "data": data}


def test_an_answer_of_an_older_version_lacks_newer_keys() -> None:
    """The keys of the contract alone, as the first version stored them, and one long gone."""
    row = {"event_source": "s3.amazonaws.com", "service": "S3", "count": 2, "failed": 0, "odd": [1]}
    found = read_answer(stored("services_used", {"from": None, "services": [row], "odd": 1})).data
    assert found == ServicesUsed(
        services=(ServiceUse(event_source="s3.amazonaws.com", service="S3", count=2),)
    )


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_stored_data_may_lack_everything(question: Any) -> None:
    assert type(read_answer(stored(question.name, {})).data) is type(question.empty_data())


def test_data_of_another_form_is_refused_as_a_value_error() -> None:
    with pytest.raises(ValueError, match="services"):
        read_answer(stored("services_used", {"services": "many"}))


def test_reports_draw_columns_that_the_answers_have() -> None:
    for question in QUESTIONS:
        kind = type(question.empty_data())
        for table in question.report:
            fields = msgspec.structs.fields(kind)
            listed = next(one for one in fields if one.encode_name == table.key)
            (row, _) = listed.type.__args__  # tuple[Row, ...]
            assert {key for key, _ in table.columns} <= {*row.__struct_encode_fields__}, table.key


def test_the_redaction_knows_our_own_keys() -> None:
    """Its list is made from the sources: a key with a new word is in it, or would be somebody's."""
    kinds = [
        kind
        for file in FILES
        for kind in vars(importlib.import_module(f"enrich.data.{file.stem}")).values()
        if isinstance(kind, type) and issubclass(kind, Found)
    ]
    keys = {key for kind in kinds for key in kind.__struct_encode_fields__}
    assert {"from", "class", "minted_access_key_id"} <= keys
    assert keys <= own_words()
