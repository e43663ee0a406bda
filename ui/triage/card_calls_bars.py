"""The chart that a question says its card has: calls as bars."""

from __future__ import annotations

from collections.abc import Sequence

from enrich.answer import Bar
from ui.kit import chart_clicks, charts
from ui.kit.markup import draw as draw_tree
from ui.kit.markup import el
from ui.shell import data
from ui.triage.leading import Leading


def draw(what: str, bars: Sequence[Bar], of_what: str, leading: Leading) -> None:
    """Calls per `what`, the failed ones apart; those per service lead to the calls."""

    def made() -> tuple[charts.Spec, list[str | None]]:
        chart = charts.call_bars(what, bars)
        if what != "service":
            return chart.spec, [None for _ in chart.of]
        return chart.spec, [
            leading("entity", service=source, result=result) for source, result in chart.of
        ]

    key = f"{what.lower()}-bars"
    spec, leads = data.kept(of_what, key, made)
    words = f"Calls per {what}, failed calls apart. The table with it has the same numbers"
    ends = " and links." if what == "service" else "."
    chart_clicks.draw_leading(spec, key, words + ends, leads)
    if len(bars) > charts.MOST_BARS:
        said = f"The busiest {charts.MOST_BARS} of {len(bars):,}: the table has all of them."
        draw_tree(f"{key}-cut", el("p", "small mute", said))
