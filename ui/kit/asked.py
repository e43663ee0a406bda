"""Filters that live in the address: a widget that shows what the address says, and changes it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.kit import boxes

PAGE = "page"
"""A changed filter begins at the first page again."""


def choice(
    place: DeltaGenerator, name: str, label: str, options: Mapping[str, str], of: str
) -> str:
    """The chosen key of `options`; the first one is the default, and not in the address."""
    default = next(iter(options))
    asked = st.query_params.get(name, default)
    key = f"{of}-{name}"
    st.session_state[key] = asked if asked in options else default
    chosen: str = place.selectbox(
        label,
        list(options),
        format_func=lambda option: options[option],
        key=key,
        on_change=_to_address,
        args=(name, key, default),
    )
    return chosen


def words(place: DeltaGenerator, name: str, label: str, of: str, hint: str = "") -> str:
    """Free text, without space around it."""
    key = f"{of}-{name}"
    st.session_state[key] = st.query_params.get(name, "")
    typed = boxes.line(
        label, place=place, key=key, placeholder=hint, on_change=_to_address, args=(name, key, "")
    )
    return typed.strip()


def page_number() -> int:
    """From 1; odd values count as not given."""
    asked = st.query_params.get(PAGE, "")
    return max(1, int(asked[:6])) if asked.isdecimal() else 1


def kept(*without: str) -> dict[str, str]:
    """The address's parameters, to be carried into a link, except some."""
    return {name: value for name, value in st.query_params.items() if name not in without}


def _to_address(name: str, key: str, default: str) -> None:
    value = str(st.session_state[key] or "").strip()
    if value and value != default:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
    st.query_params.pop(PAGE, None)
