"""What answers hold, as the command line's JSON has it: most tests keep to the contract's keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from enrich.answer import Answer
from enrich.forms.json_form import plain


def data_of(answer: Answer) -> dict[str, Any]:
    """The answer's data in JSON's own types."""
    found: dict[str, Any] = plain(answer.data)
    return found


def as_written(answer: Answer) -> Answer:
    """The answer with its data in JSON's own types, for tests that look at nothing else."""
    return replace(answer, data=data_of(answer))
