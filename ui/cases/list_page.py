"""The list of cases: filters in the address, one line each, the ones in work first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from cases import users
from cases.case import Case, find_cases
from cases.database import Database
from ui.cases import outline_page
from ui.kit import asked as address
from ui.kit import links, phrases
from ui.kit.case_words import case_severity, review_mark, state_mark, verdict_mark
from ui.kit.dress import dress, heading, tabs
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import link, notice, table
from ui.kit.sorting import Sort, heads, sort_of
from ui.shell.session import User

PAGE = 50
MOST = 100_000
STATES: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    "work": ("In work", ("open", "investigating")),
    "closed": ("Closed", ("closed",)),
    "all": ("All", ()),
}
SEVERITIES = {"": "Any", "critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
RANKS = {name: rank for rank, name in enumerate(("low", "medium", "high", "critical"), 1)}
VERDICTS = {
    "": "Any",
    "true_positive": "True positive",
    "benign": "Benign",
    "false_positive": "False positive",
    "undetermined": "Undetermined",
}
REVIEWS = {
    "": "Any",
    "requested": "Asked for",
    "returned": "Returned",
    "approved": "Approved",
    "none": "None",
}


def show(database: Database, user: User) -> None:
    if not user.may("read"):
        outline_page.show_list(database)
        return
    dress()
    draw("cases-title", heading("Cases"))
    known = Counter(case.state for case in find_cases(database, limit=MOST))
    totals = {
        name: sum(known[state] for state in of) if of else known.total()
        for name, (_, of) in STATES.items()
    }
    if not totals["all"]:
        draw(
            "no-case",
            notice(
                "There is no case yet.",
                "A case holds one or more alerts, what was found about them, and a verdict with "
                "its reason.",
                link("Pick alerts in the inbox and open one", "inbox"),
            ),
        )
        return
    state = st.query_params.get("state", "work")
    state = state if state in STATES else "work"
    draw(
        "cases-states",
        tabs(
            "State",
            [
                (
                    words,
                    links.address("cases", address.kept("state", "page") | {"state": name}),
                    totals[name],
                    name == state,
                )
                for name, (words, _) in STATES.items()
            ],
        ),
    )
    found = _find(database, user, state)
    if not found:
        draw(
            "no-case-fits",
            notice("No case fits these filters.", link("See all cases", "cases?state=all")),
        )
        return
    page = address.page_number()
    pages = max(1, -(-len(found) // PAGE))
    sort = sort_of(st.query_params.to_dict(), _SORTS, Sort("case", up=False))
    shown = _in_order(found, sort)[(page - 1) * PAGE : page * PAGE]
    draw("cases", _table(shown, sort), _turn(page, pages, len(found)))


def _find(database: Database, user: User, state: str) -> list[Case]:
    owners = {"": "Anyone", user.name: "Me"} | {
        one.name: one.name for one in users.users(database) if one.name != user.name
    }
    columns = st.columns([2, 2, 2, 2, 2, 4])
    severity = address.choice(columns[0], "severity", "Severity", SEVERITIES, "cases")
    verdict = address.choice(columns[1], "verdict", "Verdict", VERDICTS, "cases")
    review = address.choice(columns[2], "review", "Review", REVIEWS, "cases")
    owner = address.choice(columns[3], "owner", "Owner", owners, "cases")
    tag = address.words(columns[4], "tag", "Tag", "cases")
    text = address.words(columns[5], "text", "Search", "cases", "title, summary, reason")
    return find_cases(
        database,
        states=STATES[state][1],
        severities=[severity] if severity else (),  # type: ignore[list-item] # one of ours
        verdicts=[verdict] if verdict else (),  # type: ignore[list-item] # one of ours
        reviews=[review] if review else (),  # type: ignore[list-item] # one of ours
        owner=owner or None,
        tag=tag or None,
        text=text or None,
        limit=MOST,
    )


_SORTS: Mapping[str, tuple[str, Callable[[Case], Any]]] = {
    "case": ("Case", lambda case: case.id),
    "severity": ("Severity", lambda case: RANKS.get(case.severity, 0)),
    "title": ("Title", lambda case: case.title.casefold()),
    "verdict": ("Verdict", lambda case: case.verdict or ""),
    "owner": ("Owner", lambda case: (case.owner or "").casefold()),
    "opened": ("Opened (UTC)", lambda case: case.opened_at),
}
"""Column that the list is sorted by → its head, and what of a case is compared."""


def _in_order(cases: Sequence[Case], sort: Sort) -> list[Case]:
    """The newest case first, then by the column."""
    newest = sorted(cases, key=lambda case: -case.id)
    return sorted(newest, key=_SORTS[sort.by][1], reverse=not sort.up)


def _table(cases: Sequence[Case], sort: Sort) -> Node:
    labels = {name: label for name, (label, _) in _SORTS.items()}
    return table(
        ("Case", "Severity", "Title", "State", "Verdict", "Owner", "Opened (UTC)", "Review"),
        [
            (
                link(f"{case.id}", links.address("case", {"id": str(case.id)}), "nowrap"),
                case_severity(case.severity),
                _title(case),
                state_mark(case.state),
                verdict_mark(case.verdict),
                case.owner or el("span", "mute", "nobody"),
                el("span", "time", phrases.when(case.opened_at)),
                review_mark(case.review) or el("span", "mute", "–"),
            )
            for case in cases
        ],
        caption="Cases",
        tall=True,
        sorted_by=heads("cases", st.query_params.to_dict(), labels, sort),
    )


def _title(case: Case) -> Node:
    return el(
        "div",
        "",
        link(case.title, links.address("case", {"id": str(case.id)}), "queue-open"),
        el(
            "div",
            "row small mute",
            *(
                link(f"#{tag}", links.address("cases", {"tag": tag, "state": "all"}))
                for tag in case.tags
            ),
            f"reopened {phrases.count(case.reopened, 'time')}" if case.reopened else None,
        ),
    )


def _turn(page: int, pages: int, total: int) -> Node | None:
    if pages == 1:
        return None

    def to(number: int, words: str) -> Node:
        kept = address.kept("page") | {"page": str(number)}
        return link(words, links.address("cases", kept))

    return el(
        "p",
        "row small",
        el("span", "mute", f"{phrases.count(total, 'case')}, page {page} of {pages}"),
        to(page - 1, "Previous") if page > 1 else None,
        to(page + 1, "Next") if page < pages else None,
    )
