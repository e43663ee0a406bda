"""How the alert compares with what the principal did in the two weeks before it.

Window [first_seen - 14 d, first_seen - 12 h): its end is not part of it. For a role there are
two views: "entity" (the alert's session name or source IP) and the whole role; for others the
whole-role view is empty. With fewer than 10 events or 2 active days the entity says nothing, and
the sentence rests on the whole role. `new` names what of the alert is unseen in that view; a
user agent is compared in its normal form, so that a patch version is no news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment, Listing, verbatim
from enrich.calls.calls_made import LOOK_BACK
from enrich.calls.comparison import (
    PAIRS,
    agent_facts,
    errors_of,
    hours_of,
    network_facts,
    regions_of,
    unusual,
    view_of,
)
from enrich.calls.history import PAIRS_COMPARED, SAME_CALL, Counts
from enrich.calls.likeness import Likeness, value_of
from enrich.calls.own_events import own_events
from enrich.count import Count, Events
from enrich.data.baseline import Baseline, BaselineView, BeforeDwell, LastSeen
from enrich.entity import Match, by_identity_id, entity_match, namesakes_caveats
from enrich.facts.ip import ip_facts
from enrich.facts.service_names import service_name
from enrich.facts.techniques import plain_name
from enrich.facts.user_agent import normal_form
from enrich.kinds_logged import with_kinds
from enrich.window import NO_ONE, Looked, Window, has_no_window, iso, look
from enrich.words import listed, short
from trail.counted import counted
from trail.store import Query, Store

NAME = "baseline"
QUESTION = "Is this normal for the identity, by the 14 days before?"
DAYS = 14
GAP = timedelta(hours=12)


def ask(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The comparison, with the (IP, user agent) pairs it rests on."""
    without = has_no_window(alert)
    entity = None if without else entity_match(alert, principal)
    whole = None if without else entity_match(alert, principal, scope="whole_role")
    if entity is None or whole is None:
        return Answer(NAME, QUESTION, *(without or ("not_applicable", NO_ONE)), Baseline())
    assert alert.first_seen is not None
    window = Window(alert.first_seen - timedelta(days=DAYS), alert.first_seen - GAP)
    looked = look(alert, principal, store, window, open_end=True)
    own, queries = own_events(alert, entity, store)
    whole, more = by_identity_id(whole, store, window.first, window.last)
    queries += more
    scene = Likeness(alert, store, entity, whole)

    history, query = scene.history(window)
    queries += (query,)
    of_entity, of_whole = history.counts("entity"), history.counts("whole")
    looked = with_kinds(looked, of_whole.all.count, store, window)
    status = looked.status(of_whole.all.count)
    if status == "not_covered":
        sentence = (
            f"No logs of {looked.whose} are indexed from {DAYS} days to"
            f" {GAP // timedelta(hours=1)} hours before the alert: add them to compare with."
        )
        data = Baseline(
            window_first=iso(window.first), window_last=iso(window.last), own_events=own
        )
        return Answer(NAME, QUESTION, status, sentence, data, (), looked.caveats(), queries)

    pairs = history.pairs()
    view = view_of(alert, history, of_entity, "entity", pairs)
    role_view = BaselineView()
    if whole.is_role:
        role_view = view_of(alert, history, of_whole, "whole", pairs)
    rests_on_role = whole.is_role and (entity.role_filter is None or not view.sufficient)
    telling = role_view if rests_on_role else view
    only_failed = history.only_failed("whole" if rests_on_role else "entity")
    network, hours, errors = network_facts(alert, pairs), hours_of(history), errors_of(history)
    last_seen = None
    if telling.new or not telling.sufficient:
        last_seen, query = _earlier(scene, window)
        queries += (query,)
    dwell, more = _before_dwell(scene, principal, window, of_whole)
    queries += more
    data = Baseline(
        namesakes=whole.namesakes,
        window_first=iso(window.first),
        window_last=iso(window.last),
        scope="whole_role" if rests_on_role else "entity",
        events=view.events,
        active_days=view.active_days,
        same_api=view.same_api,
        all_apis=view.all_apis,
        new=view.new,
        sufficient=view.sufficient,
        seen=view.seen,
        whole_role=role_view,
        user_agent=agent_facts(alert, pairs),
        network=network,
        hours=hours,
        regions=regions_of(history),
        errors=errors,
        peers=history.sessions() if whole.is_role else None,
        earlier=last_seen,
        before_dwell=dwell,
        unusual=unusual(alert, telling, hours, network, errors, only_failed=only_failed),
        own_events=own,
        pairs_cut=len(pairs) == PAIRS_COMPARED,
    )
    evidence = tuple(history.like_the_alert("whole" if rests_on_role else "entity"))

    caveats = namesakes_caveats(whole) + looked.caveats()
    caveats += _caveats(telling, data, evidence) + history.caveats
    caveats += _of_another(alert, own)
    sentence, counts = _sentence(alert, entity, data, looked, window)
    return Answer(NAME, QUESTION, status, sentence, data, evidence, caveats, queries, counts=counts)


