"""Charts that answer: a bar leads to its events, a stretch of time can be chosen.

What was clicked comes from the browser, where anybody can say anything. Of a bar it is a number,
which counts only as the place of an address that was made here; of a stretch it is two times, which
count only as far as they lie in what was drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from ui.kit import phrases
from ui.kit.charts import BAR, BRUSH
from ui.kit.markup import draw, el
from ui.kit.specification import Spec


def draw_leading(spec: Spec, key: str, alt: str, leads: Sequence[str | None]) -> None:
    """Draws a chart whose bar number n leads to `leads[n]`, an address of ours, or nowhere."""
    asked = f"{key}-leads-to"

    def clicked() -> None:
        place = clicked_bar(st.session_state.get(key), len(leads))
        if place is not None:
            st.session_state[asked] = leads[place]

    st.vega_lite_chart(
        spec, key=key, width="stretch", alt=alt, on_select=clicked, selection_mode=BAR
    )
    if address := st.session_state.pop(asked, None):
        draw(f"{key}-go", el("span", "", go=address))


def draw_brushed(
    spec: Spec, key: str, alt: str, span: tuple[datetime, datetime]
) -> tuple[datetime, datetime] | None:
    """Draws a timeline over `span`; the stretch of it that is chosen, if one is."""
    st.vega_lite_chart(
        spec, key=key, width="stretch", alt=alt, on_select="rerun", selection_mode=BRUSH
    )
    return chosen_stretch(st.session_state.get(key), span)


def clicked_bar(state: Any, many: int) -> int | None:
    """The number of the bar that was clicked, one of `many`; None for anything else."""
    bars = _selection(state, BAR)
    if not isinstance(bars, Sequence) or isinstance(bars, str) or len(bars) != 1:
        return None
    number = bars[0].get("n") if isinstance(bars[0], Mapping) else None
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if 0 <= number < many else None


def chosen_stretch(state: Any, span: tuple[datetime, datetime]) -> tuple[datetime, datetime] | None:
    """From when to when, within `span`; None for anything else."""
    chosen = _selection(state, BRUSH)
    if not isinstance(chosen, Mapping) or len(chosen) != 1:
        return None
    (ends,) = chosen.values()
    if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
        return None
    first, last = (_moment(end) for end in ends)
    if first is None or last is None:
        return None
    first, last = max(min(first, last), span[0]), min(max(first, last), span[1])
    return (first, last) if first < last else None


def _selection(state: Any, name: str) -> Any:
    found = state.get("selection") if isinstance(state, Mapping) else None
    return found.get(name) if isinstance(found, Mapping) else None


def _moment(value: Any) -> datetime | None:
    """A time as Vega gives it: milliseconds since 1970, or written out."""
    if isinstance(value, str):
        return phrases.as_time(value) if len(value) < 40 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
