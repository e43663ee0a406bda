"""The chain of assumptions behind one session, hop by hop, by the rules R0 to R5 in order (§3).

A hop is one record that explains one session, or (R4) a guess from the session's own fields. The
caller of that record is the next session to explain. Paths are told apart by access key and event,
never by role: roles may renew themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from enrich.chain.claims import behind
from enrich.chain.hop import Hop
from enrich.chain.mints import MintReader
from enrich.chain.rules import Said, contradicted, explain, needs_explaining
from enrich.chain.session import Session

LONGEST_CHAIN = 100
"""Hops. Renewing a 15-minute session for a day makes 96; a real chain rarely has five."""

_HANDED_ON = ("signin_session", "scoped")


@dataclass
class Chain:
    """The hops found, nearest first, and the session where it ended."""

    hops: list[Hop] = field(default_factory=list)
    end: Session | None = None
    stopped: Literal["origin", "unexplained", "cycle", "too_long", "several"] = "origin"
    """`several`: more than one caller fits, and what lies behind one of them is nobody's past."""
    said: Said = field(default_factory=Said)

    @property
    def caveats(self) -> list[str]:
        return self.said.caveats

    @property
    def only_borrowed(self) -> bool:
        """Whether it tells no more than how a session was handed on: a console session to the
        command line (R2d), or any session narrowed.

        Who did that is the session's own identity: that explains nobody.
        """
        return bool(self.hops) and self.assumption is None

    @property
    def assumption(self) -> Hop | None:
        """The hop that made the session: borrowing and narrowing it only hand it on."""
        return next((hop for hop in self.hops if hop.method not in _HANDED_ON), None)


def resolve_chain(session: Session, reader: MintReader) -> Chain:
    """Every hop from the session back to whoever started it. Always ends."""
    return _as_told_twice(_resolved(session, reader), reader)


def _as_told_twice(chain: Chain, reader: MintReader) -> Chain:
    """The chain up to where another record of one of its events names another caller."""
    mints = [hop.mint for hop in chain.hops if hop.mint is not None]
    others = reader.told_otherwise(mints) if mints else {}
    for number, hop in enumerate(chain.hops):
        if hop.mint is None or hop.mint.event_id not in others:
            continue
        behind_it = {text for one in chain.hops[number + 1 :] for text in one.caveats}
        hop = contradicted(hop, others[hop.mint.event_id])
        chain.hops[number:] = [hop]
        kept = [text for text in chain.caveats if text not in behind_it]
        chain.caveats[:] = [*kept, *hop.caveats]
        chain.end, chain.stopped = hop.by, "several"
        break
    return chain


def _resolved(session: Session, reader: MintReader) -> Chain:
    chain = Chain(end=session)
    seen_events: set[str] = set()
    current = session
    for _ in range(LONGEST_CHAIN):
        hop = explain(current, reader, chain.said)
        if hop is None:
            chain.end = current
            chain.stopped = "unexplained" if needs_explaining(current) else "origin"
            return chain
        ids = {hop.mint.event_id} if hop.mint is not None else set()
        if ids & seen_events:
            chain.stopped = "cycle"
            chain.caveats.append(
                "The records form a cycle, which a true chain cannot: the chain is cut where the"
                " same event came up again."
            )
            return chain
        seen_events |= ids
        # A session that was only handed on is the same one: nothing is guessed about who made it.
        made = [one.claim for one in chain.hops if one.method not in _HANDED_ON]
        hop = replace(hop, claim=behind(hop.claim, made))
        chain.hops.append(hop)
        chain.caveats.extend(hop.caveats)
        chain.end = hop.by
        if hop.mint is None:
            chain.end, chain.stopped = current, "unexplained"
            return chain
        if len(hop.callers) > 1:
            chain.stopped = "several"
            return chain
        current = hop.by
    chain.stopped = "too_long"
    chain.caveats.append(f"The chain is cut after {LONGEST_CHAIN} hops.")
    return chain