def _of_another(alert: Alert, own: Sequence[object]) -> tuple[str, ...]:
    """That the alert's call may be another's, where it names several identities and no event shows
    that this one made it: whoever did not call it has nothing new in it."""
    several = len(alert.principals) > 1 and alert.event_id is None
    if not several or own or alert.event_name is None:
        return ()
    return (
        "The alert names several identities, and no indexed event shows that this one called"
        f" {short(plain_name(alert.event_name), 40)} then: what is said of that call here is of the"
        " alert's, which another of them may have made.",
    )


def _earlier(scene: Likeness, window: Window) -> tuple[LastSeen, Query]:
    """When what is new was last seen before the window: a monthly job is rare, not new."""
    before = Window(window.first - LOOK_BACK, window.first)
    row, query = scene.last_seen(before)
    last = {field: iso(row[f"{field}_last"]) for field in scene.conditions}
    return LastSeen(window_first=iso(before.first), events=row["events"], last=last), query


def _before_dwell(
    scene: Likeness, principal: Principal, window: Window, of_whole: Counts
) -> tuple[BeforeDwell | None, tuple[Query, ...]]:
    """The comparison up to the first sign of this session or address, when that is older.

    An intruder who was there before the 12 hours is in the baseline and looks normal. The
    session's own start, or an address that shows up first in the window's second week, ends
    a shorter window.
    """
    signs: list[tuple[datetime, str]] = []
    created = principal.session_created
    if created is not None and window.first < created < window.last:
        signs.append((created, "the session began then"))
    from_the_ip = of_whole.of.get("source_ip_address")
    first_ip = None if from_the_ip is None else from_the_ip.first
    if (
        first_ip is not None
        and ip_facts(scene.alert.source_ip_address).is_address
        and first_ip >= window.first + timedelta(days=DAYS / 2)
    ):
        signs.append((first_ip, "the source IP was first seen then"))
    if not signs:
        return None, ()
    until, reason = min(signs)
    shorter = Window(window.first, until)
    history, query = scene.history(shorter)
    view = view_of(scene.alert, history, history.counts("whole"), "whole", history.pairs())
    dwell = BeforeDwell(
        until=iso(until),
        reason=reason,
        events=view.events,
        active_days=view.active_days,
        sufficient=view.sufficient,
        new=view.new,
    )
    return dwell, (query,)


def _caveats(
    telling: BaselineView,
    data: Baseline,
    evidence: Sequence[str],
) -> tuple[str, ...]:
    caveats: tuple[str, ...] = ()
    if data.pairs_cut:
        caveats += (
            f"Only the {PAIRS_COMPARED:,} most frequent pairs of IP and user agent are compared.",
        )
    if (pairs := telling.all_apis.pairs_total or 0) > PAIRS:
        caveats += (
            f"The {PAIRS} most frequent of {pairs:,} pairs of IP and user agent are listed.",
        )
    like = telling.same_api.events
    if evidence and like is not None and len(evidence) < like:
        caveats += (
            f"The evidence lists {counted(len(evidence), 'event')} like the alert: of"
            " each kind of call the newest few of a day.",
        )
    if (dwell := data.before_dwell) is not None:
        caveats += (
            f"Activity like the alert's may be older than 12 hours ({dwell.reason},"
            f" {dwell.until}); before that, unseen: {listed(_words(dwell.new)) or 'nothing'}.",
        )
    return caveats


_ATTRIBUTE = {
    "source_ip_address": "source IP",
    "user_agent": "user agent",
    "event_name": "API call",
    "event_source": "service",
    "aws_region": "region",
}


_ODD = {
    "outcome": "that the call succeeded",
    "hour_of_day": "its hour of the day",
    "error_code": "its error",
}
"""What is odd without being a new value. A new network stands with its address."""


def _words(fields: Sequence[str]) -> list[str]:
    return [_ATTRIBUTE.get(field, field) for field in fields]


def _sentence(
    alert: Alert, entity: Match, data: Baseline, looked: Looked, window: Window
) -> tuple[str, tuple[Count, ...]]:
    on_role = data.scope == "whole_role"
    view = data.telling
    span = looked.span(f"the {DAYS} days before the alert", view.events or 0)
    who = "this identity"
    if on_role:
        who = "the whole role"
    elif entity.role_filter is not None:
        who = "this session name or source IP"
    seen = Events("whole_role" if on_role else "entity", window.first, window.last, open_end=True)
    calls, days = history_counts(view, seen)
    if not view.events:
        left_out = f"the last {GAP // timedelta(hours=1)} hours left out"
        return f"No calls by {who} in {span}, {left_out}: nothing to compare with.", ()
    counts: tuple[Count, ...] = (calls, days)
    few = ""
    if on_role and entity.role_filter is not None:
        of_entity = history_counts(
            data.of_entity, Events("entity", seen.first, seen.last, open_end=True)
        )
        few = f" (only {of_entity[0]} on {of_entity[1]} by this session name or source IP)"
        counts += of_entity
    lead = "" if view.sufficient else "Insufficient history: "
    sentence = f"{lead}{calls} on {days} by {who} in {span}{few}"
    alike = _alike_counts(alert, view, seen)
    counts += tuple(alike.values())
    if alike:
        told = (f"{alike[name].number:,} {how}" for name, how in _FROM.items() if name in alike)
        sentence += f", {listed(told)}"
    if alert.event_name is not None:
        of_call = same_call_counts(alert, view, seen)
        counts += tuple(of_call.values())
        sentence += (
            f"; {of_call['events'].number:,} of them {short(plain_name(alert.event_name), 40)}"
        )
        sentence += _same_call(of_call) if of_call["events"].number else ""
    values = [
        f"{_ATTRIBUTE[field]} {short(value_in_words(alert, field), 45)}" for field in view.new
    ]
    odd = listed(_ODD[one.what] for one in data.unusual if one.what in _ODD)
    if values:
        unseen = f" Not seen: {listed(values)}."
        unseen += f" New as well: {odd}." if odd else ""
    elif view.seen:
        unseen = " Nothing about the alert is new" + (f" but {odd}." if odd else ".")
    else:
        unseen = ""
    return f"{sentence}.{unseen}", counts


