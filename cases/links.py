"""What ties alerts together: the identities an alert names, and the sessions behind them.

A link is a kind and a value. `principal`, `session` and `role` come from the alert itself;
`chain` comes from its answers: the keys, sessions and people that the chain of "who assumed it"
goes through. Two alerts that share a value are related. What surely is one actor, of the alert or
of its chain, has kinds of its own (`OF_AN_ACTOR`): it makes alerts one incident.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from alerts.alert import Alert, Principal
from cases import actors
from trail.access_keys import is_access_key

Link = tuple[str, str]
OF_AN_ACTOR = ("actor", "actor_in_chain")
OF_ANSWERS = ("chain", "actor_in_chain")

_ASSUMED = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/(.+)", re.DOTALL)
_ROLE = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:.*/)?([^/]+)", re.DOTALL)


def alert_links(alert: Alert) -> set[Link]:
    """The alert's own links. Sample findings have none: their names are placeholders."""
    if alert.sample:
        return set()
    found = {link for principal in alert.principals for link in _principal_links(principal)}
    return found | {("actor", value) for value in actors.of_alert(alert)}


def answer_links(answers: Iterable[Mapping[str, Any]]) -> set[Link]:
    """The links that the answers' chains add (answers as JSON documents)."""
    found: set[str] = set()
    known = list(answers)
    for answer in known:
        if answer.get("name") == "assumed_by":
            _walk(answer.get("data"), found)
    sure = {("actor_in_chain", value) for value in actors.of_answers(known)}
    return {("chain", value) for value in found} | sure


def _principal_links(principal: Principal) -> set[Link]:
    found: set[Link] = set()
    if is_access_key(principal.access_key_id):  # equal masks relate strangers
        found.add(("session", f"key:{principal.access_key_id}"))
    if principal.arn:
        found.add(_arn_link(principal.arn))
        assumed = _ASSUMED.fullmatch(principal.arn)
        if assumed:
            found.add(("role", f"role:{assumed[2]}/{assumed[3]}"))
    if principal.principal_id:
        kind = "session" if ":" in principal.principal_id else "principal"
        found.add((kind, f"id:{principal.principal_id}"))
    if principal.role_arn:
        role = _ROLE.fullmatch(principal.role_arn)
        if role:
            found.add(("role", f"role:{role[2]}/{role[3]}"))
            if principal.session_name:
                found.add(("session", f"session:{role[2]}/{role[3]}/{principal.session_name}"))
    return found


def _arn_link(arn: str) -> Link:
    assumed = _ASSUMED.fullmatch(arn)
    if assumed:
        return ("session", f"session:{assumed[2]}/{assumed[3]}/{assumed[4]}")
    role = _ROLE.fullmatch(arn)
    if role:
        return ("role", f"role:{role[2]}/{role[3]}")
    return ("principal", f"arn:{arn}")


def _walk(value: Any, found: set[str]) -> None:
    if isinstance(value, list | tuple):
        for inner in value:
            _walk(inner, found)
        return
    if not isinstance(value, Mapping):
        return
    for key in ("access_key_id", "minted_access_key_id"):
        if is_access_key(value.get(key)):
            found.add(f"key:{value[key]}")
    arn = value.get("arn")
    if isinstance(arn, str) and arn:
        kind, link = _arn_link(arn)
        # A role alone is no link: everyone who may assume it would be related to everyone.
        if kind != "role":
            found.add(link)
    identity = value.get("principal_id")
    if isinstance(identity, str) and identity:
        found.add(f"id:{identity}")
    role, session = value.get("role_arn"), value.get("session_name")
    if isinstance(role, str) and isinstance(session, str) and session:
        match = _ROLE.fullmatch(role)
        if match:
            found.add(f"session:{match[2]}/{match[3]}/{session}")
    for inner in value.values():
        _walk(inner, found)


REASONS = {
    "session": "same role session or key",
    "principal": "same principal",
    "chain": "linked session",
    "role": "same role",
}
"""How a shared link is put in words, strongest first."""


def reason_of(kinds: set[str]) -> str:
    """The strongest reason among the kinds that two alerts share a value by."""
    return next(words for kind, words in REASONS.items() if kind in kinds)
