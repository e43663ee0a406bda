"""Long tables without links, as pandas frames in Streamlit's grid, which sorts and searches them.

The grid draws its cells on a canvas, as text: no Markdown and no links, as long as no column is of
a kind that has them, which a test forbids. What a log says may stand in cells alone; columns are
named by us. Streamlit's own export and copying are switched off (.streamlit/config.toml), since a
cell may be a formula to a spreadsheet; ours stands below.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd
import streamlit as st

from cases.visible import visible
from ui.kit import phrases
from ui.shell.session import User, guarded

Frame = Any
"""A `pandas.DataFrame`, which has no types that mypy could use."""

Export = Literal["export tables of the index", "export numbers"]
_ROWS_SHOWN = 12


def frame_of(columns: Mapping[str, Sequence[Any]]) -> Frame:
    """Columns of ours over values, in which nothing is invisible and no text half a character."""
    return pd.DataFrame(
        {
            name: pd.Series([_shown(value) for value in values], dtype=_dtype(values))
            for name, values in columns.items()
        }
    )


def show(
    frame: Frame,
    name: str,
    caption: str,
    user: User,
    action: Export,
    formats: Mapping[str, str] | None = None,
) -> None:
    """Draws the frame, and its export below. `caption` says what it is to a screen reader.

    `formats` are of columns of numbers: "percent", or a pattern as `st.column_config` takes it.
    """
    st.dataframe(
        frame,
        key=f"frame-{name}",
        hide_index=True,
        width="stretch",
        height="auto" if len(frame) <= _ROWS_SHOWN else 38 * _ROWS_SHOWN,
        column_config=_column_config(frame, formats or {}),
        alt=caption,
    )
    st.download_button(
        "Export as CSV",
        guarded(user, action, lambda: as_csv(frame)),
        f"{name}.csv",
        "text/csv",
        key=f"index-{name}-csv"
        if action == "export tables of the index"
        else f"numbers-{name}-csv",
        on_click="ignore",  # as of the event search
        icon=":material/download:",
    )


def as_csv(columns: Mapping[str, Iterable[Any]] | Frame) -> str:
    """A frame, or the columns of one, for a spreadsheet, where no cell can be a formula."""
    plain = pd.DataFrame(
        {name: pd.Series([cell(one) for one in columns[name]], dtype=object) for name in columns}
    )
    out = io.StringIO()
    plain.to_csv(out, index=False, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    return out.getvalue()


def cell(value: object) -> str:
    """A value as a cell of a CSV file."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, datetime):
        return phrases.iso(value) or ""
    shown = str(value)
    if isinstance(value, int | float):
        return shown  # a negative number is none that a spreadsheet would run
    # A spreadsheet runs a cell that begins like this; the quote makes it text, and shows.
    return (
        f"'{shown}"
        if shown.lstrip().startswith(("=", "+", "-", "@")) or shown[:1] in ("\t", "\r", "\n")
        else shown
    )


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) else value


def _dtype(values: Sequence[Any]) -> str:
    """Numbers and times stay what they are, so that the grid sorts them as such."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, datetime) for value in known):
        return "datetime64[us, UTC]"
    if known and all(isinstance(value, int) for value in known):
        return "Int64"
    if known and all(isinstance(value, int | float) for value in known):
        return "Float64"
    return "object"


def _column_config(frame: Frame, formats: Mapping[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name in frame:
        kind = str(frame[name].dtype)
        if kind in ("Int64", "Float64"):
            config[name] = st.column_config.NumberColumn(format=formats.get(name, "localized"))
        elif kind.startswith("datetime"):
            config[name] = st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
            )
        elif len(frame) and isinstance(frame[name].iloc[0], date):
            config[name] = st.column_config.DateColumn(format="YYYY-MM-DD")
        else:
            config[name] = st.column_config.TextColumn()
    return config
