"""What each alert's five answers must be, from what the generator knows.

A story writes a `Plot` beside its records: who, from when to when, minted by which events. The
counts come from the ledger's memory of deeds, never from the log files or Backtrail's own code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demo.company import Role, User
from demo.identities import Minted
from demo.ledger import Deed
from demo.records import iso

_HOUR, _DAY = 3_600, 86_400
_READS = ("Get", "List", "Head", "Describe")


@dataclass(frozen=True)
class Hop:
    """One step back: the event that minted the credential, and how it is found."""

    event_id: str
    event_name: str
    event_time: str
    method: str
    role_arn: str | None
    minted_access_key_id: str | None
    by: dict[str, Any]
    copy_event_id: str | None = None
    sign_in_event_id: str | None = None


def hop(minted: Minted, method: str) -> Hop:
    """The hop that a minted session makes."""
    by = {
        "type": minted.by["type"],
        "arn": minted.by.get("arn"),
        "principal_id": minted.by.get("principalId"),
        "access_key_id": minted.by.get("accessKeyId"),
        "user_name": minted.by.get("userName"),
        "invoked_by": minted.by.get("invokedBy"),
    }
    return Hop(
        minted.event_id,
        minted.event_name,
        iso(minted.at),
        method,
        minted.role.arn,
        minted.key,
        by,
        minted.copy_event_id,
        minted.sign_in_event_id,
    )


@dataclass(frozen=True)
class Plot:
    """One alert and the part of its truth that only the story knows."""

    id: str
    story: str
    title: str
    description: str
    verdict: str
    """`attack` or `benign`."""
    alert: dict[str, Any]
    form: str
    who: Role | User
    session_name: str | None
    access_key_id: str
    first: int
    last: int
    ip: str
    agent: str | None
    """As the alert has it: null where it has none."""
    agent_in_logs: str
    event_source: str
    event_name: str
    event_ids: Sequence[str]
    origin: dict[str, Any]
    chain: Sequence[Hop]
    session_created: int | None = None
    notes: Sequence[str] = ()
    also: Sequence[Plot] = ()
    """The other principals that the same alert names."""


def interesting(deed: Deed) -> bool:
    """The original write-up's rule."""
    name = deed.event_name
    return deed.failed or name == "GetPasswordData" or not name.startswith(_READS)


def _of_entity(plot: Plot, deeds: Iterable[Deed]) -> list[Deed]:
    """The user's deeds; of a role, those of the alert's session name or address."""
    if isinstance(plot.who, User):
        return list(deeds)
    return [d for d in deeds if d.session_name == plot.session_name or d.ip == plot.ip]


def _services(deeds: Iterable[Deed]) -> list[dict[str, Any]]:
    count, failed = Counter[str](), Counter[str]()
    for deed in deeds:
        count[deed.event_source] += 1
        failed[deed.event_source] += deed.failed
    return [
        {"event_source": source, "count": count[source], "failed": failed[source]}
        for source in sorted(count)
    ]


def _calls(deeds: Iterable[Deed]) -> list[dict[str, Any]]:
    count = Counter(
        (deed.event_source, deed.event_name, deed.error_code) for deed in deeds if interesting(deed)
    )
    return [
        {"event_source": source, "event_name": name, "error_code": error, "count": count[key]}
        for key in sorted(count, key=lambda key: (key[0], key[1], key[2] or ""))
        for source, name, error in [key]
    ]


def _roles(plot: Plot, deeds: Iterable[Deed]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, bool], list[Deed]] = {}
    for deed in deeds:
        if deed.role_wanted:
            key = (deed.role_wanted, deed.error_code or "", deed.at > plot.last)
            groups.setdefault(key, []).append(deed)
    return [
        {
            "role_arn": role,
            "result": "failure" if error else "success",
            "error_code": error or None,
            "interface": "console" if group[0].ip == "AWS Internal" else "cli_sdk",
            "count": len(group),
            "first": iso(min(deed.at for deed in group)),
            "last": iso(max(deed.at for deed in group)),
            "after_alert": after,
        }
        for (role, error, after), group in sorted(groups.items())
    ]


