"""Addresses as a stranger would write them: numbers that are none, times that UTC has not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ui.explore import event_search
from ui.kit import phrases
from ui.triage.intake import _position

SPAN = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC))


@pytest.mark.parametrize("odd", ["²", "x", "-1", "0", "", "9" * 5_000, "1e3", "½"])
def test_a_page_that_is_none_is_the_first(odd: str) -> None:
    assert event_search.search_of({"page": odd}, SPAN).page == 1
    assert _position(odd, 3) == 0


def test_digits_of_every_script_are_digits() -> None:
    assert event_search.search_of({"page": "١٢"}, SPAN).page == 12


@pytest.mark.parametrize(
    "odd", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "soon", "2026-02-30", ""]
)
def test_a_time_that_is_none_is_a_problem_and_bounds_nothing(odd: str) -> None:
    assert phrases.as_time(odd) is None
    search = event_search.search_of({"from": odd, "to": odd}, SPAN)
    assert (search.first, search.last) == SPAN
    assert bool(search.problems) == bool(odd)
