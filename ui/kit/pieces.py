"""Small elements that many cards share: marks, facts, links, lists, tables, notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from enrich.facts.targets import Target
from enrich.facts.techniques import plain_name
from enrich.facts.user_agent import normal_form
from ui.kit import links, phrases
from ui.kit.markup import Node, el

Tone = Literal["good", "warn", "bad", "mute"]
SHAPES = {"good": "●", "warn": "◐", "bad": "▲", "mute": "○"}
Cell = Node | str | int | None
Head = tuple[Node, str | None]
"""What stands in a column's head instead of its word, and its `aria-sort`."""


def mark(words: str, tone: Tone, shape: str | None = None) -> Node:
    """A word with a shape and a colour: readable without the colour."""
    return el("span", f"mark is-{tone}", f"{shape or SHAPES[tone]} {words}")


def title_of(words: str, look: str = "alert-title", tab: str | None = None) -> Node:
    """The one heading of a page, which the browser's tab names as well. Any text is safe."""
    return el("h1", look, words, tab=f"{phrases.shortened(tab or words)} · Backtrail")


def fact(label: str, *value: Node | str | None, look: str = "", title: str | None = None) -> Node:
    return el(
        "div",
        f"fact {look}".strip(),
        el("span", "label", label),
        el("span", "", *value),
        title=title,
    )


def link(words: str, href: str, look: str = "", *, title: str | None = None) -> Node:
    return el("a", look, words, href=href, title=title)


def pivot(value: str | None, words: str | None = None, look: str = "") -> Node | str:
    """The value, leading to its entity page; "–" when there is none."""
    if not value:
        return "–"
    shown = words or value
    # Only what is too long for a column may break anywhere: an IP address should not.
    return link(shown, links.entity(value), look or ("long clip" if len(shown) > 32 else ""))


def call(name: str | None) -> Node | str:
    """An API's name without its version date ("…20150331v2"), leading to its page."""
    return pivot(name, plain_name(name)) if name else "–"


def client(user_agent: str | None) -> Node | str:
    """Tool, version and system of a user agent, which stands whole in the tool tip."""
    if not user_agent:
        return "–"
    return el("span", "clip", normal_form(user_agent) or user_agent, title=user_agent)


def acted_on(targets: Sequence[Target], most: int = 2) -> Node | None:
    """What one call acted on, each leading to its page; whom it was shared with first."""
    shown = sorted(targets, key=lambda one: not one.shared)[:most]
    if not shown:
        return None
    left = len(targets) - len(shown)
    return el(
        "div",
        "targets",
        *(
            el(
                "div",
                "clip",
                el("span", "mute small", f"{'shared with' if one.shared else one.kind} "),
                pivot(one.name),
                title=one.name,
            )
            for one in shown
        ),
        el("div", "mute small", f"and {left:,} more") if left else None,
    )


def time_of(value: object, *, full: bool = False) -> Node:
    """A time on one line; with its year when `full`."""
    return el("span", "time", phrases.when(value) if full else phrases.clock(value))


def event_link(event_id: str | None, words: str | None = None) -> Node | str:
    return link(words or event_id[:8], links.event(event_id), "mono") if event_id else "–"


def cited(event_ids: Sequence[str]) -> Node | None:
    """One link to the events that something rests on: "5 events"; None where it rests on none."""
    if not event_ids:
        return None
    address = links.event(event_ids[0]) if len(event_ids) == 1 else links.events(event_ids)
    return link(phrases.count(len(event_ids), "event"), address, "nowrap")


