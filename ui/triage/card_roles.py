"""Inside the two role cards: the links of the chain, the roles tried, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence

from enrich.chain.words import distance_words
from enrich.data.assumed_by import AssumedBy, ChainHop, ForwardSession, ForwardTree
from enrich.data.ledger import Ledger
from enrich.data.roles_assumed import RolesAssumed, RoleTaken
from trail.counted import counted
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import event_link, mark, more, pivot, table, time_of
from ui.triage.chain import METHOD_WORDS
from ui.triage.ledger_card import key_gone, role_gone

INTERFACES = {
    "saml": "SAML",
    "web_identity": "web identity",
    "console": "console",
    "aws_service": "AWS service",
    "cli_sdk": "CLI or SDK",
}
MOST_FITTING = 8


def chain_table(found: AssumedBy, ledger: Ledger | None = None) -> Node | None:
    """Every link with how it was matched, then what the session went on to assume."""
    origin = found.origin
    parts: list[Node | None] = []
    if found.chain:
        parts.append(
            table(
                ("When (UTC)", "Matched", "Confidence", "By", "Role", "Session", "Key made",
                 "Through", "From", "Event", "Also fits"),
                [_link(hop) for hop in found.chain],
                caption="Every link of the role chain, nearest first",
            )
        )  # fmt: skip
    if origin.label:
        parts.append(
            el(
                "p",
                "",
                el("span", "mute", "Origin: "),
                el("strong", "", origin.detail or origin.label),
                el("span", "mute", f", read from {origin.field}") if origin.field else None,
            )
        )
    parts.append(forward_tree(found.forward, ledger=ledger))
    return el("div", "stack", *parts) if any(parts) else None


def _link(hop: ChainHop) -> tuple[Node | str | int | None, ...]:
    by = hop.by
    others = [event for event in hop.candidates if event != hop.event_id]
    distance = distance_words(hop.method, hop.time_distance_s)
    interface = hop.interface_detail or INTERFACES.get(str(hop.interface), "–")
    return (
        time_of(hop.event_time, full=True),
        el(
            "span",
            "",
            METHOD_WORDS.get(str(hop.method), str(hop.method)),
            el("span", "mute", f" {hop.rule or ''}"),
        ),
        f"{hop.confidence}" + (f", {distance}" if distance else ""),
        pivot(by.arn or by.principal_id or by.access_key_id),
        pivot(hop.role_arn),
        pivot(hop.session_name),
        pivot(hop.minted_access_key_id, look="mono"),
        interface,
        pivot(hop.source_ip_address),
        event_link(hop.event_id, hop.event_name),
        el(
            "span",
            "row",
            *(event_link(event) for event in others[:MOST_FITTING]),
            f"and {len(others) - MOST_FITTING} more" if len(others) > MOST_FITTING else None,
        )
        if others
        else "–",
    )


def forward_tree(
    forward: ForwardTree, *, most: int | None = None, ledger: Ledger | None = None
) -> Node | None:
    """What the session went on to assume, as a tree; equal sessions are one line with a count.

    None when there is nothing, or when it would take more than `most` lines. Roles and keys that
    the ledger knows to be gone are marked.
    """
    sessions = forward.sessions
    if not sessions or (most is not None and _lines(sessions) > most):
        return None
    total = forward.total or len(sessions)
    return el(
        "div",
        "",
        el("h3", "panel-title", f"What came out of it: {phrases.count(total, 'credential')}"),
        el("ul", "tree", *_branches(sessions, ledger)),
    )


def _lines(sessions: Sequence[ForwardSession]) -> int:
    return sum(1 + _lines(_children(group)) for group in _grouped(sessions))


def _grouped(sessions: Sequence[ForwardSession]) -> list[list[ForwardSession]]:
    """The sessions of one role and session name together, in order of their first."""
    grouped: dict[tuple[str, str, bool], list[ForwardSession]] = {}
    for session in sessions:
        name = session.session_name or ""
        made = session.role_arn or session.access_key_id or ""
        key = (made, name, session.narrowed)
        grouped.setdefault(key, []).append(session)
    return list(grouped.values())


def _children(group: Sequence[ForwardSession]) -> list[ForwardSession]:
    return [child for session in group for child in session.sessions]


def _branches(sessions: Sequence[ForwardSession], ledger: Ledger | None) -> list[Node]:
    return [_branch(group, ledger) for group in _grouped(sessions)]


def _branch(group: Sequence[ForwardSession], ledger: Ledger | None) -> Node:
    first = group[0]
    children = _children(group)
    role = first.role_arn
    target = role or first.access_key_id or first.principal_id
    calls = sum(session.events for session in group)
    failed = sum(session.failed for session in group)
    times = [session.event_time for session in group if session.event_time]
    ips = list(dict.fromkeys(s.source_ip_address for s in group if s.source_ip_address))
    return el(
        "li",
        "",
        el(
            "span",
            "row",
            pivot(str(target), phrases.role_name(role) if role else str(target)),
            pivot(first.session_name) if first.session_name else None,
            el("strong", "", f"× {len(group)}") if len(group) > 1 else None,
            el("span", "mute", "same session, narrowed") if first.narrowed else None,
            event_link(first.event_id, phrases.when(times[0])) if times else None,
            el("span", "mute", f"to {phrases.when(max(times))}") if len(times) > 1 else None,
            el("span", "mute", "from") if ips else None,
            *(pivot(ip) for ip in ips[:3]),
            el("span", "mute", phrases.count(calls, "call")),
            mark(f"{failed:,} failed", "bad", "✕") if failed else None,
            role_gone(ledger, role) if role else key_gone(ledger, first.access_key_id),
        ),
        el("ul", "", *_branches(children, ledger)) if children else None,
    )


def roles_table(found: RolesAssumed, ledger: Ledger | None = None) -> Node | None:
    """Roles taken on first, then those refused; a long list of refusals is folded."""
    taken = [role for role in found.roles if role.result != "failure"]
    refused = [role for role in found.roles if role.result == "failure"]
    enumeration = found.enumeration
    parts: list[Node | None] = []
    if enumeration is not None:
        parts.append(
            el(
                "p",
                "row",
                mark("Enumeration", "bad"),
                f"{counted(enumeration.targets, 'different role')} refused from "
                f"{phrases.window(enumeration.window_first, enumeration.window_last)}",
            )
        )
    if taken:
        parts.append(_roles(taken, "Roles assumed", ledger))
    if refused:
        shown = _roles(refused, "Roles refused", ledger)
        words = f"{phrases.count(len(refused), 'role')} refused"
        parts.append(more(words, shown, open=len(refused) <= 6))
    if unknown := found.targets_unknown:
        parts.append(el("p", "mute", f"{phrases.count(unknown, 'refusal')} did not name the role."))
    return el("div", "stack", *parts) if parts else None


def _roles(roles: Sequence[RoleTaken], caption: str, ledger: Ledger | None) -> Node:
    return table(
        ("Result", "Role", "Times", "Through", "First (UTC)", "Last (UTC)", "From", "Why refused"),
        [
            (
                el(
                    "span",
                    "row",
                    mark("Refused", "bad", "✕")
                    if role.result == "failure"
                    else mark("Assumed", "good"),
                    mark("After the alert", "warn") if role.after_alert else None,
                ),
                el(
                    "span",
                    "row",
                    pivot(role.role_arn),
                    role_gone(ledger, role.role_arn),
                )
                if role.role_arn
                else "not named",
                role.count,
                INTERFACES.get(str(role.interface), role.interface or "–"),
                time_of(role.first),
                time_of(role.last),
                el("span", "row", *(pivot(ip) for ip in role.source_ip_addresses)),
                _why(role),
            )
            for role in roles
        ],
        caption=caption,
        numbers=frozenset({"Times"}),
    )


def _why(role: RoleTaken) -> str:
    parts = ((role.reason_class or "").replace("_", " "), role.error_code)
    return ", ".join(part for part in parts if part)
