"""Whether an instance's credential is in use somewhere else than its instance (§3.2)."""

from __future__ import annotations

import re
from datetime import timedelta

from alerts.alert import Alert
from enrich.chain import Chain
from enrich.mints import MintReader
from enrich.session import Session
from enrich.words import listed

# A user agent is the caller's own word: it can accuse here, it never clears.
_ODD_ON_AN_INSTANCE = re.compile(r"\b(Darwin|macOS|kali|parrot|pentoo|Windows/1[01])\b", re.I)


def left_the_instance(
    alert: Alert, session: Session, chain: Chain, reader: MintReader
) -> str | None:
    """A caveat when an instance's credential seems to be used somewhere else than its instance.

    Only said with evidence: sessions of the same instance had used another address before, or
    the client itself names a system that instances rarely run (§3.2).
    """
    hop = chain.hops[0] if chain.hops else None
    if hop is None or hop.by.invoked_by != "ec2.amazonaws.com" or session.seen is None:
        return None
    address = alert.source_ip_address
    if address is None or session.principal_id is None or not _is_address(address):
        return None
    first, last = session.seen - timedelta(days=7), session.seen + timedelta(hours=1)
    rows = reader.find(
        """
        select source_ip_address, count(*) as events, min(event_time) as first
        from events
        where identity_id = $identity_id and principal_id = $principal_id
          and event_time >= $first and event_time <= $last
        group by source_ip_address order by count(*) desc, source_ip_address limit 100
        """,
        {
            "identity_id": session.identity_id,
            "principal_id": session.principal_id,
            "first": first,
            "last": last,
        },
        first=first,
        last=last,
    )
    places = [row for row in rows if _is_address(str(row["source_ip_address"] or ""))]
    elsewhere = [row for row in places if row["source_ip_address"] != address]
    here = min((row["first"] for row in places if row not in elsewhere), default=session.seen)
    before = [row["source_ip_address"] for row in elsewhere if row["first"] < here]
    instance = f"Credentials of EC2 instance {session.session_name} were used from {address}"
    if before:
        return (
            f"{instance}, while the instance's sessions had used {listed(before, at_most=3)}"
            " before: they may have left the instance."
        )
    odd = _ODD_ON_AN_INSTANCE.search(alert.user_agent or session.user_agent or "")
    if odd is not None:
        return (
            f"{instance} by a client that says it runs on {odd[0]}, which instances rarely do:"
            " they may have left the instance."
        )
    return None


def _is_address(text: str) -> bool:
    # Not parsed: published logs hold impossible octets. What is not an address is a service.
    return bool(text) and not text.endswith(".com") and not text.startswith("AWS ")
