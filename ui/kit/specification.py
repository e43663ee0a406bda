"""A chart of Altair's as Streamlit is sent it: built once, and sent as it is.

Altair takes 10 to 30 ms for a chart. One is built once for its rows (`built_once`), whatever
version of the index they are of; a rerun sends what was kept (docs/decisions/003). Streamlit writes
a specification out as JSON on every rerun, and reads it back twice to look for names and
selections. So the rows of a chart stand in it as one text, which costs next to nothing either way,
and inside a layer: at the top of a specification Streamlit would take them through pandas and
Arrow.

Text out of a log stands in those rows and nowhere else. Field names, titles, labels, expressions
and the names of selections are ours; no channel of ours (`href`, `url`, images) fetches anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import altair as alt
from altair.utils.schemapi import disable_debug_mode

from ui.kit.keeping import Keeper, made_once

Spec = dict[str, Any]

built_once = made_once(Keeper(512))
"""For functions that build a chart of values alone. Nobody may change what comes back."""

# Altair would hold each part of a chart against Vega-Lite's schema as it is made, a third of its
# time. Tests do that, for every chart.
disable_debug_mode()

# Else Altair would collect all rows at the top of the specification.
alt.data_transformers.consolidate_datasets = False


def rows(values: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """The rows of a chart, as one text of JSON."""
    text = json.dumps(list(values), separators=(",", ":"), allow_nan=False)
    return alt.InlineData(values=text, format=alt.JsonDataFormat(type="json"))


def finished(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> Spec:
    """The chart's specification, its rows inside a layer.

    Holding it against Vega-Lite's schema as well would double the time: tests do, for every chart.
    """
    made = chart.to_dict(validate=False)
    del made["$schema"], made["config"]  # the colours and sizes are the theme's
    inner = {name: made.pop(name) for name in _OF_THE_VIEW if name in made}
    return {**made, "layer": [inner]}


_OF_THE_VIEW = ("data", "transform", "mark", "layer", "encoding", "resolve", "name")
"""What belongs to the view that is put into a layer of its own; the rest is the whole chart's."""


def milliseconds(moment: datetime) -> int:
    """A time as a chart's rows hold it."""
    return round(moment.timestamp() * 1000)


def rows_in(spec: Any) -> list[list[dict[str, Any]]]:
    """The rows of each part of a specification, in its order: what is drawn, for tests."""
    if isinstance(spec, list):
        return [found for part in spec for found in rows_in(part)]
    if not isinstance(spec, Mapping):
        return []
    own = spec.get("data")
    found = [cast("list[dict[str, Any]]", json.loads(own["values"]))] if own else []
    return found + [
        inner for name, part in spec.items() if name != "data" for inner in rows_in(part)
    ]
