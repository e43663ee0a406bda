"""Every page, and everything that can be done on one, with what it takes to see or do it.

The one table. Pages ask for themselves by name, buttons are drawn by it, what they do asks again
when it is done, the documentation's list of rights is made from it, and a test finds any widget
that is not in it. What a role may do stands in `cases.permissions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cases.permissions import MAY, ROLES, Permission

PAGES: Mapping[str, Permission] = {
    "triage": "read",
    "inbox": "read",
    "cases": "read_redacted",  # a viewer sees numbers, states and times
    "case": "read_redacted",  # a viewer sees the redacted report
    "review": "read_redacted",  # a viewer sees the metrics
    "events": "read",
    "entity": "read",
    "rules": "read",
    "index": "read",
}


def first_page(*, may_read: bool) -> str:
    """The page that the bare address opens."""
    return "triage" if may_read else "cases"


VIEWS: Mapping[str, Permission] = {
    "queue": "review",
    "metrics": "read_redacted",
    "people": "administer",
    "history": "review",
}
"""The views of the review page."""


@dataclass(frozen=True)
class Action:
    """Something to do: what it takes, and the widgets that do it, by key (`*`: anything)."""

    permission: Permission
    pages: tuple[str, ...]
    keys: tuple[str, ...]


ACTIONS: Mapping[str, Action] = {
    # Looking
    "ask about an alert": Action(
        "read",
        ("triage",),
        ("alert-file", "paste-go", "paste-check", "is-right", "correct-send"),
    ),
    "look up a name": Action("read", ("entity",), ("look-up",)),
    "search events": Action("read", ("events",), ("events-search",)),
    "export events": Action("read", ("events",), ("events-csv", "events-json")),
    "take evidence away": Action("read", ("case",), ("evidence-json",)),
    "take a report away": Action("read", ("case",), ("report-*",)),
    "take a redacted report away": Action("read_redacted", ("case",), ("redacted-*",)),
    # The index
    "export tables of the index": Action("read", ("index",), ("index-*-csv",)),
    "add uploaded logs": Action("work", ("index",), ("uploads", "add-files-send")),
    "add logs of this machine": Action("operate", ("index",), ("add-folder-send",)),
    "make the demo": Action(
        "operate", ("triage", "events", "entity", "index"), ("make-demo", "demo-first")
    ),
    "go to the index page": Action("read", ("triage", "events", "entity"), ("own-first",)),
    # The inbox
    "bring alerts in": Action(
        "work", ("inbox",), ("inbox-files*", "inbox-take", "inbox-demo", "dismiss-*")
    ),
    "bring in alerts of this machine": Action("operate", ("inbox",), ("inbox-take-folder",)),
    "find alerts in the logs": Action("work", ("inbox",), ("inbox-detect",)),
    "delete an alert": Action("delete", ("inbox",), ("delete-picked",)),
    # Cases
    "open a case": Action("work", ("inbox", "triage"), ("inbox-open", "triage-open")),
    "add an alert to a case": Action(
        "work", ("inbox", "triage", "case"), ("inbox-join", "triage-join", "add-related")
    ),
    "close with a verdict": Action(
        "work", ("triage",), ("triage-verdict-send", "triage-close-open", "triage-verdict-not")
    ),
    "freeze answers": Action("work", ("triage", "case"), ("triage-save", "freeze-answers")),
    "pin an event": Action("work", ("case",), ("pin-event-send",)),
    "write a note": Action("work", ("case",), ("note-*-send",)),
    "save a case": Action(
        "work", ("case",), ("case-*-save", "conflict-both", "conflict-mine", "conflict-theirs")
    ),
    "close a case": Action("work", ("case",), ("case-*-close",)),
    "reopen a case": Action("work", ("case",), ("reopen-*-send",)),
    "ask for a review": Action("work", ("case", "review"), ("ask-review-*-send",)),
    # Numbers
    "export numbers": Action("read_redacted", ("review",), ("numbers-*-csv",)),
    # Leads
    "approve and seal a case": Action("review", ("case", "review"), ("review-*-approve",)),
    "return a case": Action("review", ("case", "review"), ("review-*-return",)),
    "reopen a sealed case": Action("review", ("case",), ("reopen-sealed-*-send",)),
    "verify the history": Action("review", ("review",), ("verify-reports", "verify-send")),
    "add a user": Action("administer", ("review",), ("add-user-send",)),
    "change a user": Action("administer", ("review",), ("change-user-*",)),
}

ANYBODY: Mapping[str, tuple[str, ...]] = {
    "sign in": ("sign-in-*",),
    "sign out": ("sign-out",),
    "choose a name in local mode": ("i-am-*", "become-*"),
}
"""What needs no role: it is how somebody comes to one, or gives it back."""


def action_of(key: str) -> str | None:
    """What the widget of that key does; None when the table lacks it."""
    table = {name: action.keys for name, action in ACTIONS.items()} | dict(ANYBODY)
    fitting = [
        (len(pattern), name)
        for name, keys in table.items()
        for pattern in keys
        if fnmatchcase(key, pattern)
    ]
    return max(fitting)[1] if fitting else None


def rights() -> str:
    """The table as Markdown, for docs/sign-in.md: `python -m ui.shell.permissions` prints it."""
    lines = [f"| | {' | '.join(ROLES)} |", f"|---|{'---|' * len(ROLES)}"]

    def line(what: str, need: Permission) -> None:
        marks = ["yes" if need in MAY[role] else "–" for role in ROLES]
        lines.append(f"| {what} | {' | '.join(marks)} |")

    for name, need in PAGES.items():
        seen = {"cases": " (numbers, states and times)", "case": " (the redacted report)"}
        if name == "review":
            continue
        line(f"open the {name} page" + ("" if need == "read" else seen[name]), need)
        if need != "read":
            line(f"… with everything on the {name} page", "read")
    for name, need in VIEWS.items():
        line(f"see {name} on the review page", need)
    for name, action in ACTIONS.items():
        line(name, action.permission)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rights(), end="")