_FROM = {"source_ip_address": "from this IP", "user_agent": "with this user agent"}


def _alike_counts(alert: Alert, view: BaselineView, seen: Events) -> dict[str, Count]:
    """How many of the view's calls, of whichever API, came from the alert's IP and with its user
    agent: none of its own call may be from there, and all others.
    """
    return {
        name: Count(seen.where(**{name: getattr(alert, name)}), number=view.seen[name].count)
        for name in _FROM
        if name in view.seen
    }


def _same_call(of_call: Mapping[str, Count]) -> str:
    """How often the alert's call came from its IP with its user agent; never together, how often
    from each alone.
    """
    both, ip, agent = (of_call.get(n) for n in ("same_ip_and_agent", "same_ip", "same_agent"))
    if both is None:
        return f", {ip.number:,} of these from this IP" if ip is not None else ""
    told = f", {both.number:,} of these from this IP with this user agent"
    if not both.number and ip is not None and agent is not None:
        told += f" ({ip.number:,} from this IP, {agent.number:,} with this user agent)"
    return told


def history_counts(view: BaselineView, seen: Events) -> tuple[Count, Count]:
    """How many calls a view holds, on how many days."""
    return (
        Count(seen, number=view.events or 0),
        # From noon to midnight, fourteen days later, is a part of fifteen.
        Count(
            seen,
            number=(days := view.active_days or 0),
            noun="calendar day" if days > DAYS else "day",
            distinct="day",
        ),
    )


def same_call_counts(alert: Alert, view: BaselineView, seen: Events) -> dict[str, Count]:
    """The view's counts of the alert's own call: in all (`events`), and those of `SAME_CALL`."""
    same = view.same_api
    where = {"event_name": {"api": plain_name(alert.event_name or "")}}
    if alert.event_source is not None:
        where["event_name"]["event_source"] = alert.event_source
    where["source_ip_address"] = {"source_ip_address": alert.source_ip_address or ""}
    where["user_agent"] = {"user_agent": alert.user_agent or ""}
    counts = {}
    for name, shared in {"events": ("event_name",), **SAME_CALL}.items():
        if (number := getattr(same, name)) is not None:
            columns = {key: value for one in shared for key, value in where[one].items()}
            ids = same.event_ids.get(name, ())
            counts[name] = Count(seen.where(**columns), ids, number=number)
    return counts


def value_in_words(alert: Alert, field: str) -> str:
    """The alert's value for one of the `COMPARED` columns, as people name it."""
    if field == "user_agent":
        return normal_form(alert.user_agent or "")
    if field == "event_source":
        return service_name(alert.event_source)
    value = value_of(alert, field)
    return plain_name(value) if field == "event_name" else str(value)


NEW_IN_SHORT: Mapping[str, str] = {
    "source_ip_address": "IP",
    "user_agent": "client",
    "event_source": "service",
    "event_name": "call",
    "aws_region": "Region",
    "outcome": "success",
    "network": "network",
    "error_code": "error",
    "hour_of_day": "hour",
}
"""What may be new of a call → its one word."""


def _found(data: Baseline) -> str:
    if not data.telling.sufficient:
        return "too little history"
    # No event of the alert's own is indexed, or else what is new would be weighed.
    new = [NEW_IN_SHORT[field] for field in data.telling.new]
    return f"new: {', '.join(new)}" if new else "nothing new"


def _listing(data: Baseline) -> Listing:
    return Listing(
        ("Source IP", "User agent", "Calls", "First", "Last"),
        [
            (
                verbatim(row.source_ip_address),
                verbatim(row.user_agent),
                row.count,
                row.first,
                row.last,
            )
            for row in data.telling.all_apis.pairs
        ],
    )


BASELINE = Enrichment(
    name=NAME,
    question=QUESTION,
    about="the baseline",
    short="Normal?",
    window="14 days, without the last 12 h",
    ask=ask,
    empty_data=Baseline,
    found=_found,
    listing=_listing,
    milliseconds=20,
)
