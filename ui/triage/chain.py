"""The role chain, drawn left to right: origin, every link, the session, the alert.

A certain link is a solid line, a guess a dashed one; each says how it was matched and leads to
its event. Names are the attacker's to choose, so the drawing is made of `ui.kit.markup` elements,
where text stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from alerts.alert import Alert, Principal
from enrich.data.assumed_by import AssumedBy, Caller, ChainHop, Origin, PossibleCaller, WhoActs
from enrich.facts.techniques import plain_name
from ui.kit import links, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, link
from ui.triage.alert_line import ACTOR_SHAPES, KINDS, acted_as_text, actor_word, short_field

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
Hops = Sequence[ChainHop]


def chain_drawing(alert: Alert, principal: Principal, found: AssumedBy) -> Node:
    """The chain of an `assumed_by` answer's data, whatever its length; none is one node."""
    hops, origin = found.acting, found.origin
    parts = _folded(_up_to_the_session(hops, alert, principal, origin))
    if not hops:
        parts = _without_hops(principal, found)
    made_it = _made_the_call(alert, principal)
    parts.append(_hop("made the call" if made_it else "named in the alert", None, tone="mute"))
    parts.append(_alert(alert, with_its_call=made_it))
    return el("div", "chain", *parts, role="group", aria_label="Role chain, origin to alert")


def _made_the_call(alert: Alert, principal: Principal) -> bool:
    """Whether the alert's call is the principal's: of several that it names, one made it, and only
    a rule over our own events says which (`principals[0]`)."""
    if len(alert.principals) < 2:
        return True
    return alert.source == "sigma" and principal == alert.principals[0]


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


def caller_name(by: Caller | PossibleCaller) -> str:
    """Who made a call, in as few words as still name them."""
    if by.user_name:
        return by.user_name
    arn = by.arn
    if arn and ":assumed-role/" in arn:
        return " / ".join(phrases.short_arn(arn).split("/")[1:])
    if arn:
        return phrases.short_arn(arn)
    if by.type == "SAMLUser" and by.principal_id:
        return f"SAML user {by.principal_id.rpartition(':')[2]}"  # before it, a hash
    return by.invoked_by or by.principal_id or _key_of(by) or "unknown caller"


def caller_target(by: Caller | PossibleCaller) -> str | None:
    """The name under which the entity page knows a caller."""
    return by.arn or by.principal_id or _key_of(by) or by.invoked_by or by.user_name


def _key_of(by: Caller | PossibleCaller) -> str | None:
    return by.access_key_id if isinstance(by, Caller) else None


def _up_to_the_session(
    hops: Hops, alert: Alert, principal: Principal, origin: Origin
) -> list[Node]:
    """Caller, link, session, link, … up to the session that made the alert's call."""
    parts: list[Node] = []
    for place, hop in enumerate(reversed(hops)):
        # The caller of a link is the session that the link before it made: one node, not two.
        made_it = hops[len(hops) - place] if place else None
        if made_it is None:
            parts.append(_first(hop, origin))
        elif made_it.role_arn:
            parts.append(_session(made_it))
        else:
            parts.append(_caller(hop.by))
        parts.append(_link(hop, alert))
    if hops and hops[0].method == "key_created":
        parts.append(_principal(principal))
    elif hops:
        parts.append(_session(hops[0], principal))
    return parts


def _without_hops(principal: Principal, found: AssumedBy) -> list[Node]:
    """The principal alone, behind it who its own fields name, or that a record is missing."""
    origin = found.origin
    if origin.label and _adds_to(origin, principal):
        return [
            _node(
                ORIGIN_KINDS.get(str(origin.type), "Origin"),
                origin.label,
                origin.known_as,
                f"read from {origin.field}" if origin.field else None,
                look="node-origin",
            ),
            _hop("known from the record", None, tone="mute"),
            _principal(principal),
        ]
    missing = found.would_be_in
    if missing is not None:
        return [
            _node(
                "Unknown",
                "no event says who",
                None,
                f"would be in the logs of account {missing.account_id or 'unknown'}",
                phrases.window(missing.window_first, missing.window_last),
                look="node-missing",
            ),
            _hop("not found", None, tone="warn", guess=True),
            _principal(principal),
        ]
    return [_principal(principal, look="node-origin")]


