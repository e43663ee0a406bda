"""The alert line: who, as a human where it can be known → role, account, time, IP, client."""

from __future__ import annotations

import json
from collections.abc import Sequence

from alerts.alert import Alert, Principal
from alerts.resources import resources_of
from enrich.chain.session import record_in
from enrich.data.assumed_by import AssumedBy, WhoActs
from enrich.facts.actor import KIND_WORDS
from enrich.facts.targets import Target, targets_of
from enrich.facts.techniques import plain_name
from enrich.facts.user_agent import normal_form
from ui.kit import links, phrases
from ui.kit.address_words import about_alert_address
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, acted_on, fact, link, mark, title_of


def alert_line(
    alert: Alert,
    principal: Principal,
    assumed_by: AssumedBy,
    *,
    titled: bool = True,
    targets: Sequence[Target] = (),
) -> Node:
    """Title, severity and the facts an analyst reads first. `assumed_by` names the human.

    `targets` are what the alert's call acted on, as the index knows it. Unless it is `titled`, its
    title is no heading of the page: there are several such lines.
    """
    when = phrases.when(alert.first_seen)
    if alert.last_seen and alert.last_seen != alert.first_seen:
        first = phrases.clock(alert.first_seen, beside=alert.last_seen)
        when = f"{first} to {phrases.when(alert.last_seen)}"
    call = None
    if alert.event_name:
        call = el(
            "span",
            "",
            link(plain_name(alert.event_name), links.entity(alert.event_name)),
            f" on {phrases.service(alert.event_source)}" if alert.event_source else None,
        )
    return el(
        "section",
        "alert",
        el(
            "div",
            "row",
            severity_mark(alert),
            title_of(alert.title or alert.id)
            if titled
            else el("span", "alert-title", alert.title or alert.id),
        ),
        el(
            "div",
            "facts",
            fact("Who", *who(principal, assumed_by), _actor(assumed_by), look="who"),
            _linked("Account", alert.account_id or principal.account_id),
            fact("Region", alert.region) if alert.region else None,
            fact("When (UTC)", when if alert.first_seen else _no_time(alert), _unsure(alert)),
            fact("Call", call) if call else None,
            fact("Acted on", on) if (on := acted_on(_stated(alert) or targets)) else None,
            fact("Result", alert.error_code) if alert.error_code else None,
            _from(alert),
            fact("Client", _client(alert.user_agent), title=alert.user_agent),
            _linked("Access key", principal.access_key_id),
        ),
    )


def _stated(alert: Alert) -> tuple[Target, ...]:
    """What the alert itself says that it acted on: its record, or a finding about a thing.

    A finding about a call names as its resource whose credentials were used: no target.
    """
    record = record_in(alert)
    if record:
        parts = (record.get(name) for name in ("requestParameters", "responseElements"))
        request, response = (json.dumps(part) if part else None for part in parts)
        resources = json.dumps(record["resources"]) if record.get("resources") else None
        return targets_of(alert.event_source, request, response, resources)
    no_targets = {"address of the instance", *(_HOLDERS if alert.event_name else ())}
    return tuple(
        Target(one.kind, one.name) for one in resources_of(alert) if one.kind not in no_targets
    )


_HOLDERS = frozenset({"EC2 instance", "Lambda function", "ECS task", "ECS cluster", "container"})
"""What holds credentials of its own."""


def _no_time(alert: Alert) -> str:
    return f"“{alert.unread_times[0]}”, not readable" if alert.unread_times else "not stated"


def _unsure(alert: Alert) -> Node | None:
    if alert.unread_times and alert.first_seen is not None:
        return el("span", "mute small", " not what the alert states")
    if alert.time_question is not None:
        return el("span", "mute small", " assumed")
    return el("span", "mute small", " not the activity's") if alert.time_is_fallback else None


def who(principal: Principal, assumed_by: AssumedBy) -> list[Node | str]:
    """The human or workload at the origin, then what it acted as."""
    if not _names_anybody(principal):
        return [el("span", "mute", "no AWS identity named")]
    acted_as = _acted_as(principal)
    origin = assumed_by.origin
    label = origin.label
    name = acted_as_text(principal)
    if not label or label == name or label == principal.arn:
        return [acted_as]
    # The label may be words: no event bears "EC2 instance i-…" as a name.
    target = origin.known_as
    named = link(label, links.entity(target)) if target else el("span", "", label)
    return [el("span", "", named, " → ", acted_as)]


