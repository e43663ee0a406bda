"""The role chain, drawn left to right: origin, every link, the session, the alert.

A certain link is a solid line, a guess a dashed one; each says how it was matched and leads to
its event. Names are the attacker's to choose, so the drawing is made of `ui.kit.markup` elements,
where text stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from alerts.alert import Alert, Principal
from enrich.facts.actor import KIND_WORDS
from ui.kit import links, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, link
from ui.triage.alert_line import ACTOR_SHAPES, KINDS, acted_as_text, short_field

METHOD_WORDS = {
    "access_key": "by access key",
    "creation_date": "by creation date",
    "switch_role": "by switch role",
    "signin_session": "by sign-in session",
    "key_created": "by key creation",
    "scoped": "same session, narrowed",
    "most_recent": "most recent: a guess",
    "inferred": "inferred, no event",
}
CONFIDENCE_TONES: dict[str, Tone] = {
    "certain": "good",
    "high": "good",
    "medium": "warn",
    "low": "warn",
}
ORIGIN_KINDS = KINDS | {"SourceIdentity": "source identity"}
Hops = Sequence[Mapping[str, Any]]


def chain_drawing(alert: Alert, principal: Principal, data: Mapping[str, Any]) -> Node:
    """The chain of an `assumed_by` answer's data, whatever its length; none is one node."""
    hops = acting(data)
    origin = data.get("origin") or {}
    parts = _folded(_up_to_the_session(hops, alert, principal, origin))
    if not hops:
        parts = _without_hops(principal, data, origin)
    parts.append(_hop("made the call", None, tone="mute"))
    parts.append(_alert(alert))
    return el("div", "chain", *parts, role="group", aria_label="Role chain, origin to alert")


MOST_HOPS = 2
"""Links that stand side by side on a small screen; of a longer chain the middle is folded."""


def _folded(parts: list[Node]) -> list[Node]:
    """Node, link, node, …: the whole of it, or origin and last session with a fold between."""
    many = len(parts) // 2
    if many <= MOST_HOPS:
        return parts
    return [
        *parts[:2],
        el(
            "details",
            "chain-fold",
            el("summary", "", phrases.count(many - 2, "more hop")),
            el("div", "chain-middle", *parts[2:-2]),
        ),
        *parts[-2:],
    ]


def acting(data: Mapping[str, Any]) -> Hops:
    """The hops up to who acted. The others only tell how an old key was made."""
    return [hop for hop in data.get("chain") or () if hop.get("acting", True)]


def caller_name(by: Mapping[str, Any]) -> str:
    """Who made a call, in as few words as still name them."""
    if by.get("user_name"):
        return str(by["user_name"])
    arn = by.get("arn")
    if arn and ":assumed-role/" in arn:
        return " / ".join(phrases.short_arn(arn).split("/")[1:])
    if arn:
        return phrases.short_arn(arn)
    if by.get("type") == "SAMLUser" and by.get("principal_id"):
        return f"SAML user {str(by['principal_id']).rpartition(':')[2]}"  # before it, a hash
    named = by.get("invoked_by") or by.get("principal_id") or by.get("access_key_id")
    return str(named or "unknown caller")


def caller_target(by: Mapping[str, Any]) -> str | None:
    """The name under which the entity page knows a caller."""
    for name in ("arn", "principal_id", "access_key_id", "invoked_by", "user_name"):
        if by.get(name):
            return str(by[name])
    return None


def _up_to_the_session(
    hops: Hops, alert: Alert, principal: Principal, origin: Mapping[str, Any]
) -> list[Node]:
    """Caller, link, session, link, … up to the session that made the alert's call."""
    parts: list[Node] = []
    for place, hop in enumerate(reversed(hops)):
        # The caller of a link is the session that the link before it made: one node, not two.
        made_it = hops[len(hops) - place] if place else None
        if made_it is None:
            parts.append(_first(hop, origin))
        elif made_it.get("role_arn"):
            parts.append(_session(made_it))
        else:
            parts.append(_caller(hop.get("by") or {}))
        parts.append(_link(hop, alert))
    if hops and hops[0].get("method") == "key_created":
        parts.append(_principal(principal))
    elif hops:
        parts.append(_session(hops[0], principal))
    return parts


def _without_hops(
    principal: Principal, data: Mapping[str, Any], origin: Mapping[str, Any]
) -> list[Node]:
    """The principal alone, behind it who its own fields name, or that a record is missing."""
    if _adds_to(origin, principal):
        return [
            _node(
                ORIGIN_KINDS.get(str(origin.get("type")), "Origin"),
                str(origin["label"]),
                origin.get("arn") or origin["label"],
                f"read from {origin['field']}" if origin.get("field") else None,
                look="node-origin",
            ),
            _hop("known from the record", None, tone="mute"),
            _principal(principal),
        ]
    missing = data.get("would_be_in")
    if missing:
        return [
            _node(
                "Unknown",
                "no event says who",
                None,
                f"would be in the logs of account {missing.get('account_id') or 'unknown'}",
                phrases.window(missing.get("from"), missing.get("to")),
                look="node-missing",
            ),
            _hop("not found", None, tone="warn", guess=True),
            _principal(principal),
        ]
    return [_principal(principal, look="node-origin")]


