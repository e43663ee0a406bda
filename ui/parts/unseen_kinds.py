"""Since when each kind of event is in an account's logs: a folded table, and its one line."""

from __future__ import annotations

from enrich.data.unseen import KindLogged, Unseen
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import more, notes, table


def unseen_card(found: Unseen) -> Node | None:
    """What cannot be seen in the logs of an account, in a line that opens; None where nothing is
    known of them."""
    if not found.lines:
        return None
    nowhere = [one for one in found.kinds if one.first is None]
    words = "What these logs cannot show"
    if nowhere:
        words += f": no {phrases.shortened(', no '.join(f'{one.words}s' for one in nowhere), 90)}"
    return el("section", "card", more(words, _kinds(found)))


def _kinds(found: Unseen) -> Node | None:
    if not found.kinds:
        return notes(found.lines, "mute")
    return el(
        "div",
        "stack",
        table(
            ("Kind of event", "Region", "First indexed (UTC)", "Not to be seen before"),
            [_kind(one) for one in found.kinds],
            caption="Since when each kind of event is in the logs",
        ),
        el(
            "p",
            "mute small",
            "A log does not say what was not logged: these are the first events indexed of each"
            f" kind, of account {found.account_id or 'unknown'}.",
        ),
    )


def _kind(one: KindLogged) -> tuple[str, str, str, str]:
    first = phrases.when(one.first) if one.first else "none indexed"
    return one.words, one.aws_region or "–", first, one.unseen