ACTOR_SHAPES = {"human": "☺", "automation": "⚙", "aws_service": "☁", "ai_agent": "◇"}
"""Shapes beside the words of who acts."""


def short_field(path: str) -> str:
    """A field's last word, and the one before it where the last says little by itself."""
    parts = path.split(".")
    return ".".join(parts[-2:]) if parts[-1] in ("type", "arn", "userId") else parts[-1]


def actor_word(actor: WhoActs) -> str:
    """What kind of actor it is, in words."""
    return next((word for kind, word in KIND_WORDS.items() if kind == actor.kind), actor.kind)


def actor_mark(actor: WhoActs | None) -> Node | None:
    """Who acts, as a mark that tells the field in its tool tip; nothing where nothing says so."""
    if actor is None or actor.kind not in ACTOR_SHAPES or not actor.field:
        return None
    field = short_field(actor.field)
    own_word = "" if actor.asserted else ", its own word"
    return el(
        "span",
        "",
        mark(f"{actor_word(actor)}: {field}{own_word}", "mute", ACTOR_SHAPES[actor.kind]),
        title=actor.words,
    )


def _actor(assumed_by: AssumedBy) -> Node | None:
    """Who acts in the alert's session, else at its origin; that nothing says so is said, too."""
    actor = assumed_by.actor
    if actor is None:
        return None
    behind = assumed_by.acting
    origin = behind[-1].by.actor if behind else None
    known = actor_mark(actor) or actor_mark(origin)
    return el("span", "", " ", known or el("span", "mute small", f"· {KIND_WORDS['not_known']}"))


def _names_anybody(principal: Principal) -> bool:
    return bool(
        principal.arn
        or principal.principal_id
        or principal.access_key_id
        or principal.user_name
        or principal.session_name
        or principal.role_arn
    )


def acted_as_text(principal: Principal) -> str:
    if principal.session_name and (principal.role_arn or principal.arn):
        return (
            f"{phrases.role_name(principal.role_arn or principal.arn)} / {principal.session_name}"
        )
    return (
        principal.user_name
        or (phrases.short_arn(principal.arn) if principal.arn else None)
        or principal.principal_id
        or principal.access_key_id
        or "an unnamed principal"
    )


def severity_mark(alert: Alert) -> Node | None:
    """GuardDuty's scale in its own words; nothing where the source has none."""
    if alert.severity is None:
        return None
    levels: tuple[tuple[int, str, Tone], ...] = (
        (9, "Critical", "bad"),
        (7, "High", "bad"),
        (4, "Medium", "warn"),
    )
    for floor, word, tone in levels:
        if alert.severity >= floor:
            return mark(f"{word} {alert.severity:g}", tone)
    return mark(f"Low {alert.severity:g}", "mute")


def _acted_as(principal: Principal) -> Node:
    target = principal.arn or principal.principal_id or principal.access_key_id
    name = acted_as_text(principal)
    kind = el("span", "mute small", f" {KINDS.get(principal.type, principal.type)}")
    named = link(name, links.entity(target)) if target else el("span", "", name)
    return el("span", "", named, kind)


KINDS = {
    "IAMUser": "IAM user",
    "AssumedRole": "role session",
    "Role": "role",
    "Root": "root user",
    "FederatedUser": "federated user",
    "AWSService": "AWS service",
    "AWSAccount": "other account",
    "SAMLUser": "SAML user",
    "WebIdentityUser": "web identity",
    "IdentityCenterUser": "Identity Center user",
    "Unknown": "unknown kind",
}
"""Identity types in words a reader need not look up."""


def _client(user_agent: str | None) -> str:
    """Tool, version and system; the whole string stands in the tool tip and in "What was read"."""
    if user_agent is None:
        return "not stated"
    return normal_form(user_agent) or user_agent


def _from(alert: Alert) -> Node | None:
    address = alert.source_ip_address
    if not address:
        return None
    about = about_alert_address(alert)
    return fact(
        "From",
        link(address, links.entity(address)),
        el("span", "mute small", f" {about}") if about else None,
        title=about,
    )


def _linked(label: str, value: str | None) -> Node | None:
    return fact(label, link(value, links.entity(value))) if value else None
