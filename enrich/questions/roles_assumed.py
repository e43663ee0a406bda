"""Which roles the principal assumed or tried to, in the week before the alert and a day after.

Window [first_seen - 7 d, last_seen + 24 h], both ends included; rows after last_seen are flagged
`after_alert`. The two copies of a cross-account call count once. The target of a denied call is
read out of its error message, which is the only place that has it (§5).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment, Listing, ReportTable, verbatim
from enrich.calls.enumeration import find_enumeration
from enrich.calls.of_other_sessions import all_of_others
from enrich.chain.mints import CLOCK_SKEW
from enrich.chain.portal import handed_out, roles_behind
from enrich.count import Count, Events
from enrich.data.roles_assumed import Enumeration, RolesAssumed, RoleTaken
from enrich.entity import Match, by_identity_id, entity_match, namesakes_caveats
from enrich.facts.denial import REASON_WORDS, parse_denial
from enrich.facts.interface import PORTAL, interface_detail, interface_of, json_object
from enrich.facts.role_name import role_named, short_name
from enrich.kinds_logged import with_kinds
from enrich.window import (
    NO_ONE,
    Looked,
    Window,
    has_no_window,
    iso,
    last_event_until,
    look,
)
from enrich.words import age, listed, short
from trail.access_keys import is_access_key
from trail.counted import counted
from trail.store import Query, Store

NAME = "roles_assumed"
QUESTION = "Which roles did it assume, or try to?"
BEFORE = timedelta(days=7)
AFTER = timedelta(hours=24)
_SKEW = f"interval {int(CLOCK_SKEW.total_seconds())} seconds"
KINDS = 50_000
"""At most so many combinations of role, result, client and address are read; then it says so."""
EVENTS_SHOWN = 20
"""Event ids listed per row of the answer."""
LISTED = 50
"""Addresses, user agents and session names listed per row."""


def roles_assumed(alert: Alert, principal: Principal, store: Store) -> Answer:
    """Roles by role, result, error, interface, and whether after the alert; failures with why."""
    started = time.perf_counter()
    without = has_no_window(alert)
    match = None if without else entity_match(alert, principal)
    if match is None or alert.first_seen is None:
        return Answer(NAME, QUESTION, *(without or ("not_applicable", NO_ONE)), RolesAssumed())
    last_seen = max(alert.last_seen or alert.first_seen, alert.first_seen)
    window = Window(alert.first_seen - BEFORE, last_seen + AFTER)
    # The index seldom reaches the day after the alert: that is not a gap in the answer.
    looked = look(alert, principal, store, Window(window.first, last_seen))
    match, queries = by_identity_id(match, store, window.first, window.last)

    switched, query = _any_switch(store, window)
    queries += (query,)
    kinds, query = _kinds(match, principal, store, window, last_seen, switched=switched)
    queries += (query,)
    if any(handed_out(kind) for kind in kinds):
        kinds, query = roles_behind(kinds, store, window)
        queries += (query,)
    looked = with_kinds(looked, len(kinds), store, Window(window.first, last_seen))
    caveats = [*namesakes_caveats(match), *looked.caveats()]
    reached = last_event_until(alert, principal, store, last_seen, window.last)
    if reached != window.last:
        caveats.append(_after_the_alert(reached, looked))
    if len(kinds) == KINDS:
        caveats.append(f"Only the {KINDS:,} most frequent combinations were counted.")
    roles = _roles(kinds, alert.source_ip_address)
    failed = sum(role.count for role in roles if role.result == "failure")
    total = sum(role.count for role in roles)
    unknown = sum(
        role.count for role in roles if role.result == "failure" and role.role_arn is None
    )
    enumeration = None
    if len({role.role_arn for role in roles if role.result == "failure"}) > 1:
        enumeration, query = find_enumeration(match, store, window)
        queries += (query,)
    if total:
        others, more = all_of_others(match, principal, store, window)
        caveats, queries = [*others, *caveats], queries + more
    # Each AssumeRole is a read event in CloudTrail's eyes, and a management event.
    status = "not_covered" if looked.lacks_kind else looked.status(total)
    looked_at = status != "not_covered"
    data = RolesAssumed(
        namesakes=match.namesakes,
        window_first=iso(window.first),
        window_last=iso(window.last),
        roles=roles,
        targets_unknown=unknown if looked_at else None,
        enumeration=enumeration,
        total=total if looked_at else None,
        succeeded=total - failed if looked_at else None,
        failed=failed if looked_at else None,
        scope=match.scope,
    )
    if unknown:
        caveats.append(
            f"{counted(unknown, 'failed call')} named no role: neither the request nor the error"
            " message has one."
        )
    evidence = list(dict.fromkeys(one for role in roles for one in role.event_ids))
    if len(evidence) < total:
        caveats.append(
            f"The evidence lists {len(evidence):,} of {counted(total, 'call')}: the first"
            f" {EVENTS_SHOWN} of"
            " each role, result and interface."
        )
    events = Events(match.scope, window.first, window.last)
    span = _span(looked, reached, window, len(roles))
    sentence, counts = _sentence(roles, status, enumeration, events, span)
    if looked.lacks_kind:
        sentence = (
            f"The logs of {looked.whose} {looked.lacking}, which an AssumeRole is one of:"
            " whether it assumed roles is unknown."
        )
    return Answer(
        name=NAME,
        question=QUESTION,
        status=status,
        sentence=sentence,
        counts=counts,
        data=data,
        evidence=tuple(evidence),
        caveats=tuple(caveats),
        queries=queries,
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )


_SWITCHED = f"""exists (
            select 1 from credentials as switch
            where switch.event_name = 'SwitchRole'
              and switch.event_time >= $switch_first and switch.event_time <= $switch_last
              and switch.principal_id = calls.minted_principal_id
              and switch.event_time between calls.event_time - {_SKEW}
                and calls.event_time + {_SKEW}
          )"""
"""Whether the console recorded the session that a call made as a switch of roles."""

_IS_REQUEST = """minted_access_key_id is not null
                and regexp_full_match(request_id, '[0-9A-Fa-f-]{16,}')
                and not regexp_full_match(request_id, '[0-]+')"""
"""Whether a request id tells the copies of one call: one that was masked, `REDACTED` or nothing but
zeros, is that of every call of an export."""

_READ = """event_id, event_time, event_source, event_name, target_role_arn, failed, error_code,
            error_message, identity_type, invoked_by, source_ip_address, user_agent,
            session_from_console, access_key_id, minted_principal_id, target_session_name,
            service_event_details, request_parameters, response_elements, user_identity"""


def _any_switch(store: Store, window: Window) -> tuple[bool, Query]:
    """Whether anybody switched roles in the console at all: few do, and it is costly to compare.

    No such record shows whom the session was made for, which spares reading those that do.
    """
    found = store.query(
        """
        select event_id from credentials
        where event_name = 'SwitchRole' and minted_principal_id is null
          and event_time >= $switch_first and event_time <= $switch_last limit 1
        """,
        _around(window),
    )
    return bool(found.rows), found.query


def _around(window: Window) -> dict[str, datetime]:
    return {
        "switch_first": window.first - CLOCK_SKEW,
        "switch_last": window.last + CLOCK_SKEW,
    }


def _kinds(
    match: Match,
    principal: Principal,
    store: Store,
    window: Window,
    last_seen: datetime,
    *,
    switched: bool,
) -> tuple[list[dict[str, Any]], Query]:
    """The assumptions, counted by everything that a row of the answer is told from."""
    found = store.query(
        f"""
        with calls as (
          select distinct on (coalesce(
              call_id,
              case when {_IS_REQUEST} then concat_ws(' ', request_id, minted_access_key_id) end,
              event_id)) {_READ}
          from credentials
          where event_time >= $window_first and event_time <= $window_last
            and (event_source = 'sts.amazonaws.com' and event_name like 'AssumeRo%'
              or event_source = '{PORTAL}' and event_name in ('GetRoleCredentials', 'Federate'))
            and {match.sql}
          order by case when identity_type = 'AWSAccount' then 1 else 0 end, event_id
        )
        select event_source, event_name, target_role_arn, failed, error_code,
          regexp_replace(error_message, '^User: [^ ]+ is', 'User: … is') as reason,
          identity_type, invoked_by, source_ip_address, user_agent, session_from_console,
          coalesce(access_key_id = $alert_key, false) as by_alert_key,
          event_time > $last_seen as after_alert,
          {_SWITCHED if switched else "false"} as switched,
          case when event_source = '{PORTAL}'
            then coalesce(service_event_details, request_parameters) end as handed_out,
          count(*) as count, min(event_time) as first, max(event_time) as last,
          min(error_message) as error_message,
          min(case when event_name like 'AssumeRoleWith%' then user_identity end) as user_identity,
          min(case when event_name like 'AssumeRoleWith%' then response_elements end)
            as response_elements,
          min(case when event_name = 'AssumeRoot' then request_parameters end)
            as request_parameters,
          arg_min(target_session_name, event_time, {LISTED}) as session_names,
          arg_min(event_id, event_time, {EVENTS_SHOWN}) as event_ids
        from calls
        group by event_source, event_name, target_role_arn, failed, error_code, reason,
          identity_type, invoked_by, source_ip_address, user_agent, session_from_console,
          by_alert_key, after_alert, handed_out, switched
        order by count desc, first limit {KINDS}
        """,
        {
            **match.parameters,
            "window_first": window.first,
            "window_last": window.last,
            **(_around(window) if switched else {}),
            "last_seen": last_seen,
            "alert_key": principal.access_key_id if is_access_key(principal.access_key_id) else "",
        },
    )
    return found.rows, found.query


def _roles(kinds: Iterable[Mapping[str, Any]], address: str | None) -> tuple[RoleTaken, ...]:
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for kind in kinds:
        denial = parse_denial(kind["error_code"], kind["error_message"])
        target = (
            kind["target_role_arn"]
            or denial.target_role_arn
            or _root_target(kind)
            or handed_out(kind)
        )
        why = denial.reason_class if kind["failed"] else None
        # The console's own record of a switched role proves what the call itself may hide (§4.1).
        interface = "console" if kind["switched"] else interface_of(kind)
        key = (target, bool(kind["failed"]), kind["error_code"], why, interface)
        grouped[(*key, bool(kind["after_alert"]))].append(kind)
    roles = [_role(key, members, address) for key, members in grouped.items()]
    return tuple(
        sorted(
            roles,
            key=lambda role: (
                role.after_alert,
                role.result == "failure",
                -role.count,
                str(role.role_arn),
            ),
        )
    )


def _role(
    key: tuple[Any, ...], kinds: Sequence[Mapping[str, Any]], address: str | None
) -> RoleTaken:
    target, failed, error_code, why, interface, after_alert = key
    early = sorted(kinds, key=lambda kind: kind["first"])
    from_there = [k for k in early if address is not None and k["source_ip_address"] == address]
    names = {name for kind in kinds for name in kind["session_names"] or () if name}
    return RoleTaken(
        role_arn=target,
        result="failure" if failed else "success",
        error_code=error_code,
        reason_class=why,
        interface=interface,
        count=sum(int(kind["count"]) for kind in kinds),
        first=iso(early[0]["first"]),
        last=iso(max(kind["last"] for kind in kinds)),
        source_ip_addresses=_distinct(kinds, "source_ip_address"),
        after_alert=after_alert,
        user_agents=_distinct(kinds, "user_agent"),
        session_names=tuple(sorted(names)[:LISTED]),
        interface_detail=next(filter(None, map(interface_detail, early)), None),
        reason=REASON_WORDS[why] if why else None,
        error_message=next((kind["error_message"] for kind in early if failed), None),
        by_alert_key=sum(int(kind["count"]) for kind in kinds if kind["by_alert_key"]),
        event_ids=_some_ids(early),
        from_alert_address=sum(int(kind["count"]) for kind in from_there),
        from_alert_address_ids=_some_ids(from_there),
    )


def _some_ids(kinds: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple([event_id for kind in kinds for event_id in kind["event_ids"]][:EVENTS_SHOWN])


def _root_target(kind: Mapping[str, Any]) -> str | None:
    """AssumeRoot has no role: its target is an account's root."""
    if kind["event_name"] != "AssumeRoot":
        return None
    target = json_object(kind["request_parameters"]).get("targetPrincipal")
    if not isinstance(target, str) or not target:
        return None
    return target if target.startswith("arn:") else f"arn:aws:iam::{target}:root"


