"""Lists that are sorted by a click on a column's head; the address keeps by which, and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ui.kit import links
from ui.kit.pieces import Head, link


@dataclass(frozen=True)
class Sort:
    """By which column, and whether from the least on."""

    by: str
    up: bool


def sort_of(asked: Mapping[str, str], columns: Collection[str], default: Sort) -> Sort:
    """The sort that an address asks for; an unknown column counts as not given."""
    by = asked.get("sort", "")
    return Sort(by, asked.get("order") == "up") if by in columns else default


def heads(
    page: str, asked: Mapping[str, str], labels: Mapping[str, str], now: Sort
) -> dict[str, Head]:
    """Label → what stands in the head: a link that sorts by the column, or turns its order.

    `labels` are the names of columns that can be sorted by, and their words.
    """
    kept = {name: value for name, value in asked.items() if name not in ("sort", "order", "page")}

    def head(name: str, label: str) -> Head:
        turned = "up" if name == now.by and not now.up else None
        arrow = f" {'▲' if now.up else '▼'}" if name == now.by else ""
        to = links.address(page, {**kept, "sort": name, "order": turned})
        sorted_by = "ascending" if now.up else "descending"
        return link(f"{label}{arrow}", to), sorted_by if name == now.by else None

    return {label: head(name, label) for name, label in labels.items()}
