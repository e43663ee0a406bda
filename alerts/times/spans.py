"""Stretches of a text that are read already."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Spans:
    """None overlaps another; whether one more does is found without looking at each."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def overlap(self, start: int, end: int) -> bool:
        place = bisect_right(self._ends, start)
        return place < len(self._starts) and self._starts[place] < end

    def add(self, start: int, end: int) -> None:
        place = bisect_right(self._ends, start)
        self._starts.insert(place, start)
        self._ends.insert(place, end)
