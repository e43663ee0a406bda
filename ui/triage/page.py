"""The triage page's two faces: asking for an alert, and the five answers about one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from alerts.alert import Alert, Principal
from alerts.correct import CorrectionRefused
from cases.fingerprint import fingerprint
from enrich import NOBODY
from enrich.answer import Answer, data_among
from enrich.calls.deeds import find_deeds, targets_of_alert
from enrich.calls.new_for import Levels, find_levels
from enrich.data.assumed_by import AssumedBy, ForwardTree
from enrich.data.baseline import Baseline
from enrich.data.beside import Beside
from enrich.facts.targets import Target
from enrich.verdict.chips import Chip, chips
from enrich.verdict.weighing import Weighing, weigh
from trail.errors import AlertUnrecognised, BacktrailError
from trail.store import Store
from ui.kit import boxes, links, phrases, text
from ui.kit.badges import badges
from ui.kit.markup import Node, draw, draw_encoded, el, encoded
from ui.kit.pieces import link, mark, more, notes, notice, table, title_of
from ui.parts import chosen_events, timeline
from ui.parts.own_search import own_filters
from ui.shell import data, session
from ui.shell.read_apart import LONGEST
from ui.triage import intake, named_things, verdict
from ui.triage.alert_line import acted_as_text, alert_line
from ui.triage.beside import course_line, draw_following, found_above
from ui.triage.card_roles import forward_tree
from ui.triage.cards import Asked, cards
from ui.triage.chain import chain_drawing
from ui.triage.chain_notes import fitting_notes, inferences, making_of_the_key, origin_note
from ui.triage.ledger_card import ledger_line
from ui.triage.newness import newness
from ui.triage.offer_case import offer_case
from ui.triage.strip import strip
from ui.triage.time_question import time_question
from ui.triage.worked_out import worked_out

MOST_BRANCHES = 5
"""Lines of the tree of further sessions beside the chain; a bigger one stands in its card only."""
READ = "what-was-read"
"""Session state key: whether what was read stands open."""
PRINCIPALS = 50
"""Principals of one alert that the page lists; attack sequences name a handful."""

PASTE_BOX = "paste-box"
EMPTIED = "paste-box-emptied"
"""Session state key: how often the box was emptied of a paste that was too long."""
REFUSED = "paste-refused"

KNOWN = "CloudTrail record, GuardDuty or Security Hub finding, or text with an ARN, key or event id"


def ask_for_an_alert(store: Store) -> None:
    """Paste, upload, or take one of the demo's alerts; what went wrong last time stays beside."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw("paste-title", title_of("Paste an alert", "panel-heading", "Triage"))
        if (refused := st.session_state.pop(REFUSED, None)) is not None:
            draw("too-long", notice("This is no alert yet.", str(refused), tone="warn"))
        with st.form("paste", border=False):
            pasted = boxes.paste(
                "Alert",
                height=260,
                placeholder=KNOWN,
                label_visibility="collapsed",
                key=f"{PASTE_BOX}{st.session_state.get(EMPTIED) or ''}",
            )
            uploaded = st.file_uploader(
                "or a file with one or more alerts",
                max_upload_size=20,
                key="alert-file",
            )
            with st.container(horizontal=True):
                go = st.form_submit_button(
                    "Answer the five questions", type="primary", key="paste-go"
                )
                check = st.form_submit_button("Check what is read first", key="paste-check")
        if go or check:
            try:
                intake.open_text(uploaded.getvalue() if uploaded else pasted, check=check)
            except AlertUnrecognised as error:
                if len(pasted) > LONGEST:
                    # The browser would send it with every click: on with an empty box.
                    st.session_state[EMPTIED] = st.session_state.get(EMPTIED, 0) + 1
                    st.session_state[REFUSED] = str(error)
                    st.rerun()
                text.say_problem("unrecognised", "This is no alert yet.", error, tone="warn")
            else:
                st.rerun()
    with right:
        draw(
            "to-open",
            el("h2", "panel-heading", "Or open one"),
            _stories(),
            _indexed(store),
        )


def _stories() -> Node:
    stories = data.stories()
    if not stories:
        return notice(
            "Alerts of the demo appear here.",
            el("span", "", "Generate it on the ", link("index page", "index"), "."),
        )
    return el(
        "ul",
        "stories",
        *(
            el(
                "li",
                "",
                link(story.title, links.address("triage", {"alert": story.id})),
                el("div", "mute small", story.about) if story.about else None,
            )
            for story in stories
        ),
    )


