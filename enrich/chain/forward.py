"""What a session went on to assume: the tree of credentials that came out of it, with activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from enrich.calls.calls_sql import COUNTED, each_once
from enrich.chain.claims import is_narrowing
from enrich.chain.mints import (
    Mint,
    MintReader,
    key_owner,
    merge_copies,
)
from enrich.chain.session import Session
from enrich.data.assumed_by import ForwardSession, ForwardTree
from enrich.facts.role_name import role_arn_of, role_named
from enrich.sql_text import bound_list, bound_values
from enrich.window import iso

TREE_SESSIONS = 60
"""Sessions shown. The rest is said to be cut."""

TREE_DEPTH = 20

STRANGE_KEYS = 500
"""At most so many keys of the same principal and date are looked up for a making of their own."""

_SESSION = "access_key_id, principal_id, session_created, source_ip_address"


@dataclass
class Branch:
    """One session of the tree, made by `mint` out of the session `parent`."""

    number: int
    parent: int | None
    depth: int
    key: str | None
    principal_id: str | None
    created: datetime | None
    identity_id: str | None
    role_arn: str | None
    session_name: str | None
    mint: Mint | None
    events: int = 0
    failed: int = 0
    first: datetime | None = None
    last: datetime | None = None
    source_ip_addresses: set[str] = field(default_factory=set)

    @property
    def is_narrowing(self) -> bool:
        """Whether it is its parent's session again, narrowed (`GetScopedCredentials`)."""
        return self.mint is not None and is_narrowing(self.mint)


def find_forward(session: Session, reader: MintReader) -> ForwardTree:
    """The tree from one session.

    A session is told apart by its key; a console session, whose keys change, by principal and
    creation date. From an IAM user's long-term key the tree starts seven days before the alert.
    """
    end = session.seen_until or session.seen
    if end is None or not (session.identity_id or session.access_key_id):
        return ForwardTree(limit=TREE_SESSIONS)
    start = session.created
    if start is None:
        start = (session.seen or end) - (
            timedelta(hours=12) if session.is_role else timedelta(days=7)
        )
    first, last = start - timedelta(seconds=2), end + timedelta(hours=24)
    key = session.access_key_id
    root = Branch(
        0,
        None,
        0,
        # A long-term key that stands on a role is none of its sessions'.
        None if session.is_role and (key or "").startswith("AKIA") else key,
        session.principal_id,
        session.created,
        session.identity_id,
        session.role_arn,
        session.session_name,
        None,
    )
    branches, cut = _grow(root, first, last, reader)
    unchecked = _count(branches, first, last, reader)
    made: dict[int | None, list[Branch]] = {}
    for branch in branches:
        made.setdefault(branch.parent, []).append(branch)
    return ForwardTree(
        window_first=iso(first),
        window_last=iso(last),
        total=len(branches) - 1,
        renewals=sum(_renews(branch, branches) for branch in branches),
        cut=cut,
        unchecked_keys=unchecked,
        limit=TREE_SESSIONS,
        **structs.asdict(_shown(root, made)),
    )


def _renews(branch: Branch, branches: Sequence[Branch]) -> bool:
    """Whether the session is of a role that it came from: access that renews itself."""
    if branch.is_narrowing:  # the same session, not the role assumed anew
        return False
    role = role_named(branch.role_arn)
    above = branch.parent
    while role is not None and above is not None:
        if role_named(branches[above].role_arn) == role:
            return True
        above = branches[above].parent
    return False


def _grow(
    root: Branch, first: datetime, last: datetime, reader: MintReader
) -> tuple[list[Branch], bool]:
    branches = [root]
    keys = {root.key} - {None}
    events: set[str] = set()
    frontier = [root]
    for _ in range(TREE_DEPTH):
        rows = _minted_by(frontier, first, last, reader)
        children: list[Branch] = []
        # A narrowed session has its parent's principal: its key, known first, tells them apart.
        for mint in sorted(merge_copies(rows), key=lambda mint: not is_narrowing(mint)):
            parent = _parent(mint, [*frontier, *children])
            if parent is None or mint.event_id in events or mint.key in keys:
                continue
            if len(branches) + len(children) > TREE_SESSIONS:
                return branches + children, True
            events.add(mint.event_id)
            if mint.key is not None:
                keys.add(mint.key)
            number = len(branches) + len(children)
            children.append(_branch(mint, parent, number, parent.depth + 1))
        branches += children
        frontier = children
        if len(rows) > TREE_SESSIONS * 4:
            return branches, True
        if not frontier:
            return branches, False
    return branches, True


def _minted_by(
    frontier: Sequence[Branch], first: datetime, last: datetime, reader: MintReader
) -> list[dict[str, Any]]:
    """The successful mints signed by any of these sessions, earliest first."""
    ids = sorted({branch.identity_id for branch in frontier if branch.identity_id})
    keys = sorted({branch.key for branch in frontier if branch.key})
    signed, parameters = _signed_by(frontier, keys)
    where = f"identity_id in {bound_list('identity', ids)} and {signed}"
    if any(branch.identity_id is None for branch in frontier):
        # A new access key's user is known by name alone until the key is used.
        where = signed
        ids = []
    return reader.minted_by(
        f"{where} and event_time >= $first and event_time <= $last",
        {**bound_values("identity", ids), **parameters, "first": first, "last": last},
        TREE_SESSIONS * 4 + 1,
    )


