"""What is drawn once: while the index says the same, for its content, by one session at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from trail.store.noting import note, noted
from ui.kit.keeping import ANY_VERSION, Keeper, made_once


def test_what_still_holds_is_not_made_again() -> None:
    keeper = Keeper(100)
    made: list[str] = []
    says = "the same"

    def draw(version: str) -> str:
        def make() -> str:
            said = says
            note("asked", lambda: said == says)
            made.append(version)
            return f"{said} of {version}"

        return keeper.get(version, "alert", "card", make)

    with noted():
        assert [draw(version) for version in ("1", "1", "2", "3", "2")] == ["the same of 1"] * 5
        says = "something else"
        # Within one version nothing changes: it is not asked again.
        assert draw("2") == "the same of 1"
        assert draw("4") == "something else of 4"
    assert made == ["1", "4"]
    assert len(keeper) == 1
    assert draw("5") == "something else of 4"


def test_where_nobody_notes_what_is_asked_only_the_version_tells() -> None:
    keeper = Keeper(100)
    drawn = [keeper.get(version, "alert", "card", lambda v=version: v) for version in "1122"]  # type: ignore[misc]
    assert drawn == ["1", "1", "2", "2"]


def test_what_is_made_of_a_part_is_made_again_with_it() -> None:
    keeper = Keeper(100)
    says = "a"

    def ask() -> str:
        said = says
        note("asked", lambda: said == says)
        return said

    def a_run(version: str) -> list[str]:
        """A page that draws what it found before, and what it finds while it draws."""
        with noted():
            answers = keeper.get(version, "alert", "answers", ask)
            return [
                keeper.get(version, "alert", "above", lambda: f"above of {answers}"),
                keeper.get(
                    version,
                    "alert",
                    "below",
                    lambda: "below of " + keeper.get(version, "alert", "answers", ask),
                ),
            ]

    assert a_run("1") == a_run("2") == ["above of a", "below of a"]
    says = "b"
    assert a_run("3") == ["above of b", "below of b"]


def test_what_is_used_least_goes_first() -> None:
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
