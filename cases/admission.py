"""Whether whoever acts may do this, asked in the very transaction that reads or changes something.

A sign-in that was ended, and a role that was taken away, count at once: also for a page that is
open, a button drawn before, and a file that is made when it is clicked.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from cases import tables
from cases.actor import Actor
from cases.errors import NotAllowed, SignedOut
from cases.permissions import Permission, Role, may
from cases.roles import SignInSettings, sign_in_settings

ACTING = "acting"
"""Option of a connection: its actor and their role, `(Actor, Role)`; not there for nobody."""


_STANDING = (
    select(tables.sign_ins, tables.users.c.active)
    .outerjoin(tables.users, tables.users.c.name == tables.sign_ins.c.person)
    .where(tables.sign_ins.c.id == bindparam("sign_in"))
)
"""One look-up, as it is asked at the beginning of every transaction."""


def admit(
    connection: Connection, now: datetime, actor: Actor, permission: Permission
) -> Role | None:
    """The actor's role, which permits it. Raises `SignedOut` or `NotAllowed`."""
    role = _role(connection, now, actor)
    if not may(role, permission):
        raise NotAllowed(refusal(actor.name, role, permission))
    return role


def refusal(name: str, role: Role | None, permission: Permission) -> str:
    """Why somebody may not."""
    if role is None:
        return f"{name} has no role here. Ask whoever runs Backtrail for one."
    article = "an" if role == "analyst" else "a"
    return f"{name} is {article} {role}, which does not permit this ({permission}). Ask a lead."


def standing(
    connection: Connection, now: datetime, sign_in: str, settings: SignInSettings
) -> Row[Any]:
    """The registry's row of a sign-in that holds, and whether its person is `active`.

    Raises `SignedOut` with why it does not hold.
    """
    row = connection.execute(_STANDING, {"sign_in": sign_in}).one_or_none()
    why = None
    if row is None:
        why = "You are not signed in."
    elif row.ended_at is not None:
        why = "You have signed out, here or in another tab."
    elif now >= row.expires_at:
        why = "Your sign-in has run out."
    elif now - row.seen_at > settings.idle:
        why = f"Nothing was done here for {_words(settings.idle)}, so your sign-in has ended."
    if row is None or why is not None:
        raise SignedOut(f"{why} Sign in again.")
    return row


def _words(time: timedelta) -> str:
    minutes = time.total_seconds() / 60
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"


def _role(connection: Connection, now: datetime, actor: Actor) -> Role | None:
    if actor.sign_in:
        settings = sign_in_settings()
        row = standing(connection, now, actor.sign_in, settings)
        if row.person != actor.name:
            raise NotAllowed(f"This sign-in is not {actor.name}'s.")
        if not row.active:
            raise NotAllowed(f"{actor.name} was put out of action. Ask a lead.")
        return settings.role_of(tuple(row.role_values))
    users = tables.users
    user = connection.execute(select(users).where(users.c.name == actor.name)).one_or_none()
    if user is None and not connection.execute(select(users.c.name).limit(1)).first():
        return "lead"  # alone on this machine, and about to be its database's first user
    if user is None or not user.active or user.issuer is not None:
        raise NotAllowed(f"There is no active user {actor.name!r}. Ask a lead to add you.")
    role: Role = user.role
    return role