def _indexed(store: Store) -> Node:
    summary = data.summary(store)
    return el(
        "p",
        "mute small",
        f"{phrases.count(summary.events, 'event')} of "
        f"{phrases.count(len(summary.accounts), 'account')} indexed, "
        f"{phrases.window(summary.first, summary.last)}. ",
        link("Search them", "events"),
    )


def show(found: intake.Chosen, store: Store, user: session.User) -> None:
    """The page an analyst reads: everything that decides is above the fold."""
    alert, principal = found.alert, found.principal
    if "check" in st.query_params:
        check_first(found)
        return
    if "all" in st.query_params and len(alert.principals) > 1:
        show_every_principal(found, store)
        return
    if principal is None or alert.first_seen is None:
        show_what_is_named(found, store, user)
        return
    choose(found)
    if (question := time_question(alert, st.query_params.to_dict())) is not None:
        draw("time-question", question)
    try:
        of_what, answers = data.told(store, alert, principal, found.received)
    except BacktrailError as error:
        text.say_problem("answers-problem", "The index could not be asked.", error)
        return
    above = found_above(store, alert, principal, of_what, answers)
    of_what, beside = above.of_what, above.beside
    weighing = data.kept(of_what, "weighing", lambda: weigh(alert, principal, answers))
    found_words = data.kept(of_what, "chips", lambda: chips(answers, weighing))
    try:
        deeds = data.kept(of_what, "deeds", lambda: find_deeds(alert, principal, store))
        levels = data.kept(of_what, "levels", lambda: _levels(alert, principal, answers, store))
        stretch = _stretch_chosen(store, alert, principal, of_what)
    except BacktrailError as error:
        text.say_problem("deeds-problem", "What the suspect did could not be listed.", error)
        deeds, levels, stretch = None, None, None
    draw_encoded(
        "above-the-fold",
        data.kept(
            of_what,
            " ".join(["above", *(end.isoformat() for end in stretch or ())]),
            lambda: encoded(
                *_above(
                    alert,
                    principal,
                    answers,
                    weighing,
                    found_words,
                    store,
                    strip(deeds, stretch) if deeds is not None and deeds.calls else None,
                    levels,
                    targets_of_alert(alert, deeds),
                    beside,
                )
            ),
        ),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="to-case"):
        recognised(found)
        offer_case(found, answers, store, user)
    draw_encoded(
        "below-the-fold",
        data.kept(of_what, "below", lambda: encoded(*_below(alert, principal, answers, beside))),
    )
    chosen = activity(store, alert, principal, of_what)
    asked = Asked(alert, principal, store, of_what, found_words, chosen, beside.ledger)
    follow = partial(draw_following, store, alert, principal, above, answers)
    cards(asked, answers, {"interesting_calls": follow})
    draw_encoded(
        "worked-out",
        data.kept(of_what, "worked-out", lambda: encoded(worked_out(alert, principal, answers))),
    )


def _above(
    alert: Alert,
    principal: Principal,
    answers: Sequence[Answer],
    weighing: Weighing,
    found_words: Mapping[str, Chip],
    store: Store,
    did: Node | None,
    levels: Levels | None,
    targets: Sequence[Target],
    beside: Beside,
) -> list[Node | None]:
    """All that decides: the alert line, five badges, who is behind it, what the suspect `did`,
    what speaks for and against it.
    """
    by_name = {answer.name: answer for answer in answers}
    assumed_by = data_among(answers, AssumedBy) or AssumedBy()
    return [
        el(
            "div",
            "top",
            alert_line(alert, principal, assumed_by, targets=targets),
            link("Another alert", "triage", "another"),
        ),
        verdict.in_one_line(weighing),
        outside_coverage(alert, store),
        badges(answers, found_words),
        el(
            "div",
            "panels",
            el(
                "div",
                "column",
                el(
                    "section",
                    "card stack",
                    el("h3", "panel-title", "Who is behind it"),
                    chain_drawing(alert, principal, assumed_by),
                    origin_note(assumed_by),
                    making_of_the_key(assumed_by),
                    fitting_notes(assumed_by),
                    inferences(assumed_by),
                    _too_big_a_tree(assumed_by.forward),
                    forward_tree(assumed_by.forward, most=MOST_BRANCHES, ledger=beside.ledger),
                    ledger_line(beside.ledger),
                ),
                course_line(beside.course),
                did,
            ),
            el(
                "div",
                "column",
                verdict.both_sides(weighing),
                el("section", "card", newness(alert, by_name["baseline"], levels))
                if "baseline" in by_name
                else None,
            ),
        ),
    ]


