"""What an alert's identity and its sessions made or changed, and what became of it.

The day rollup says when the identity made something at all, and who called what would undo it; the
records of these calls alone are read. So undoings count by whomever, until the logs end, and of an
identity that made nothing no event is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.alert import Alert, Principal
from enrich.answer import Answer, data_among
from enrich.calls.calls_sql import COUNTED
from enrich.data.assumed_by import AssumedBy, ForwardSession
from enrich.data.ledger import Ledger
from enrich.data.roles_assumed import RolesAssumed
from enrich.entity import (
    account_of,
    by_identity_id,
    entity_match,
    instance_of,
    role_name_of,
)
from enrich.facts.made_and_undone import (
    ACCESS_KEY,
    INSTANCE,
    ROLE,
    THINGS,
    USER,
    Thing,
    makes,
    undoes,
)
from enrich.facts.techniques import plain_name
from enrich.kinds_logged import GLOBAL_REGION
from enrich.ledger.reckon import Calls, Used, became_of, became_of_used, things_made
from enrich.ledger.words import summed_up
from enrich.sql_text import bound_list, bound_values
from enrich.window import NO_ONE, Window, has_no_window, iso
from trail.access_keys import is_access_key
from trail.store import Query, Store

BEFORE = timedelta(days=7)
AFTER = timedelta(days=7)
"""Makings are looked for so long before and after the alert."""
MOST = 5_000
"""Makings, and calls that may undo them, that are read, the earliest first."""
MOST_CALLERS = 200
"""Identities whose calls are looked up one by one; of more, everybody's are."""
MOST_KEYS = 100
_MAKERS = sorted({name for thing in THINGS for name in makes(thing)})

_COLUMNS = """event_id, event_time, event_source, event_name, recipient_account_id, aws_region,
                principal_arn, identity_id, user_name, request_parameters, response_elements"""


def find_ledger(
    alert: Alert, principal: Principal, answers: Sequence[Answer], store: Store
) -> tuple[Ledger, tuple[Query, ...]]:
    """The ledger of one principal, and the queries behind it.

    `answers` tell which roles and keys it used and which sessions came out of it.
    """
    match = None if has_no_window(alert) else entity_match(alert, principal)
    if match is None:
        return Ledger(sentence=NO_ONE), ()
    assert alert.first_seen is not None
    last = max(alert.last_seen or alert.first_seen, alert.first_seen)
    window = Window(alert.first_seen - BEFORE, last + AFTER)
    whose, queries = by_identity_id(match, store, window.first, window.last)
    conditions = [(whose.sql, dict(whose.parameters))]
    if keys := _keys_of(data_among(answers, AssumedBy))[:MOST_KEYS]:
        conditions.append(
            (f"access_key_id in {bound_list('of_key', keys)}", bound_values("of_key", keys))
        )
    rows: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    cut = False
    for condition, values in conditions:
        found, more = _makings(condition, values, store, window)
        queries += more
        cut = cut or len(found) > MOST
        rows |= {(row["event_id"], row["recipient_account_id"]): row for row in found[:MOST]}
    made = things_made(sorted(rows.values(), key=lambda row: (row["event_time"], row["event_id"])))
    not_followed, more = _not_followed(whose.sql, whose.parameters, store, window)
    queries += more
    used = list(_used(alert, principal, answers, alert.first_seen))
    things = [(one.thing, one.last.row) for one in made] + [(one.thing, one.row) for one in used]
    others, is_cut, more = _undoings(things, store)
    queries += more
    cut = cut or is_cut
    ends = _Ends(store)
    entries = sorted(
        (became_of(one, others, ends.of) for one in made),
        key=lambda entry: (entry.is_gone, _newest_first(entry.made)),
    )
    gone = [became_of_used(one, others) for one in used]
    ledger = Ledger(
        window_first=iso(window.first),
        window_last=iso(window.last),
        status="answered" if entries else "nothing",
        sentence=summed_up(entries, cut=cut, not_followed=not_followed),
        entries=tuple(entries),
        used=tuple(one for one in gone if one is not None),
        not_followed=not_followed,
        cut=cut,
    )
    return ledger, queries


def _newest_first(moment: str | None) -> float:
    return -datetime.fromisoformat(moment).timestamp() if moment else 0.0


def _makings(
    condition: str, values: Mapping[str, Any], store: Store, window: Window
) -> tuple[list[dict[str, Any]], tuple[Query, ...]]:
    where = f"{condition} and event_name in {bound_list('make', _MAKERS)}"
    bound = {**values, **bound_values("make", _MAKERS)}
    queries: tuple[Query, ...] = ()
    if "access_key_id" not in condition:  # the rollup does not tell keys apart
        days = store.query(
            f"""
            select min(first) as first, max(last) as last from daily
            where last >= $window_first and first <= $window_last and {where} and failed = 0
            """,
            {**bound, "window_first": window.first, "window_last": window.last},
            first=window.first,
            last=window.last,
        )
        queries = (days.query,)
        row = next(iter(days.rows), None)
        if row is None or row["first"] is None:
            return [], queries
        window = Window(max(window.first, row["first"]), min(window.last, row["last"]))
    found = store.query(
        f"""
        select {_COLUMNS}
        from events
        where event_time >= $window_first and event_time <= $window_last and {where}
          and not failed and {COUNTED}
        order by event_time, event_id limit {MOST + 1}
        """,
        {**bound, "window_first": window.first, "window_last": window.last},
        first=window.first,
        last=window.last,
    )
    return found.rows, (*queries, found.query)