def _adds_to(origin: Origin, principal: Principal) -> bool:
    """Whether the origin says more than the principal's own node does."""
    known = {principal.user_name, principal.arn, acted_as_text(principal)} - {None}
    return origin.label not in known and origin.arn not in known


def _first(hop: ChainHop, origin: Origin) -> Node:
    """The origin: the last hop's caller under the name that says most."""
    by = hop.by
    caller = caller_name(by)
    name = origin.label or caller
    kind = origin.type or by.type
    source = hop.source_ip_address
    if len(hop.callers) > 1:  # one candidate's key and address are nobody's here
        return _node("One of several callers", name, None, look="node-origin")
    return _node(
        ORIGIN_KINDS.get(kind, kind) if kind else "Caller",
        name,
        origin.known_as or caller_target(by),
        caller if caller not in name and caller != "unknown caller" else None,
        by.access_key_id,
        f"from {source}" if source and source not in (caller, by.invoked_by) else None,
        look="node-origin",
        actor=by.actor,
    )


def _caller(by: Caller) -> Node:
    return _node(
        KINDS.get(str(by.type), by.type or "Caller"),
        caller_name(by),
        caller_target(by),
        by.access_key_id,
        actor=by.actor,
    )


def _principal(principal: Principal, look: str = "") -> Node:
    return _node(
        KINDS.get(principal.type, principal.type),
        acted_as_text(principal),
        principal.arn or principal.principal_id or principal.access_key_id,
        principal.access_key_id,
        look=look,
    )


def _session(hop: ChainHop, principal: Principal | None = None) -> Node:
    role = phrases.role_name(hop.role_arn or (principal and principal.role_arn) or "")
    session = hop.session_name or (principal and principal.session_name)
    name = role if role != "–" else acted_as_text(principal) if principal else "session"
    kind = "Console session" if hop.event_name == "ConsoleLogin" else "Session"
    return _node(
        "Role session" if role != "–" else kind,
        name,
        hop.role_arn or (principal.arn if principal else None),
        f"session {session}" if session and session not in name else None,
        hop.minted_access_key_id,
    )


def _alert(alert: Alert, *, with_its_call: bool) -> Node:
    """The alert by its call; by its title where that is another principal's."""
    call = alert.event_name if with_its_call else None
    now = datetime.now(UTC)
    when = f"{phrases.clock(alert.first_seen, beside=now)} UTC" if alert.first_seen else None
    if when and alert.last_seen and alert.last_seen != alert.first_seen:
        when = phrases.window(alert.first_seen, alert.last_seen)
    return _node(
        "Alert",
        plain_name(call) if call else alert.title or alert.finding_type or alert.id,
        call or alert.id,
        phrases.service(alert.event_source) if call and alert.event_source else None,
        when,
        f"from {alert.source_ip_address}" if alert.source_ip_address else None,
        look="node-alert",
    )


def _link(hop: ChainHop, alert: Alert) -> Node:
    confidence = hop.confidence or "low"
    method = hop.method or "inferred"
    fitting = len(hop.candidates)
    return _hop(
        METHOD_WORDS.get(method, method),
        hop.event_id,
        hop.event_name or None,
        phrases.clock(hop.event_time, beside=datetime.now(UTC)) if hop.event_time else None,
        confidence + (f", 1 of {fitting} that fit" if fitting > 1 else ""),
        tone=CONFIDENCE_TONES.get(confidence, "warn"),
        guess=confidence == "low" or method in ("most_recent", "inferred"),
    )


def _kind_words(kind: str, actor: WhoActs | None) -> str:
    """ "IAM user · human: mfaAuthenticated"; the kind alone where nothing says who acts."""
    if actor is None or not actor.field or actor.kind not in ACTOR_SHAPES:
        return kind
    if actor.kind == "aws_service":  # which is what its kind says already
        return kind
    return f"{kind} · {actor_word(actor)}: {short_field(actor.field)}"


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
    actor: WhoActs | None = None,
) -> Node:
    return el(
        "div",
        f"node {look}".strip(),
        el(
            "div",
            "node-kind",
            _kind_words(kind, actor),
            title=actor.words if actor is not None else None,
        ),
        link(name, links.entity(str(target)), "node-name", title=name)
        if target
        else el("span", "node-name", name, title=name),
        *(el("div", "node-more", line, title=line) for line in more if line),
    )