def _below(
    alert: Alert, principal: Principal, answers: Sequence[Answer], beside: Beside
) -> list[Node | None]:
    """What to do next."""
    return [verdict.what_next(alert, principal, answers, beside.ledger)]


def show_what_is_named(found: intake.Chosen, store: Store, user: session.User) -> None:
    """An alert that says too little for the questions: what it is and names, what the index has of
    that, related alerts, and everything that can be done with any other alert.
    """
    alert, principal = found.alert, found.principal or NOBODY
    try:
        of_what, answers = data.told(store, alert, principal, found.received)
        things = named_things.things_of(alert)
        seen = data.kept(of_what, "named", lambda: named_things.looked_up(alert, things, store))
    except BacktrailError as error:
        text.say_problem("answers-problem", "The index could not be asked.", error)
        return
    choose(found)
    draw(
        "above-the-fold",
        el(
            "div",
            "top",
            alert_line(alert, principal, AssumedBy()),
            link("Another alert", "triage", "another"),
        ),
        notice("The alert does not say enough for the five questions.", *_missing(found)),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="to-case"):
        recognised(found)
        offer_case(found, answers, store, user)
    draw(
        "named",
        el(
            "div",
            "panels panels-named",
            named_things.what_it_names(
                things, seen, st.query_params.to_dict(), timed=alert.first_seen is not None
            ),
            named_things.what_it_is(alert),
        ),
        _related(found, things),
        _the_questions(answers) if found.principal is None else None,
    )
    if found.principal is not None:
        weighing = weigh(alert, principal, answers)
        found_words = chips(answers, weighing)
        draw("badges", badges(answers, found_words))
        cards(Asked(alert, principal, store, of_what, found_words), answers)


def _the_questions(answers: Sequence[Answer]) -> Node:
    """What each question says where there is nobody to ask about: folded, since it is little."""
    lines = (
        el("span", "", el("span", "mute", f"{answer.question} "), answer.sentence)
        for answer in answers
    )
    return el("section", "card", more("The five questions, of nobody", notes(lines)))


def _related(found: intake.Chosen, things: Sequence[named_things.Thing]) -> Node | None:
    try:
        database = session.cases_if_any()
        if database is None:
            return None
        return named_things.related(database, fingerprint(found.received), things)
    except BacktrailError as error:
        return notice("The inbox cannot be read.", str(error), tone="warn")


def show_every_principal(found: intake.Chosen, store: Store) -> None:
    """The five answers of each principal that the alert names, under each other."""
    draw(
        "of-all",
        title_of(found.alert.title),
        time_question(found.alert, st.query_params.to_dict()),
    )
    choose(found)
    for number, principal in enumerate(found.alert.principals[:PRINCIPALS]):
        try:
            answers = data.answers(store, found.alert, principal, found.received)
        except BacktrailError as error:
            text.say_problem(f"problem-of-{number}", "The index could not be asked.", error)
            continue
        who = data_among(answers, AssumedBy) or AssumedBy()
        weighing = weigh(found.alert, principal, answers)
        with st.container(border=True):
            draw(
                f"principal-{number}",
                el(
                    "div",
                    "stack",
                    alert_line(found.alert, principal, who, titled=False),
                    verdict.in_one_line(weighing),
                    badges(answers, chips(answers, weighing)),
                    chain_drawing(found.alert, principal, who),
                ),
            )


def check_first(found: intake.Chosen) -> None:
    """What was read from where, before anything is asked: choose, correct, then ask."""
    draw(
        "to-check",
        title_of(found.alert.title),
        time_question(found.alert, st.query_params.to_dict()),
        _recognised(found),
    )
    choose(found)
    if st.button("It is right: answer the five questions", type="primary", key="is-right"):
        del st.query_params["check"]
        st.rerun()
    with st.container(border=True):
        draw("or-correct", el("h3", "panel-title", "Or correct it"))
        correct(found)


def _too_big_a_tree(forward: ForwardTree) -> Node | None:
    """Where the tree of further sessions stands when it is too big to stand beside the chain."""
    total = forward.total
    if not total or forward_tree(forward, most=MOST_BRANCHES):
        return None
    return el(
        "p",
        "small",
        el("span", "mute", "What came out of it: "),
        link(phrases.count(total, "credential"), "#answer-assumed-by"),
    )


def _levels(
    alert: Alert, principal: Principal, answers: Sequence[Answer], store: Store
) -> Levels | None:
    """New for whom, in the window of the baseline, where there is one."""
    baseline = next((one for one in answers if one.name == "baseline"), None)
    if baseline is None or baseline.status in ("not_covered", "failed", "not_applicable"):
        return None
    found = data_among([baseline], Baseline)
    if found is None:
        return None
    first, end = map(phrases.as_time, (found.window_first, found.window_last))
    if first is None or end is None:
        return None
    return find_levels(alert, principal, store, first, end)