def notes(lines: Iterable[str | Node], look: str = "") -> Node | None:
    """A list of sentences; nothing when there are none."""
    rows = [el("li", "", line) for line in lines]
    return el("ul", f"notes {look}".strip(), *rows) if rows else None


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: str,
    numbers: frozenset[str] = frozenset(),
    tall: bool = False,
    sorted_by: Mapping[str, Head] | None = None,
    sparse: frozenset[str] = frozenset(),
    kinds: Sequence[str] | None = None,
    open_rows: int | None = None,
) -> Node:
    """A table for keyboards and screen readers too. Columns named in `numbers` align right.

    A long one scrolls inside itself, unless it is `tall`. `sorted_by` has the heads that sort it.
    Columns named in `sparse` are left out where no row has anything in them. `kinds` has for each
    row the words of ours that `sifted` knows it by; rows after the first `open_rows` wait for it.
    """
    own_heads = sorted_by or {}
    listed = [[_cell(cell) for cell in row] for row in rows]
    kept = [
        place
        for place, head in enumerate(heads)
        if head not in sparse or any(_says_something(row[place]) for row in listed)
    ]
    heads = [heads[place] for place in kept]
    looks = ["number" if head in numbers else "" for head in heads]
    body = [
        el(
            "tr",
            "",
            *(el("td", look, row[place]) for look, place in zip(looks, kept, strict=True)),
            of=kinds[number] if kinds is not None else None,
            rest=1 if open_rows is not None and number >= open_rows else None,
        )
        for number, row in enumerate(listed)
    ]
    return el(
        "div",
        "scroll tall" if tall else "scroll",
        el(
            "table",
            "table",
            el(
                "thead",
                "",
                el(
                    "tr",
                    "",
                    *(
                        el("th", look, shown, scope="col", aria_sort=order)
                        for look, (shown, order) in zip(
                            looks,
                            (own_heads.get(head, (head, None)) for head in heads),
                            strict=True,
                        )
                    ),
                ),
            ),
            el("tbody", "", *body),
            aria_label=caption,
        ),
        role="region",
        aria_label=caption,
    )


def sifted(shown: Node, by: Sequence[tuple[str, str]], every: str | None = None) -> Node:
    """A table whose rows can be narrowed to a kind, and `every` one of them shown.

    `by` has the kind as its rows are known by, and the words on its button.
    """
    buttons = [
        el("button", "sift", words, type="button", by=kind, aria_pressed="false")
        for kind, words in by
    ]
    if every is not None:
        buttons.append(el("button", "sift", every, type="button", by="rest", aria_pressed="false"))
    if not buttons:
        return shown
    return el(
        "div",
        "sifted stack",
        el("div", "row", *buttons, role="group", aria_label="Narrow the table"),
        shown,
    )


def bar(part: float) -> Node:
    """A bar of `part` percent of its cell."""
    return el("span", "bar", part=max(0.0, min(100.0, part)))


def notice(title: str, *lines: str | Node | None, tone: Tone = "mute") -> Node:
    """An empty or broken state: what is the matter, then what to do next."""
    return el(
        "div",
        f"notice is-{tone}",
        el("div", "notice-title", title),
        *(el("p", "", line) for line in lines if line),
        role="status",
    )


def more(summary: str, *nodes: Node | None, open: bool = False, id: str | None = None) -> Node:
    """Something folded away behind its one-line summary, in words of ours."""
    return el("details", "", el("summary", "", summary), *nodes, open=open or None, id=id)


def later(summary: str, name: str, *nodes: Node | None) -> Node:
    """Something folded away that is made when it is first opened, under a name of ours.

    Until `ui.kit.markup.asked_for` names it, leave `nodes` out.
    """
    known = [node for node in nodes if node is not None]
    shown = known or [el("p", "mute small", "Asking the index …")]
    return el(
        "details",
        "",
        el("summary", "", summary),
        *shown,
        ask=name,
        given=1 if known else None,
    )


def code(text: str) -> Node:
    """Text as it is, line by line, with a button to copy it."""
    return el("div", "code", el("pre", "", text), el("button", "copy", "Copy", type="button"))


def _says_something(cell: Node | str) -> bool:
    if isinstance(cell, str):
        return cell not in ("", "–")
    return "bar" in cell.get("c", "") or any(map(_says_something, cell.get("k", ())))


def _cell(cell: Cell) -> Node | str:
    if isinstance(cell, int):
        return phrases.number(cell)
    return phrases.text(cell) if not isinstance(cell, dict) else cell
