"""Whether an instance's credential is in use somewhere else than its instance (§3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.alert import Alert
from enrich.chain.back import Chain
from enrich.chain.mints import MintReader
from enrich.chain.session import Session
from enrich.data.assumed_by import LeftInstance
from enrich.words import listed

# A user agent is the caller's own word: it can accuse here, it never clears.
_ODD_ON_AN_INSTANCE = re.compile(r"\b(Darwin|macOS|kali|parrot|pentoo|Windows/1[01])\b", re.I)


def left_the_instance(
    alert: Alert, session: Session, chain: Chain, reader: MintReader
) -> LeftInstance | None:
    """Whether an instance's credential seems to be used somewhere else than its instance.

    Only said with evidence: sessions of the same instance had used another address before, or
    the client itself names a system that instances rarely run (§3.2). The far end of a network
    connection, or who probes a port, used no credential: only a call's address is where it was.
    """
    hop = chain.hops[0] if chain.hops else None
    if hop is None or hop.by.invoked_by != "ec2.amazonaws.com" or session.seen is None:
        return None
    if session.principal_id is None:
        return None
    first, last = session.seen - timedelta(days=7), session.seen + timedelta(hours=1)
    rows = reader.find(
        """
        select source_ip_address, session_created, min(event_time) as first,
          max(event_time) as last, max_by(event_id, event_time) as event_id
        from events
        where identity_id = $identity_id and principal_id = $principal_id
          and event_time >= $first and event_time <= $last
        group by source_ip_address, session_created
        order by count(*) desc, source_ip_address, session_created limit 300
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
    instance = session.session_name or "of unknown name"
    address = alert.source_ip_address if alert.event_name is not None else None
    if address is not None and _is_address(address):
        there = [row for row in places if row["source_ip_address"] == address]
        since = min((row["first"] for row in there), default=session.seen)
        if before := [row for row in places if row not in there and row["first"] < since]:
            return _from_elsewhere(instance, address, there, before)
        odd = _ODD_ON_AN_INSTANCE.search(alert.user_agent or session.user_agent or "")
        if odd is not None:
            return LeftInstance(
                instance=instance,
                source_ip_address=address,
                event_ids=_newest_each(there),
                system=odd[0],
                sentence=f"{_used(instance, address)} by a client that says it runs on {odd[0]},"
                " which instances rarely do: they may have left the instance.",
            )
    return _by_its_own_events(instance, session.created, places)


def _by_its_own_events(
    instance: str, created: datetime | None, places: Sequence[Mapping[str, Any]]
) -> LeftInstance | None:
    """The same where the alert is not about that use: its own instance's address, or none.

    One credential (all keys of one creation date) used from two addresses says it, the later being
    the elsewhere. An instance that was started again has a new address, and a new credential.
    """
    of_it = [row for row in places if row["session_created"] is not None]
    if created is not None:
        of_it = [row for row in of_it if row["session_created"] == created]
    by_credential: dict[datetime, list[Mapping[str, Any]]] = {}
    for row in sorted(of_it, key=lambda row: (row["first"], str(row["source_ip_address"]))):
        by_credential.setdefault(row["session_created"], []).append(row)
    for uses in by_credential.values():
        home, elsewhere = uses[0], uses[1:]
        if elsewhere:
            address = str(elsewhere[0]["source_ip_address"])
            return _from_elsewhere(instance, address, elsewhere[:1], [home])
    return None


def _from_elsewhere(
    instance: str,
    address: str,
    there: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
) -> LeftInstance:
    """The finding, each address and event once, in the rows' order."""
    earlier = tuple(dict.fromkeys(str(row["source_ip_address"]) for row in before))
    return LeftInstance(
        instance=instance,
        source_ip_address=address,
        event_ids=_newest_each(there),
        earlier_addresses=earlier,
        earlier_event_ids=_newest_each(before),
        sentence=f"{_used(instance, address)}, while the instance's sessions had used"
        f" {listed(earlier, at_most=3)} before: they may have left the instance.",
    )


def _used(instance: str, address: str) -> str:
    return f"Credentials of EC2 instance {instance} were used from {address}"


def _newest_each(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of each address the newest event."""
    newest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = newest.setdefault(str(row["source_ip_address"]), row)
        if row["last"] > known["last"]:
            newest[str(row["source_ip_address"])] = row
    return tuple(str(row["event_id"]) for row in newest.values())


def _is_address(text: str) -> bool:
    # Not parsed: published logs hold impossible octets. What is not an address is a service.
    return bool(text) and not text.endswith(".com") and not text.startswith("AWS ")
