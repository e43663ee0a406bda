"""The role chain, drawn left to right: origin, every link, the session, the alert.

A certain link is a solid line, a guess a dashed one; each says how it was matched. Names are
the attacker's to choose, so the drawing is made of `ui.markup` elements, where text stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.alert import Alert, Principal
from ui import links, phrases
from ui.alert_line import KINDS, acted_as_text
from ui.markup import Node, el
from ui.pieces import Tone, event_link, link

METHOD_WORDS = {
    "access_key": "by access key",
    "creation_date": "by creation date",
    "switch_role": "by switch role",
    "signin_session": "by sign-in session",
    "key_created": "by key creation",
    "most_recent": "most recent: a guess",
    "inferred": "inferred, no event",
}
CONFIDENCE_TONES: dict[str, Tone] = {
    "certain": "good",
    "high": "good",
    "medium": "warn",
    "low": "warn",
}


def chain_drawing(alert: Alert, principal: Principal, data: Mapping[str, Any]) -> Node:
    """The chain of an `assumed_by` answer's data, whatever its length; none is one node."""
    hops: Sequence[Mapping[str, Any]] = data.get("chain") or ()
    parts: list[Node] = []
    origin = data.get("origin") or {}
    first_by = hops[-1].get("by", {}) if hops else {}
    of_a_key = bool(hops) and hops[0].get("method") == "key_created"
    # Who acts with a long-term key is its owner, not who once made it: no node before that one.
    if not of_a_key and _adds_to(origin, first_by, principal):
        parts += [
            _node(
                "Origin",
                str(origin["label"]),
                origin.get("arn") or origin["label"],
                [f"read from {origin['field']}" if origin.get("field") else None],
                "node-origin",
            ),
            _hop("known from the record", None, None, "mute", guess=False),
        ]
    for place, hop in enumerate(reversed(hops)):
        # The caller of a link is the session that the link before it made: one node, not two.
        made_it = hops[len(hops) - place] if place else None
        if made_it is not None and made_it.get("role_arn"):
            parts.append(_session(made_it))
        else:
            parts.append(_caller(hop.get("by") or {}, hop, is_first=not parts))
        parts.append(_link(hop))
    if hops and not of_a_key:
        parts.append(_session(hops[0], principal))
    else:
        parts.append(
            _node(
                KINDS.get(principal.type, principal.type),
                acted_as_text(principal),
                principal.arn or principal.principal_id or principal.access_key_id,
                [principal.access_key_id],
                "" if parts else "node-origin",
            )
        )
    parts.append(_hop("made the call", None, None, "mute", guess=False))
    parts.append(_alert(alert))
    return el("div", "chain", *parts, role="group", aria_label="Role chain, origin to alert")


def _adds_to(origin: Mapping[str, Any], by: Mapping[str, Any], principal: Principal) -> bool:
    """Whether the origin's label says more than the first node does."""
    label = origin.get("label")
    if not label:
        return False
    known = {by.get("user_name"), by.get("arn"), by.get("principal_id"), _name(by)}
    known |= {principal.user_name, principal.arn, acted_as_text(principal)} if not by else set()
    return label not in known and origin.get("arn") not in (known - {None})


def _caller(by: Mapping[str, Any], hop: Mapping[str, Any], *, is_first: bool) -> Node:
    more = [
        by.get("access_key_id"),
        f"from {hop['source_ip_address']}" if hop.get("source_ip_address") else None,
    ]
    return _node(
        KINDS.get(str(by.get("type")), str(by.get("type") or "Caller")),
        _name(by),
        by.get("arn") or by.get("principal_id") or by.get("access_key_id"),
        more,
        "node-origin" if is_first else "",
    )


def _session(hop: Mapping[str, Any], principal: Principal | None = None) -> Node:
    role = phrases.role_name(hop.get("role_arn") or (principal and principal.role_arn) or "")
    session = hop.get("session_name") or (principal and principal.session_name)
    key = hop.get("minted_access_key_id")
    name = role if role != "–" else acted_as_text(principal) if principal else "session"
    return _node(
        "Role session" if role != "–" else "Session",
        name,
        hop.get("role_arn") or (principal.arn if principal else None),
        [f"session {session}" if session and session not in name else None, key],
        "",
    )


def _alert(alert: Alert) -> Node:
    name = alert.event_name or alert.finding_type or alert.title
    return _node(
        "Alert",
        name,
        alert.event_name or alert.id,
        [
            phrases.service(alert.event_source) if alert.event_source else None,
            f"{phrases.clock(alert.first_seen)} UTC" if alert.first_seen else None,
            f"from {alert.source_ip_address}" if alert.source_ip_address else None,
        ],
        "node-alert",
    )


def _link(hop: Mapping[str, Any]) -> Node:
    confidence = str(hop.get("confidence") or "low")
    method = str(hop.get("method") or "inferred")
    others = len(hop.get("candidates") or ()) - 1
    below = [confidence]
    if others > 0:
        below.append(phrases.count(others, "other fits", "others fit"))
    return _hop(
        METHOD_WORDS.get(method, method),
        hop.get("event_id"),
        f"{', '.join(below)}",
        CONFIDENCE_TONES.get(confidence, "warn"),
        guess=confidence == "low" or method in ("most_recent", "inferred"),
        call=hop.get("event_name"),
        at=hop.get("event_time"),
    )


def _hop(
    method: str,
    event_id: str | None,
    below: str | None,
    tone: Tone,
    *,
    guess: bool,
    call: str | None = None,
    at: object = None,
) -> Node:
    named = str(call) if call else None
    return el(
        "div",
        f"hop is-{tone}" + (" hop-guess" if guess else ""),
        el("span", "hop-method", method),
        el("span", "hop-line"),
        el(
            "span",
            "mute",
            (event_link(event_id, named) if event_id else named) if named else None,
            el("span", "clip", f"{phrases.clock(at)}") if at else None,
            el("span", "clip", below) if below else None,
        ),
        aria_label=f"{method}, {below}" if below else method,
    )


def _node(kind: str, name: str, target: str | None, more: Sequence[str | None], look: str) -> Node:
    return el(
        "div",
        f"node {look}".strip(),
        el("div", "node-kind", kind),
        link(name, links.entity(str(target)), "node-name clip")
        if target
        else el("span", "node-name clip", name),
        *(el("div", "node-more", line, title=line) for line in more if line),
    )


def _name(by: Mapping[str, Any]) -> str:
    arn = by.get("arn")
    if by.get("user_name"):
        return str(by["user_name"])
    if arn and ":assumed-role/" in arn:
        return " / ".join(phrases.short_arn(arn).split("/")[1:])
    if arn:
        return phrases.short_arn(arn)
    return str(by.get("principal_id") or by.get("access_key_id") or "unknown caller")