def _baseline(plot: Plot, deeds: Sequence[Deed]) -> dict[str, Any]:
    same_api = [
        deed
        for deed in deeds
        if deed.event_name == plot.event_name and deed.event_source == plot.event_source
    ]
    same_ip = [deed for deed in same_api if deed.ip == plot.ip]
    agent = plot.agent
    return {
        "events": len(deeds),
        "active_days": len({deed.at // _DAY for deed in deeds}),
        "same_api": {
            "events": len(same_api),
            "same_ip": len(same_ip),
            "same_agent": None if agent is None else sum(d.agent == agent for d in same_api),
            "same_ip_and_agent": None
            if agent is None
            else sum(deed.agent == agent for deed in same_ip),
        },
        "knows_ip": any(deed.ip == plot.ip for deed in deeds),
        "knows_agent": any(
            deed.agent.strip("[]") == plot.agent_in_logs.strip("[]") for deed in deeds
        ),
        "ips": sorted({deed.ip for deed in deeds}),
    }


def truth_of(plot: Plot, deeds: Sequence[Deed]) -> dict[str, Any]:
    """One alert's entry in the truth file."""
    own = [deed for deed in deeds if deed.who == plot.who.id]

    def within(start: int, end: int, rows: Iterable[Deed]) -> list[Deed]:
        return [deed for deed in rows if start <= deed.at <= end]

    entity = _of_entity(plot, own)
    week = plot.first - 7 * _DAY
    history = (plot.first - 14 * _DAY, plot.first - 12 * _HOUR - 1)  # the end is excluded
    is_role = isinstance(plot.who, Role)
    return {
        "id": plot.id,
        "story": plot.story,
        "title": plot.title,
        "verdict": plot.verdict,
        "alert": f"alerts/{plot.id}.json",
        "form": plot.form,
        "principal": {
            "type": "AssumedRole" if is_role else "IAMUser",
            "arn": plot.who.session_arn(plot.session_name or "")
            if isinstance(plot.who, Role)
            else plot.who.arn,
            "principal_id": f"{plot.who.id}:{plot.session_name}" if is_role else plot.who.id,
            "access_key_id": plot.access_key_id,
            "role_arn": plot.who.arn if is_role else None,
            "session_name": plot.session_name,
            "user_name": None if is_role else plot.who.name,
            "account_id": plot.who.account,
            "session_created": None if plot.session_created is None else iso(plot.session_created),
        },
        "first_seen": iso(plot.first),
        "last_seen": iso(plot.last),
        "source_ip_address": plot.ip,
        "user_agent": plot.agent,
        "event_source": plot.event_source,
        "event_name": plot.event_name,
        "event_ids": list(plot.event_ids),
        "origin": plot.origin,
        "chain": [vars(one) for one in plot.chain],
        "roles_assumed": {
            "from": iso(week),
            "to": iso(plot.last + _DAY),
            "roles": _roles(plot, within(week, plot.last + _DAY, entity)),
        },
        "services_used": {
            "from": iso(week),
            "to": iso(plot.last),
            "entity": _services(within(week, plot.last, entity)),
            "whole_role": _services(within(week, plot.last, own)),
        },
        "interesting_calls": {
            "from": iso(week),
            "to": iso(plot.last),
            "entity": _calls(within(week, plot.last, entity)),
            "whole_role": _calls(within(week, plot.last, own)),
        },
        "baseline": {
            "from": iso(plot.first - 14 * _DAY),
            "to": iso(plot.first - 12 * _HOUR),
            "entity": _baseline(plot, within(*history, entity)),
            "whole_role": _baseline(plot, within(*history, own)),
        },
        "notes": list(plot.notes),
        "also": [truth_of(other, deeds) for other in plot.also],
    }
