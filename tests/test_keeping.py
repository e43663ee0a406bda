"""What is drawn once: for a version of the index, for its content, by one session at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.kit.keeping import ANY_VERSION, Keeper, made_once


def test_two_versions_are_kept_and_looked_at_in_turn() -> None:
    keeper = Keeper(100)
    made: list[str] = []

    def draw(version: str) -> str:
        return keeper.get(version, "alert", "card", lambda: made.append(version) or version)  # type: ignore[func-returns-value]

    # A session that is at work on the version before does not make the others draw anew.
    for version in ("1", "2", "1", "2"):
        assert draw(version) == version
    assert made == ["1", "2"]
    draw("3")
    assert len(keeper) == 2
    assert draw("1") == "1"
    assert made == ["1", "2", "3", "1"]


def test_what_is_of_no_version_outlives_them_and_goes_by_use() -> None:
    keeper = Keeper(3)
    keeper.get(ANY_VERSION, "a", "chart", lambda: "a")
    for version in "12345":
        keeper.get(version, "alert", "card", str)
        assert keeper.get(ANY_VERSION, "a", "chart", lambda: "made anew") == "a"
    for name in "bcd":
        keeper.get(ANY_VERSION, name, "chart", str)
    assert len(keeper) == 3
    assert keeper.get(ANY_VERSION, "a", "chart", lambda: "made anew") == "made anew"


def test_fifty_sessions_have_one_make_it() -> None:
    keeper = Keeper(100)
    made = []
    begun, go_on = threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(30)
        made.append(1)
        return "drawing"

    with ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(keeper.get, "1", "alert", "card", make) for _ in range(50)]
        assert begun.wait(30)
        # Others are not held up by it.
        assert keeper.get("1", "another alert", "card", lambda: "other") == "other"
        go_on.set()
        assert {one.result(30) for one in asked} == {"drawing"}
    assert made == [1]


def test_what_failed_is_made_again() -> None:
    keeper = Keeper(100)
    with pytest.raises(OSError, match="disk"):
        keeper.get("1", "alert", "card", _fails)
    assert keeper.get("1", "alert", "card", lambda: "drawn") == "drawn"


def _fails() -> str:
    raise OSError("disk")


def test_a_function_of_values_is_called_once_for_the_same_ones() -> None:
    calls = []

    @made_once(Keeper(10))
    def chart(rows: list[dict[str, int]], most: int = 3) -> list[int]:
        calls.append(rows)
        return [row["n"] for row in rows][:most]

    assert chart([{"n": 1}]) is chart([{"n": 1}])
    assert chart([{"n": 2}]) == [2]
    assert chart([{"n": 1}], most=0) == []
    assert len(calls) == 3
    with pytest.raises(TypeError, match="iterator"):
        chart({"n": n} for n in range(2))  # type: ignore[arg-type]
