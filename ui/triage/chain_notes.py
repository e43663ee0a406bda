"""Under the chain: who it comes down to, how the key was made, what else fits, what is inferred.

All of it stands apart from the drawing, since none of it is a link that somebody acted through.
"""

from __future__ import annotations

from enrich.chain.juggling import juggling_sentence
from enrich.data.assumed_by import AssumedBy, Caller, ChainHop, PossibleCaller, WouldBeIn
from ui.kit import links, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import event_link, link, mark, more
from ui.triage.chain import METHOD_WORDS, caller_name, caller_target

MOST_FITTING = 12
"""Events listed of those that fit one link; the card's table cites them as well."""


def origin_note(found: AssumedBy) -> Node | None:
    """Who it comes down to, from which field, and as surely as the weakest link on the way."""
    origin = found.origin
    label = origin.detail or origin.label
    if not label:
        return None
    told = []
    if origin.field:
        told.append(f"read from {origin.field}")
    if origin.confidence:
        told.append(f"{origin.confidence} over the whole chain")
    return el(
        "p",
        "small",
        el("span", "mute", "Origin: "),
        el("strong", "", label),
        el("span", "mute", "; ".join(["", *told])) if told else None,
    )


def making_of_the_key(found: AssumedBy) -> Node | None:
    """Who made the long-term key that was used, when: a note, for its owner is who acted."""
    making = [hop for hop in found.chain if not hop.acting]
    if not making:
        return None
    parts: list[Node | str] = []
    for hop in reversed(making):
        parts.append(_maker(hop.by))
        parts.append(
            el(
                "span",
                "",
                "→ ",
                event_link(hop.event_id, hop.event_name),
                f" {phrases.when(hop.event_time)}, {hop.confidence} →",
            )
        )
    key = making[0].minted_access_key_id
    parts.append(link(key, links.entity(key)) if key else "the key")
    return el(
        "p",
        "aside row",
        el("strong", "", "How the key was made:"),
        *parts,
        aria_label="How the key was made",
    )


def _maker(by: Caller | PossibleCaller) -> Node | str:
    target = caller_target(by)
    name = caller_name(by)
    return link(name, links.entity(target)) if target else el("span", "", name)


def fitting_notes(found: AssumedBy) -> Node | None:
    """For each link that more than one event fits: every caller that it could have been."""
    folded = [_fitting(hop) for hop in found.chain if len(hop.candidates) > 1]
    return el("div", "stack", *folded) if folded else None


def _fitting(hop: ChainHop) -> Node:
    events, callers = hop.candidates, hop.callers
    role = phrases.role_name(hop.role_arn)
    method = METHOD_WORDS.get(str(hop.method), str(hop.method))
    who = f", by {len(callers)} different callers" if len(callers) > 1 else ""
    return more(
        f"{phrases.count(len(events), 'event')} fit the link to {phrases.shortened(role, 60)} "
        f"{method}{who}: see each",
        el(
            "ul",
            "notes",
            *(_caller_that_fits(caller) for caller in callers if len(callers) > 1),
            el(
                "li",
                "",
                el(
                    "span",
                    "row",
                    *(event_link(event) for event in events[:MOST_FITTING]),
                    f"and {len(events) - MOST_FITTING} more"
                    if len(events) > MOST_FITTING
                    else None,
                ),
            ),
        ),
    )


def _caller_that_fits(caller: PossibleCaller) -> Node:
    return el(
        "li",
        "",
        _maker(caller),
        f": {phrases.count(caller.count, 'event')}, last ",
        event_link(caller.event_id, phrases.when(caller.last)),
    )


def inferences(found: AssumedBy) -> Node | None:
    """What was worked out and no record says: renewals, the log that is missing, an account."""
    rows: list[Node] = []
    juggling = found.juggling
    if juggling is not None:
        rows.append(el("li", "", mark("Pattern", "warn"), f" {juggling_sentence(juggling)}"))
    renewals = found.forward.renewals
    if renewals:
        rows.append(
            el(
                "li",
                "",
                mark("Pattern", "warn"),
                f" {phrases.count(renewals, 'session')} of what came out of it renewed a role "
                "that it came from.",
            )
        )
    missing = found.would_be_in
    if missing is not None:
        rows.append(
            el(
                "li",
                "",
                mark("Missing", "mute", "◌"),
                " The event that would explain it further belongs in the logs of account ",
                f"{missing.account_id or 'unknown'}, {_span(missing)}; of those the index "
                f"has {COVERED.get(str(missing.coverage), 'an unknown part')}.",
            )
        )
    derived = found.derived_account
    if derived:
        rows.append(
            el(
                "li",
                "",
                mark("Inferred", "mute", "◌"),
                f" The id itself points to account {derived}: calculated, no record says so.",
            )
        )
    return el("ul", "inferences small", *rows) if rows else None


COVERED = {"covered": "all days", "partial": "some days", "not_covered": "none"}


def _span(missing: WouldBeIn) -> str:
    return phrases.window(missing.window_first, missing.window_last)
