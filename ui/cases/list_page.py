"""The list of cases: filters in the address, one line each, the ones in work first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from cases import users
from cases.case import Case, Filters, State, count_cases, find_cases
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
STATES: Mapping[str, tuple[str, tuple[State, ...]]] = {
    "work": ("In work", ("open", "investigating")),
    "closed": ("Closed", ("closed",)),
    "all": ("All", ()),
}
SEVERITIES = {"": "Any", "critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
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
    known = count_cases(database)
    totals = {name: _of(known, of) for name, (_, of) in STATES.items()}
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
    filters = _filters(database, user, state)
    found = sum(count_cases(database, **filters).values())
    if not found:
        draw(
            "no-case-fits",
            notice("No case fits these filters.", link("See all cases", "cases?state=all")),
        )
        return
    pages = max(1, -(-found // PAGE))
    page = min(address.page_number(), pages)
    sort = sort_of(st.query_params.to_dict(), _SORTS, Sort("case", up=False))
    shown = find_cases(
        database,
        order=sort.by,  # type: ignore[arg-type] # one of ours
        up=sort.up,
        offset=(page - 1) * PAGE,
        limit=PAGE,
        **filters,
    )
    draw("cases", _table(shown, sort), _turn(page, pages, found))


def _of(known: Mapping[State, int], states: Sequence[State]) -> int:
    return sum(number for state, number in known.items() if state in states or not states)


def _filters(database: Database, user: User, state: str) -> Filters:
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
    return Filters(
        states=STATES[state][1],
        severities=[severity] if severity else (),  # type: ignore[list-item] # one of ours
        verdicts=[verdict] if verdict else (),  # type: ignore[list-item] # one of ours
        reviews=[review] if review else (),  # type: ignore[list-item] # one of ours
        owner=owner or None,
        tag=tag or None,
        text=text or None,
    )


_SORTS: Mapping[str, str] = {
    "case": "Case",
    "severity": "Severity",
    "title": "Title",
    "verdict": "Verdict",
    "owner": "Owner",
    "opened": "Opened (UTC)",
}
"""Column that the list is sorted by → its head."""


def _table(cases: Sequence[Case], sort: Sort) -> Node:
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
        sorted_by=heads("cases", st.query_params.to_dict(), _SORTS, sort),
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
