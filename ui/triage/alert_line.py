"""The alert line: who, as a human where it can be known → role, account, time, IP, client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.alert import Alert, Principal
from enrich.facts.user_agent import normal_form
from ui.kit import links, phrases
from ui.kit.address_words import about_alert_address
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, fact, link, mark


def alert_line(alert: Alert, principal: Principal, assumed_by: Mapping[str, Any]) -> Node:
    """Title, severity and the facts an analyst reads first. `assumed_by` names the human."""
    when = phrases.when(alert.first_seen)
    if alert.last_seen and alert.last_seen != alert.first_seen:
        first = phrases.clock(alert.first_seen, beside=alert.last_seen)
        when = f"{first} to {phrases.when(alert.last_seen)}"
    call = None
    if alert.event_name:
        call = el(
            "span",
            "",
            link(alert.event_name, links.entity(alert.event_name)),
            f" on {phrases.service(alert.event_source)}" if alert.event_source else None,
        )
    return el(
        "section",
        "alert",
        el(
            "div",
            "row",
            severity_mark(alert),
            el("span", "alert-title", alert.title or alert.id),
        ),
        el(
            "div",
            "facts",
            fact("Who", *who(principal, assumed_by), look="who"),
            _linked("Account", alert.account_id or principal.account_id),
            fact("Region", alert.region) if alert.region else None,
            fact("When (UTC)", when if alert.first_seen else _no_time(alert), _unsure(alert)),
            fact("Call", call) if call else None,
            fact("Result", alert.error_code) if alert.error_code else None,
            _from(alert),
            fact("Client", _client(alert.user_agent), title=alert.user_agent),
            _linked("Access key", principal.access_key_id),
        ),
    )


def _no_time(alert: Alert) -> str:
    return f"“{alert.unread_times[0]}”, not readable" if alert.unread_times else "not stated"


def _unsure(alert: Alert) -> Node | None:
    if alert.unread_times and alert.first_seen is not None:
        return el("span", "mute small", " not what the alert states")
    if alert.time_question is not None:
        return el("span", "mute small", " assumed")
    return el("span", "mute small", " not the activity's") if alert.time_is_fallback else None


def who(principal: Principal, assumed_by: Mapping[str, Any]) -> list[Node | str]:
    """The human or workload at the origin, then what it acted as."""
    acted_as = _acted_as(principal)
    origin = assumed_by.get("origin") or {}
    label = origin.get("label")
    name = acted_as_text(principal)
    if not label or label == name or label == principal.arn:
        return [acted_as]
    target = origin.get("arn") or label
    return [el("span", "", link(str(label), links.entity(str(target))), " → ", acted_as)]


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
