"""An alert that names no AWS identity, or none that the index knows: what it is, what it names,
what the index has of that, and whom the five questions can be asked about instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alerts.alert import Alert
from alerts.arns import principal_of_arn
from alerts.resources import action_of, described, resources_of
from cases import inbox
from cases.database import Database
from cases.inbox import QueuedAlert
from enrich.calls.named_in import NOTHING, Kind, Seen, User, seen_with
from trail.access_keys import is_access_key, is_stand_in
from trail.store import Store
from ui.kit import links, phrases
from ui.kit.address_words import about_alert_address
from ui.kit.case_words import severity_mark
from ui.kit.markup import Node, el
from ui.kit.pieces import link, mark, more, notes, pivot, table
from ui.kit.text import query_node

MOST_PRINCIPALS = 20
MOST_RELATED = 8

_SESSION_NAMES = frozenset({"EC2 instance", "Lambda function", "ECS task"})
"""What AWS calls the sessions of such a thing by (§2.4): its instance id, name or task id."""


@dataclass(frozen=True)
class Thing:
    """A name in an alert. `kind` says which calls show it; None where only a search of all would
    tell."""

    words: str
    name: str
    kind: Kind | None = None
    detail: str = ""


def things_of(alert: Alert) -> tuple[Thing, ...]:
    """Everything that the alert names: identities, its address, and what else it is about."""
    return tuple({thing.name: thing for thing in reversed([*_things(alert)])}.values())[::-1]


def _things(alert: Alert) -> Iterator[Thing]:
    for person in alert.principals[:MOST_PRINCIPALS]:
        if person.arn:
            role = person.type == "Role"
            yield Thing("role" if role else "identity", person.arn, "role" if role else "principal")
        elif person.principal_id:
            yield Thing("principal id", person.principal_id, "principal")
        if person.role_arn and person.type != "Role":
            yield Thing("role", person.role_arn, "role")
        key = person.access_key_id
        if key:
            yield Thing("access key", key, "key" if is_access_key(key) else None)
    if alert.source_ip_address:
        about = about_alert_address(alert) or ""
        yield Thing("IP address", alert.source_ip_address, "address", about)
    for one in resources_of(alert):
        kind: Kind | None = "session" if one.kind in _SESSION_NAMES else None
        yield Thing(one.kind, one.name, kind, one.detail)


def looked_up(alert: Alert, things: Sequence[Thing], store: Store) -> Mapping[str, Seen]:
    """What the index has of each thing, by its name. A sample's placeholders are not looked for."""
    if alert.sample:
        return {}
    return {
        thing.name: seen_with(thing.name, thing.kind, store)
        for thing in things
        if thing.kind is not None and not is_stand_in(thing.name)
    }


def what_it_is(alert: Alert) -> Node:
    """The finding in its own words: its type, what happened, and its description."""
    told = (
        ("Type", alert.finding_type),
        ("What happened", action_of(alert)),
        ("Read as", alert.shape or alert.source),
    )
    return el(
        "section",
        "card stack",
        el("h3", "panel-title", "What it is"),
        el("p", "sentence", text) if (text := described(alert)) else None,
        el(
            "ul",
            "notes",
            *(
                el("li", "", el("span", "mute", f"{label}: "), value)
                for label, value in told
                if value
            ),
        ),
        notes(alert.notes, "mute"),
    )


def what_it_names(
    things: Sequence[Thing], found: Mapping[str, Seen], asked: Mapping[str, str], *, timed: bool
) -> Node:
    """Each thing with what the index has of it, then whom the questions can be asked about.

    `asked` is the page's own address; `timed`, whether the alert says when it was.
    """
    if not things:
        return el(
            "section",
            "card stack",
            el("h3", "panel-title", "What it names"),
            el("p", "", "Nothing that can be looked up: no identity, key, address or resource."),
        )
    return el(
        "section",
        "card stack",
        el("h3", "panel-title", "What it names"),
        table(
            ("What", "Name", "In the index", "First (UTC)", "Last (UTC)", "More"),
            [_row(thing, found.get(thing.name)) for thing in things],
            caption="What the alert names",
            sparse=frozenset({"First (UTC)", "Last (UTC)", "More"}),
        ),
        _users(things, found, asked, timed=timed),
        *(
            more("Query", *(query_node(query) for query in queries))
            for queries in [[seen.query for seen in found.values() if seen.query is not None]]
            if queries
        ),
    )


def _row(thing: Thing, seen: Seen | None) -> tuple[Node | str, ...]:
    shown = seen or NOTHING
    return (
        thing.words,
        pivot(thing.name, phrases.short_arn(thing.name), _look(thing.name)),
        el("span", "nowrap", _in_words(seen)),
        el("span", "time", phrases.when(shown.first)),
        el("span", "time", phrases.when(shown.last)),
        thing.detail or "",
    )


def _look(name: str) -> str:
    """A name of one word stands on one line; only what is long may break."""
    return "nowrap" if len(phrases.short_arn(name)) <= 32 else "long clip"


def _in_words(seen: Seen | None) -> Node | str:
    if seen is None:
        return el("span", "mute", "open it to search")
    if not seen.events:
        return mark("no call", "mute", "○")
    failed = f", {seen.failed:,} failed" if seen.failed else ""
    return f"{phrases.count(seen.events, 'event')}{failed}"


def _users(
    things: Sequence[Thing], found: Mapping[str, Seen], asked: Mapping[str, str], *, timed: bool
) -> Node | None:
    """The identities whose calls show what the alert names, each with the five questions."""
    known: dict[str, tuple[User, Thing]] = {}
    for thing in things:
        for user in found.get(thing.name, NOTHING).users:
            if principal_of_arn(user.who) is not None:
                known.setdefault(user.who, (user, thing))
    if not known:
        return None
    return el(
        "div",
        "stack",
        el("h4", "panel-title", "Whose calls show it: ask the five questions about one of them"),
        el("ul", "notes", *(_user(user, thing, asked, timed) for user, thing in known.values())),
    )


def _user(user: User, thing: Thing, asked: Mapping[str, str], timed: bool) -> Node:
    at: dict[str, str | None] = {"arn": user.who}
    if not timed:
        at |= {"from": phrases.iso(user.last), "to": phrases.iso(user.last)}
    return el(
        "li",
        "",
        link(
            phrases.short_arn(user.who),
            links.address("triage", {**asked, **at}),
            title="Answer the five questions about it",
        ),
        f": {phrases.count(user.events, 'event')} with this {thing.words}, "
        f"{phrases.window(user.first, user.last)} ",
        link("its page", links.entity(user.who), "small"),
    )


def related(database: Database, alert_id: str | None, things: Sequence[Thing]) -> Node | None:
    """Alerts of the inbox that name one of the same things, the latest first."""
    found: dict[str, tuple[QueuedAlert, str]] = {}
    for thing in things:
        if is_stand_in(thing.name):
            continue
        same = inbox.queue(database, text=thing.name, sort="last_seen", limit=MOST_RELATED)
        for one in same.alerts:
            if one.id != alert_id:
                found.setdefault(one.id, (one, thing.words))
    if not found:
        return None
    return el(
        "section",
        "card stack",
        el("h3", "panel-title", "Related alerts"),
        el("ul", "notes", *(_alert(one, why) for one, why in [*found.values()][:MOST_RELATED])),
    )


def _alert(one: QueuedAlert, why: str) -> Node:
    return el(
        "li",
        "",
        severity_mark(one.severity),
        " ",
        link(one.title or one.id, links.address("triage", {"alert": one.id})),
        el("span", "mute small", f" {phrases.when(one.last_seen)}, names the same {why}"),
    )