def _distinct(kinds: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(sorted({kind[name] for kind in kinds if kind[name]})[:LISTED])


def _sentence(
    roles: Sequence[RoleTaken],
    status: str,
    enumeration: Enumeration | None,
    events: Events,
    span: str,
) -> tuple[str, tuple[Count, ...]]:
    if status == "not_covered":
        return (
            "No logs of that account and time are indexed: whether it assumed roles is unknown.",
            (),
        )
    if not roles:
        return f"It neither assumed a role nor tried to, {span}.", ()
    made = tried(roles, "success", events)
    refused = tried(roles, "failure", events)
    parts = []
    if made.times.number:
        whom = f"{made.roles}, " if made.roles.number else "a role "
        parts.append(f"Assumed {whom}{made.times}: {listed(made.names)}")
    if refused.times.number:
        every = {role.reason_class or "unknown" for role in refused.rows}
        reasons = every - {"unknown"}
        why = f" (refused by {listed(REASON_WORDS[one] for one in sorted(reasons))}"
        why += "; some records do not say why)" if every != reasons else ")"
        parts.append(
            f"{'failed' if parts else 'Failed'} {refused.times}{_on_targets(refused)}"
            f"{why if reasons else ''}: {listed(refused.names)}"
        )
    sentence = "; ".join(parts) + (f", {span}." if status == "partial" else ".")
    counts = (*made.counts, *refused.counts)
    if enumeration is not None:
        targets = enumerated(enumeration, events)
        sentence += (
            f" Enumeration: {targets} were refused within {counted(enumeration.minutes, 'minute')}."
        )
        counts += (targets,)
    return sentence, counts


def _after_the_alert(reached: datetime | None, looked: Looked) -> str:
    """What of the day after the alert was not there to be looked at."""
    if reached is None or reached <= looked.alert_at:
        return f"The index holds no logs of {looked.whose} after the alert."
    return (
        f"The logs of {looked.whose} end {age(reached - looked.alert_at)} after the alert: the rest"
        " of the day after it was not looked at."
    )


def _span(looked: Looked, reached: datetime | None, window: Window, found: int) -> str:
    """The time that was looked at, to where the logs reach."""
    until = "a day after"
    if reached is None or reached <= looked.alert_at:
        until = "it"
    elif reached != window.last:
        until = f"{age(reached - looked.alert_at)} after"
    span = f"from {BEFORE.days} days before the alert to {until}"
    if looked.is_complete:
        return looked.span(span, found)
    return f"in {looked.span(f'the time {span}', found)}"


class Tried(NamedTuple):
    """The assumptions of one result: how often, of how many roles, and those by name."""

    rows: Sequence[RoleTaken]
    times: Count
    roles: Count
    """Those that the records name."""
    role_names: Count
    unnamed: Count
    names: Sequence[str]

    @property
    def counts(self) -> tuple[Count, ...]:
        return (self.times, self.roles, self.role_names, self.unnamed)


def tried(roles: Iterable[RoleTaken], result: str, events: Events) -> Tried:
    """The rows of one result ("success" or "failure"), counted; `events` says whose and when."""
    rows = [role for role in roles if role.result == result]
    named = [role for role in rows if role.role_arn is not None]
    of = events.where(assumption=True, failed=result == "failure")
    ids = tuple(event_id for role in rows for event_id in role.event_ids)
    targets = {role_key(role.role_arn) for role in named}
    names = {short_name(role.role_arn) for role in named}
    distinct = "role" if result == "success" else "target"
    unnamed = [role for role in rows if role.role_arn is None]
    return Tried(
        rows,
        Count(of, ids, number=sum(role.count for role in rows), noun="time"),
        Count(of, number=len(targets), noun=distinct, distinct="role"),
        Count(of, number=len(names), noun="different name", distinct="role_name"),
        Count(of.where(role=None), number=sum(role.count for role in unnamed)),
        # Those without a target are counted beside the named ones.
        _names(named if result == "failure" and named else rows),
    )


def _on_targets(refused: Tried) -> str:
    """How many roles were tried, and by how many names: the same name is tried in many accounts."""
    on = f" on {refused.roles}" if refused.roles.number else ""
    if refused.role_names.number != refused.roles.number:
        on += f" with {refused.role_names}"
    if refused.unnamed.number and refused.roles.number:
        on += f", {refused.unnamed.number:,} of them without a target"
    return on


def enumerated(enumeration: Enumeration, events: Events) -> Count:
    """The targets of the densest stretch of refusals, each with a call that it was refused in."""
    ends = (enumeration.window_first, enumeration.window_last)
    first, last = map(datetime.fromisoformat, ends)
    refused = replace(events, first=first, last=last).where(assumption=True, failed=True)
    return Count(
        refused,
        enumeration.event_ids,
        number=enumeration.targets,
        noun="different role",
        distinct="role",
    )


def role_key(arn: str | None) -> str | None:
    """One text for a role however its ARN is written; any other target's ARN as it is."""
    role = role_named(arn)
    return arn if role is None else f"{role.account_id}/{role.name}"


def _names(roles: Iterable[RoleTaken]) -> list[str]:
    names = [
        short(short_name(role.role_arn) or "a role that the record does not name") for role in roles
    ]
    return list(dict.fromkeys(names))


def _found(data: RolesAssumed) -> str:
    return counted(len({row.role_arn for row in data.roles}), "role")


def _listing(data: RolesAssumed) -> Listing:
    return Listing(
        ("Role", "Result", "Error", "Through", "Count"),
        [
            (
                verbatim(row.role_arn),
                row.result,
                verbatim(row.error_code),
                row.interface,
                row.count,
            )
            for row in data.roles
        ],
    )


ROLES_ASSUMED = Enrichment(
    name=NAME,
    question=QUESTION,
    about="the roles it assumed",
    short="Roles",
    window="7 days before, 24 h after",
    ask=roles_assumed,
    empty_data=RolesAssumed,
    found=_found,
    listing=_listing,
    report=(
        ReportTable(
            "roles",
            (
                ("role_arn", "Role"),
                ("result", "Result"),
                ("error_code", "Error"),
                ("interface", "Interface"),
                ("count", "Count"),
                ("first", "First"),
                ("last", "Last"),
                ("after_alert", "After the alert"),
            ),
        ),
    ),
    milliseconds=12,
)