def _signed_by(branches: Sequence[Branch], keys: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The condition that an event was made with one of these sessions, and its values."""
    conditions = []
    parameters: dict[str, Any] = {}
    if keys:
        conditions.append(f"access_key_id in {bound_list('key', keys)}")
        parameters |= bound_values("key", keys)
    for number, branch in enumerate(branches):
        if branch.principal_id is None or (branch.created is None and branch.key is not None):
            continue
        condition = f"principal_id = $principal_{number}"
        parameters[f"principal_{number}"] = branch.principal_id
        if branch.created is not None:
            condition += f" and session_created = $created_{number}"
            parameters[f"created_{number}"] = branch.created
        conditions.append(f"({condition})")
    return f"({' or '.join(conditions) or 'false'})", parameters


def _parent(row: Mint, frontier: Sequence[Branch]) -> Branch | None:
    return _session_of(
        row.row["access_key_id"],
        row.row["principal_id"],
        row.row["session_created"],
        frontier,
    )


def _session_of(
    key: str | None,
    principal_id: str | None,
    created: datetime | None,
    branches: Sequence[Branch],
) -> Branch | None:
    """Which session a call was made with: by key, else the only one of its principal and date."""
    for branch in branches:
        if key and branch.key == key:
            return branch
    alike = [
        branch
        for branch in branches
        if branch.principal_id is not None
        and branch.principal_id == principal_id
        and (branch.created == created if branch.created is not None else branch.key is None)
    ]
    return alike[0] if len(alike) == 1 else None


def _branch(mint: Mint, parent: Branch, number: int, depth: int) -> Branch:
    row = mint.row
    principal = row["minted_principal_id"]
    created: datetime | None = mint.time
    identity_id = principal
    if principal is not None and str(principal).startswith("AROA"):
        identity_id = str(principal).partition(":")[0]
    if mint.event_name == "GetSessionToken":
        principal = identity_id = row["principal_id"]
        if row["identity_type"] == "Root":
            identity_id = row["account_id"]
    role_arn, session_name = role_arn_of(mint.role_arn), mint.session_name
    if mint.event_name == "CreateAccessKey":
        created = None
    if is_narrowing(mint):
        # Told apart by its key alone: it may show its parent's creation date, or its own.
        principal, identity_id = row["principal_id"], parent.identity_id
        role_arn, session_name = parent.role_arn, parent.session_name
        created = None
    return Branch(
        number,
        parent.number,
        depth,
        mint.key,
        principal,
        created,
        identity_id,
        role_arn,
        session_name,
        mint,
    )


def _count(branches: Sequence[Branch], first: datetime, last: datetime, reader: MintReader) -> int:
    """Fills in the branches' calls; how many strange keys were too many to look at."""
    ids = sorted({branch.identity_id for branch in branches if branch.identity_id})
    keys = sorted({branch.key for branch in branches if branch.key})
    signed, parameters = _signed_by(branches, keys)
    where = f"identity_id in {bound_list('identity', ids)} and {signed}"
    if any(branch.identity_id is None for branch in branches):
        where, ids = signed, []
    rows = reader.find(
        f"""
        select {_SESSION},
          {each_once("calls")} as events, {each_once("failed")} as failed,
          min(first) as first, max(last) as last
        from (
          select {_SESSION}, call_id, count(*) as calls,
            count(*) filter (where failed) as failed,
            min(event_time) as first, max(event_time) as last
          from events
          where {where} and event_time >= $first and event_time <= $last and {COUNTED}
          group by {_SESSION}, call_id
        ) as grouped
        group by {_SESSION}
        order by sum(calls) desc limit 5000
        """,
        {**bound_values("identity", ids), **parameters, "first": first, "last": last},
        first=first,
        last=last,
    )
    # Sessions of one name made in one second share principal and date. A key that a record shows
    # being made is a session of its own; others are the console's, or a service's on its behalf.
    strange = sorted({row["access_key_id"] for row in rows} - {None, *keys})
    others = reader.minted_keys(strange[:STRANGE_KEYS])
    for row in rows:
        branch = _session_of(
            row["access_key_id"], row["principal_id"], row["session_created"], branches
        )
        if branch is None or row["access_key_id"] in others:
            continue
        branch.events += int(row["events"])
        branch.failed += int(row["failed"])
        branch.first = min(filter(None, (branch.first, row["first"])))
        branch.last = max(filter(None, (branch.last, row["last"])))
        if row["source_ip_address"]:
            branch.source_ip_addresses.add(row["source_ip_address"])
    return len(strange[STRANGE_KEYS:])


def _shown(branch: Branch, made: Mapping[int | None, Sequence[Branch]]) -> ForwardSession:
    """A branch with those that it `made`, by its number."""
    mint = branch.mint
    return ForwardSession(
        id=branch.number,
        parent=branch.parent,
        depth=branch.depth,
        access_key_id=branch.key,
        principal_id=branch.principal_id,
        role_arn=branch.role_arn,
        session_name=branch.session_name,
        user_name=key_owner(mint) if mint else None,
        created=iso(branch.created),
        event_id=mint.event_id if mint else None,
        event_time=iso(mint.time) if mint else None,
        event_name=mint.event_name if mint else None,
        narrowed=branch.is_narrowing,
        interface=mint.interface if mint else None,
        source_ip_address=mint.row["source_ip_address"] if mint else None,
        events=branch.events,
        failed=branch.failed,
        first=iso(branch.first),
        last=iso(branch.last),
        source_ip_addresses=tuple(sorted(branch.source_ip_addresses)[:50]),
        sessions=tuple(_shown(one, made) for one in made.get(branch.number, ())),
    )