def _stretch_chosen(
    store: Store, alert: Alert, principal: Principal, of_what: str
) -> chosen_events.Stretch | None:
    """What was chosen in the timeline, which is drawn further down."""
    found = data.kept(of_what, "activity", lambda: timeline.activity(store, alert, principal))
    return timeline.stretch_chosen(found, "timeline") if found is not None else None


def outside_coverage(alert: Alert, store: Store) -> Node | None:
    """One sentence when the whole alert lies outside what is indexed."""
    summary = data.summary(store)
    first, last = summary.first, summary.last
    if first is None or last is None or alert.first_seen is None or alert.last_seen is None:
        return None
    if alert.last_seen.date() >= first.date() and alert.first_seen.date() <= last.date():
        return None
    return notice(
        "The alert lies outside the index.",
        el(
            "span",
            "",
            f"Indexed is {phrases.window(first, last)}. Add the logs of "
            f"{phrases.when(alert.first_seen)} UTC on the ",
            link("index page", "index"),
            ", then reload.",
        ),
        tone="warn",
    )


def activity(
    store: Store, alert: Alert, principal: Principal, of_what: str
) -> chosen_events.Stretch | None:
    """The timeline, and the events of the stretch that is chosen there; gives that stretch back."""
    try:
        found = data.kept(of_what, "activity", lambda: timeline.activity(store, alert, principal))
    except BacktrailError as error:
        text.say_problem("timeline-problem", "The activity could not be counted.", error)
        return None
    if found is None or not found.events + found.others:
        return None
    with st.container(border=True):
        draw(
            "timeline-title",
            el(
                "div",
                "row",
                el("h2", "card-title", "Activity around the alert"),
                el(
                    "span",
                    "mute small",
                    f"{phrases.count(found.events, 'event')}, "
                    f"{phrases.window(found.first, found.last)}. Drag over the chart to list the "
                    "events of a stretch; the evidence below follows.",
                ),
            ),
            timeline.timeline_key(found, alert),
        )
        chosen = timeline.draw_activity(
            found,
            "timeline",
            data.kept(of_what, "timeline", lambda: timeline.specification(found, alert)),
        )
        if chosen is not None:
            filters = data.kept(
                of_what,
                "own-filters",
                lambda: own_filters(store, alert, principal, (found.first, found.last)),
            )
            draw("chosen", chosen_events.listed(store, found, chosen, of_what, filters))
    return chosen


def recognised(found: intake.Chosen) -> None:
    """What was read from where, and the way to correct it: filled when it is opened.

    Six fields that few look at would cost every rerun.
    """
    words = "What was read, and correct it"
    drawer = st.popover(words, icon=":material/tune:", key=READ, on_change="rerun")
    if drawer.open:
        with drawer, st.container(key="read-and-correct"):
            draw("recognised", _recognised(found))
            correct(found)


def choose(found: intake.Chosen) -> None:
    """Another alert of the same paste, or another principal of the same alert: in the alert line's
    own place, above it."""
    if len(found.alerts) < 2 and len(found.alert.principals) < 2:
        return
    kept = {k: v for k, v in st.query_params.items() if k in ("text", "alert", "event", "check")}

    def one(words: str, current: bool, **asked: str) -> Node:
        if current:
            return el("strong", "switch-here", words, aria_current="true")
        return link(words, links.address("triage", kept | asked), "switch-other")

    everyone = "all" in st.query_params
    nodes: list[Node] = []
    if len(found.alerts) > 1:
        titles = [
            one(
                phrases.shortened(f"{a.title} {phrases.when(a.first_seen)}", 90),
                n == found.which,
                which=str(n),
            )
            for n, a in enumerate(found.alerts[:50])
        ]
        words = phrases.count(len(found.alerts), "alert")
        nodes.append(_switch(f"{words} in this text", titles, found.which))
    if len(found.alert.principals) > 1:
        people = [
            one(
                acted_as_text(p),
                n == found.who and not everyone,
                which=str(found.which),
                who=str(n),
            )
            for n, p in enumerate(found.alert.principals[:PRINCIPALS])
        ]
        people.append(one("all of them at once", everyone, which=str(found.which), all="1"))
        words = phrases.count(len(found.alert.principals), "principal")
        nodes.append(_switch(f"{words} in this alert", people, found.who))
    draw("choose", *nodes)


SIDE_BY_SIDE = 6
"""Alerts or principals that stand in one line; the others are folded behind them."""


