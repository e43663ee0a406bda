"""Some seconds of each kind of fuzzing; `python -m bench fuzz` goes on for as long as is wanted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.fuzz import CHECKS, Place, a_place, run
from trail.index.catalog import Catalog

EXAMPLES = {"pages": 4}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place() as made:
        with Catalog(made.folder / "scratch", create=True):
            pass
        yield made


@pytest.mark.parametrize("name", CHECKS)
def test_what_anyone_may_give_us(name: str, place: Place) -> None:
    assert run(CHECKS[name], place, EXAMPLES.get(name, 60), number=7) > 0
