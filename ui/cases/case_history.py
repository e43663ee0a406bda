"""The audit trail of a case: who, when, what, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.actor import known_how
from cases.audit import AuditEntry
from cases.case import CaseFile
from ui.kit import phrases
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import more, table

LONGEST = 160


def show(file: CaseFile) -> None:
    draw(
        "case-history",
        more(
            f"Audit trail ({phrases.count(len(file.history), 'entry', 'entries')})",
            history_table(file.history),
            el(
                "p",
                "small mute",
                "Each entry carries the hash of the one before. The chain of the whole database "
                "ends at ",
                el("code", "", str(file.head)),
            ),
        ),
    )


def history_table(
    entries: list[AuditEntry] | tuple[AuditEntry, ...], *, tall: bool = False
) -> Node:
    return table(
        ("No.", "When (UTC)", "Who", "The name was", "What", "Before → after", "Hash"),
        [
            (
                f"{entry.seq}",
                el("span", "time", phrases.when(entry.at)),
                entry.actor,
                el("span", "small mute", known_how(entry.by)),
                entry.action,
                _changes(entry),
                el("code", "nowrap", entry.hash[:10], title=entry.hash),
            )
            for entry in reversed(entries)
        ],
        caption="Audit trail, newest first",
        tall=tall,
    )


def _changes(entry: AuditEntry) -> Node:
    before, after = _flat(entry.before), _flat(entry.after)
    lines = []
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        if was != now and not (name not in before and _short(now) == "nothing"):
            shown = f"{_short(was)} → {_short(now)}" if name in before else _short(now)
            lines.append(el("li", "", el("span", "mute", f"{name}: "), shown))
    return el("ul", "plain small", *lines)


def _flat(side: Mapping[str, Any]) -> dict[str, Any]:
    """The case's fields by their names, anything else under its own."""
    flat: dict[str, Any] = {}
    for name, value in side.items():
        if name in ("case", "theirs", "yours") and isinstance(value, Mapping):
            flat |= {
                (key if name == "case" else f"{key} ({name})"): inner
                for key, inner in value.items()
            }
        elif isinstance(value, Mapping):
            flat[name] = next(
                (value[key] for key in ("text", "name", "id", "form") if value.get(key)), None
            )
        elif isinstance(value, list):
            flat[name] = ", ".join(
                str(one.get("title") if isinstance(one, Mapping) else one) for one in value
            )
        else:
            flat[name] = value
    return flat


def _short(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "nothing"
    moment = phrases.as_time(value) if isinstance(value, str) and len(value) > 20 else None
    if moment is not None:
        return phrases.when(moment)
    words = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
    return phrases.shortened(words, LONGEST)