def _adds_to(origin: Mapping[str, Any], principal: Principal) -> bool:
    """Whether the origin says more than the principal's own node does."""
    label = origin.get("label")
    if not label:
        return False
    known = {principal.user_name, principal.arn, acted_as_text(principal)} - {None}
    return label not in known and origin.get("arn") not in known


def _first(hop: Mapping[str, Any], origin: Mapping[str, Any]) -> Node:
    """The origin: the last hop's caller under the name that says most."""
    by = hop.get("by") or {}
    caller = caller_name(by)
    name = str(origin.get("label") or caller)
    kind = str(origin.get("type") or by.get("type"))
    source = hop.get("source_ip_address")
    if len(hop.get("callers") or ()) > 1:  # one candidate's key and address are nobody's here
        return _node("One of several callers", name, None, look="node-origin")
    return _node(
        ORIGIN_KINDS.get(kind, kind if kind != "None" else "Caller"),
        name,
        origin.get("arn") or caller_target(by) or name,
        caller if caller not in name and caller != "unknown caller" else None,
        by.get("access_key_id"),
        f"from {source}" if source and source not in (caller, by.get("invoked_by")) else None,
        look="node-origin",
        actor=by.get("actor"),
    )


def _caller(by: Mapping[str, Any]) -> Node:
    return _node(
        KINDS.get(str(by.get("type")), str(by.get("type") or "Caller")),
        caller_name(by),
        caller_target(by),
        by.get("access_key_id"),
        actor=by.get("actor"),
    )


def _principal(principal: Principal, look: str = "") -> Node:
    return _node(
        KINDS.get(principal.type, principal.type),
        acted_as_text(principal),
        principal.arn or principal.principal_id or principal.access_key_id,
        principal.access_key_id,
        look=look,
    )


def _session(hop: Mapping[str, Any], principal: Principal | None = None) -> Node:
    role = phrases.role_name(hop.get("role_arn") or (principal and principal.role_arn) or "")
    session = hop.get("session_name") or (principal and principal.session_name)
    name = role if role != "–" else acted_as_text(principal) if principal else "session"
    kind = "Console session" if hop.get("event_name") == "ConsoleLogin" else "Session"
    return _node(
        "Role session" if role != "–" else kind,
        name,
        hop.get("role_arn") or (principal.arn if principal else None),
        f"session {session}" if session and session not in name else None,
        hop.get("minted_access_key_id"),
    )


def _alert(alert: Alert) -> Node:
    return _node(
        "Alert",
        alert.event_name or alert.finding_type or alert.title,
        alert.event_name or alert.id,
        phrases.service(alert.event_source) if alert.event_source else None,
        f"{phrases.clock(alert.first_seen, beside=datetime.now(UTC))} UTC"
        if alert.first_seen
        else None,
        f"from {alert.source_ip_address}" if alert.source_ip_address else None,
        look="node-alert",
    )


def _link(hop: Mapping[str, Any], alert: Alert) -> Node:
    confidence = str(hop.get("confidence") or "low")
    method = str(hop.get("method") or "inferred")
    fitting = len(hop.get("candidates") or ())
    return _hop(
        METHOD_WORDS.get(method, method),
        hop.get("event_id"),
        str(hop["event_name"]) if hop.get("event_name") else None,
        phrases.clock(hop["event_time"], beside=datetime.now(UTC))
        if hop.get("event_time")
        else None,
        confidence + (f", 1 of {fitting} that fit" if fitting > 1 else ""),
        tone=CONFIDENCE_TONES.get(confidence, "warn"),
        guess=confidence == "low" or method in ("most_recent", "inferred"),
    )


def _kind_words(kind: str, actor: Mapping[str, Any] | None) -> str:
    """ "IAM user · human: mfaAuthenticated"; the kind alone where nothing says who acts."""
    if not actor or not actor.get("field") or actor.get("kind") not in ACTOR_SHAPES:
        return kind
    if actor["kind"] == "aws_service":  # which is what its kind says already
        return kind
    return f"{kind} · {KIND_WORDS[actor['kind']]}: {short_field(str(actor['field']))}"


def _hop(
    method: str, event_id: str | None, *below: str | None, tone: Tone, guess: bool = False
) -> Node:
    """A line with an arrow head; the whole of it leads to the event that it stands for."""
    lines = [line for line in below if line]
    return el(
        "a" if event_id else "div",
        f"hop is-{tone}" + (" hop-guess" if guess else ""),
        el("span", "hop-method", method),
        el("span", "hop-line"),
        *(
            el("span", "hop-call" if number == 0 and event_id else "mute", line)
            for number, line in enumerate(lines)
        ),
        href=links.event(event_id) if event_id else None,
        title="Show the event" if event_id else None,
    )


def _node(
    kind: str,
    name: str,
    target: str | None,
    *more: str | None,
    look: str = "",
    actor: Mapping[str, Any] | None = None,
) -> Node:
    return el(
        "div",
        f"node {look}".strip(),
        el("div", "node-kind", _kind_words(kind, actor), title=(actor or {}).get("words")),
        link(name, links.entity(str(target)), "node-name", title=name)
        if target
        else el("span", "node-name", name, title=name),
        *(el("div", "node-more", line, title=line) for line in more if line),
    )