def _switch(label: str, choices: Sequence[Node], chosen: int) -> Node:
    """The choices in a line, the chosen one always among those that are seen."""
    seen = list(choices[:SIDE_BY_SIDE])
    if SIDE_BY_SIDE <= chosen < len(choices):
        seen[-1] = choices[chosen]
    rest = [node for node in choices if node not in seen]
    return el(
        "nav",
        "switch",
        el("span", "label", label),
        *seen,
        more(f"{len(rest):,} more", notes(rest)) if rest else None,
        aria_label=label,
    )


def correct(found: intake.Chosen) -> None:
    """A form over what was read; sending it asks again with the corrected values."""
    alert, principal = found.alert, found.principal
    with st.form("correct", border=False):
        arn = boxes.line(
            "Principal: ARN, access key or principal id",
            _identity(principal),
            key=f"correct-arn-{alert.id}-{found.who}",
        )
        first = boxes.line("First seen (UTC)", phrases.iso(alert.first_seen) or "")
        last = boxes.line("Last seen (UTC)", phrases.iso(alert.last_seen) or "")
        ip = boxes.line("Source IP", alert.source_ip_address or "")
        source = boxes.line("Service", alert.event_source or "")
        call = boxes.line("Call", alert.event_name or "")
        sent = st.form_submit_button("Ask again with these", type="primary", key="correct-send")
    if not sent:
        return
    changed = {
        "arn": arn if arn != _identity(principal) else None,
        "from": first if first != phrases.iso(alert.first_seen) else None,
        "to": last if last != phrases.iso(alert.last_seen) else None,
        "ip": ip if ip != (alert.source_ip_address or "") else None,
        "source": source if source != (alert.event_source or "") else None,
        "call": call if call != (alert.event_name or "") else None,
    }
    given = {name: value for name, value in changed.items() if value}
    try:
        intake.corrected(alert, given)
    except CorrectionRefused as error:
        text.say_problem("refused", "This correction cannot be right.", error, tone="warn")
        return
    st.query_params.update(given)
    st.query_params.pop("check", None)
    st.rerun()


def _identity(principal: Principal | None) -> str:
    if principal is None:
        return ""
    return principal.arn or principal.principal_id or principal.access_key_id or ""


def _missing(found: intake.Chosen) -> list[str | Node | None]:
    lines: list[str | Node | None] = []
    how = "“What was read, and correct it” takes one."
    if found.principal is None:
        lines.append(f"It names no AWS identity, so there is nobody to ask about. {how}")
    if found.alert.first_seen is None and found.alert.unread_times:
        lines.append(f"Its time cannot be read. {how}")
    elif found.alert.first_seen is None:
        lines.append(f"It names no time, so there is no window to look in. {how}")
    return lines


FIELDS = (
    ("source_ip_address", "Source IP"),
    ("event_source", "Service"),
    ("event_name", "Call"),
    ("first_seen", "First seen"),
    ("last_seen", "Last seen"),
    ("account_id", "Account"),
    ("region", "Region"),
    ("user_agent", "Client"),
)


def _recognised(found: intake.Chosen) -> Node:
    alert = found.alert
    rows: list[tuple[str, str, Node | str]] = []
    if found.principal is not None:
        origin = _corrected("principal") or _origin(alert, "principal")
        rows.append(("Principal", acted_as_text(found.principal), origin))
    for name, label in FIELDS:
        value = getattr(alert, name)
        if value is not None:
            shown = f"{phrases.when(value)} UTC" if name.endswith("_seen") else str(value)
            rows.append((label, shown, _corrected(name) or alert.origins.get(name, "–")))
    return el(
        "div",
        "stack",
        el("p", "panel-title", f"Recognised: {alert.shape or alert.source}"),
        notes(alert.notes),
        table(("What", "Value", "Taken from"), rows, caption="What was read from the alert"),
    )


def _corrected(field: str) -> Node | None:
    """That the analyst gave this field, and the way back to what was read."""
    asked = st.query_params.to_dict()
    given = {name for name, of in intake.CORRECTABLE.items() if of == field and asked.get(name)}
    if not given:
        return None
    before = {name: value for name, value in asked.items() if name not in given}
    return el(
        "span",
        "row",
        mark("corrected by you", "warn", "✎"),
        link("undo", links.address("triage", before), title="Take what was read again"),
    )


def _origin(alert: Alert, name: str) -> str:
    """Where a principal was taken from: one path, or the paths of its fields."""
    paths = [path for key, path in alert.origins.items() if key.startswith(name)]
    return ", ".join(dict.fromkeys(paths)) or "–"
