"""Writers of cases killed at random moments: nothing that was confirmed is lost.

`python -m bench crash_cases` kills 50; here it is a few of each database.
"""

from __future__ import annotations

from bench.crash_cases import kill_writers

pytest_plugins = ("tests.case_databases",)


def test_killed_writers_lose_nothing_that_was_confirmed(fresh_url: str) -> None:
    told = kill_writers(fresh_url, 4, 7)
    assert told["confirmed"] > 0
    assert (told["lost"], told["unsound"]) == (0, 0)