def _not_followed(
    condition: str, values: Mapping[str, Any], store: Store, window: Window
) -> tuple[tuple[str, ...], tuple[Query, ...]]:
    """Calls that made things of other kinds, as the day rollup has them; it does not tell keys
    apart."""
    if "access_key_id" in condition:
        return (), ()
    found = store.query(
        f"""
        select distinct event_name from daily
        where last >= $window_first and first <= $window_last and {condition}
          and event_name like 'Create%' and event_name not in {bound_list("make", _MAKERS)}
          and failed < count
        order by event_name
        """,
        {
            **values,
            **bound_values("make", _MAKERS),
            "window_first": window.first,
            "window_last": window.last,
        },
        first=window.first,
        last=window.last,
    )
    others = dict.fromkeys(plain_name(row["event_name"]) for row in found.rows)
    return tuple(others), (found.query,)


def _undoings(
    things: Sequence[tuple[Thing, Mapping[str, Any]]], store: Store
) -> tuple[Calls, bool, tuple[Query, ...]]:
    """Every call after the first of the makings that may undo one of them or make it again."""
    names = sorted({name for thing, _ in things for name in (*undoes(thing), *makes(thing))})
    accounts = sorted({row["recipient_account_id"] for _, row in things} - {None})
    end = store.summary().last
    if not names or not accounts or end is None:
        return Calls(()), False, ()
    first = min(row["event_time"] for _, row in things)
    where = (
        f"event_name in {bound_list('call', names)}"
        f" and recipient_account_id in {bound_list('account', accounts)}"
    )
    bound = {**bound_values("call", names), **bound_values("account", accounts)}
    callers = store.query(
        f"""
        select identity_id, min(first) as first, max(last) as last from daily
        where last >= $first and {where} and failed = 0
        group by identity_id limit {MOST_CALLERS + 1}
        """,
        {**bound, "first": first},
        first=first,
        last=end,
    )
    ids = [row["identity_id"] for row in callers.rows]
    if not ids:
        return Calls(()), False, (callers.query,)
    if None not in ids and len(ids) <= MOST_CALLERS:
        where = f"identity_id in {bound_list('caller', sorted(ids))} and {where}"
        bound |= bound_values("caller", sorted(ids))
        first = max(first, min(row["first"] for row in callers.rows))
        end = max(row["last"] for row in callers.rows)
    found = store.query(
        f"""
        select {_COLUMNS}
        from events
        where event_time >= $first and event_time <= $last and {where} and not failed
          and {COUNTED}
        order by event_time, event_id limit {MOST + 1}
        """,
        {**bound, "first": first, "last": end},
        first=first,
        last=end,
    )
    return (
        Calls(found.rows[:MOST]),
        len(found.rows) > MOST,
        (callers.query, found.query),
    )


def _keys_of(found: AssumedBy | None) -> list[str]:
    """The keys of the sessions that came out of the alert's."""

    def below(sessions: Sequence[ForwardSession]) -> Iterator[str]:
        for session in sessions:
            if is_access_key(session.access_key_id):
                yield str(session.access_key_id)
            yield from below(session.sessions)

    return [] if found is None else sorted(set(below(found.forward.sessions)))


def _used(
    alert: Alert, principal: Principal, answers: Sequence[Answer], first: datetime
) -> Iterator[Used]:
    """The roles, keys, the user and the instance that were acted with.

    What the alert's principal is was there when the alert began, and may have gone while it went
    on; the others at their last known use.
    """
    account = account_of(alert, principal)
    own = principal.principal_id
    if own is not None and own.startswith("AROA"):
        own = own.partition(":")[0]

    def used(thing: Thing, name: str, account_id: str | None, at: datetime) -> Used:
        row = {
            "event_time": at,
            "recipient_account_id": account_id,
            "aws_region": alert.region if thing is INSTANCE else GLOBAL_REGION,
            "identity_id": own,
        }
        return Used(thing, (name.casefold(),), name, row)

    if principal.type == "IAMUser" and principal.user_name:
        yield used(USER, principal.user_name, account, first)
    if is_access_key(principal.access_key_id) and str(principal.access_key_id)[:4] == "AKIA":
        yield used(ACCESS_KEY, str(principal.access_key_id), account, first)
    if (role := role_name_of(principal)) is not None:
        yield used(ROLE, role, account, first)
        if (instance := instance_of(principal)) is not None:
            yield used(INSTANCE, instance, account, first)
    chain = data_among(answers, AssumedBy)
    for hop in chain.chain if chain is not None else ():
        key, at = hop.by.access_key_id, _time(hop.event_time)
        if at is not None and key is not None and key.startswith("AKIA") and is_access_key(key):
            yield used(ACCESS_KEY, key, hop.by.account_id or hop.account_id, at)
    roles = data_among(answers, RolesAssumed)
    for taken in roles.roles if roles is not None else ():
        arn, at = taken.role_arn or "", _time(taken.last)
        if taken.result == "success" and at is not None and ":role/" in arn:
            yield used(ROLE, arn.rpartition("/")[2], arn.split(":")[4], at)


def _time(iso_text: str | None) -> datetime | None:
    return None if iso_text is None else datetime.fromisoformat(iso_text)


class _Ends:
    """Where the logs of an account and Region end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str | None, str | None], datetime | None] = {}

    def of(self, row: Mapping[str, Any]) -> datetime | None:
        summary = self._store.summary()
        account, region = row["recipient_account_id"], row["aws_region"]
        if account is None or summary.last is None:
            return summary.last
        if (account, region) not in self._known:
            cells = self._store.days_of(account, row["event_time"], summary.last)
            self._known[account, region] = max(
                (cell.last for cell in cells if cell.region == (region or "")), default=None
            )
        return self._known[account, region]
