"""What the index page says after logs were added: "Done." only where nothing is left to say."""

from __future__ import annotations

import pytest

from trail.index.passed_over import PassedOver, passed_over_lines, what_to_do
from ui.explore.index_page import _outcome


@pytest.mark.parametrize(
    ("events", "rejected", "skipped", "title", "advised"),
    [
        (5, 0, 0, "Done.", False),
        (0, 0, 0, "No events were added.", True),
        (0, 1, 0, "No events were added.", True),
        (5, 1, 0, "Added, but some could not be read.", True),
        (5, 0, 1, "Added; some files are no CloudTrail.", True),
    ],
)
def test_done_is_said_only_where_nothing_was_passed_over(
    events: int, rejected: int, skipped: int, title: str, advised: bool
) -> None:
    assert _outcome(events, rejected, skipped) == title
    advice = what_to_do(
        events=events, duplicates=0, files=2, unchanged=0, rejected=rejected, skipped=skipped
    )
    assert (advice is not None) == advised


def test_a_reason_names_its_number_and_first_place() -> None:
    lines = passed_over_lines(
        [
            PassedOver("a table of nobody", 1, "/logs/a.csv", rejected=True),
            PassedOver("a WAF log: no CloudTrail", 3_000, "/logs/w\x1b.log", rejected=False),
        ]
    )
    assert lines == [
        "1 rejected: a table of nobody (/logs/a.csv)",
        "3,000 skipped: a WAF log: no CloudTrail (first /logs/w\N{REPLACEMENT CHARACTER}.log)",
    ]
