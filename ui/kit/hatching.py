"""Hatching out of thin lines: Vega-Lite has no patterns. For time of which there are no logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ui.kit.specification import milliseconds

LINES = 70
"""As many lines as a whole chart's width would get, so that they stand alike in all its gaps."""

Stretch = tuple[datetime, datetime]


def strokes(gaps: Sequence[Stretch], span: Stretch, height: int) -> list[dict[str, float]]:
    """Rising lines across each gap: `at` to `until` in milliseconds, `low` to `high` in pixels
    from the top. Lines are cut where the gap ends."""
    step = (span[1] - span[0]) / LINES
    lines = []
    for start, end in gaps:
        # On the chart's own grid, so that lines go on where a gap does; the first may begin before.
        before = span[0] + ((start - span[0]) // step - 3) * step
        for begin in _begins(before, end, step):
            run = step * 3  # so far to the right while it rises by the whole height
            left, right = max(begin, start), min(begin + run, end)
            if left >= right:
                continue
            lines.append(
                {
                    "at": milliseconds(left),
                    "until": milliseconds(right),
                    "low": round(height * (1 - (left - begin) / run), 1),
                    "high": round(height * (1 - (right - begin) / run), 1),
                }
            )
    return lines


def band_strokes(gaps: Sequence[Stretch], span: Stretch) -> list[dict[str, int]]:
    """Lines across a band's height within each gap: `at` its foot, `until` its head. A gap has
    one at least."""
    step = (span[1] - span[0]) / LINES
    return [
        {"at": milliseconds(begin), "until": milliseconds(min(begin + step * 0.8, end))}
        for start, end in gaps
        for begin in _begins(start, end, step)
    ]


def _begins(first: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while first < end:
        yield first
        first += step
