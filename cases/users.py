"""Who is who: the people of this database, local or known by a sign-in, and their roles.

Every writing function asks `require` inside its own transaction, so that a role that was taken
away counts at once. Local users are added by a lead; who signs in is added by `cases.sign_in`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cases import audit, tables
from cases.admission import ACTING, refusal
from cases.database import Database
from cases.errors import CaseRefused, NotAllowed, NotFound
from cases.permissions import MAY, ROLES, Permission, Role, may

__all__ = [
    "MAY",
    "ROLES",
    "Permission",
    "Role",
    "User",
    "add_user",
    "change_user",
    "find_user",
    "may_be_given_work",
    "one_name",
    "require",
    "sign_in",
    "user_document",
    "users",
]


@dataclass(frozen=True)
class User:
    """A person. The role of one who signs in is the one of their latest sign-in."""

    name: str
    role: Role
    active: bool
    created_at: datetime
    issuer: str | None = None
    subject: str | None = None
    email: str | None = None

    def may(self, permission: Permission) -> bool:
        return self.active and may(self.role, permission)


def user_document(user: Any) -> dict[str, Any]:
    """What the history says of a user, or of a user's row."""
    told = {"name": user.name, "role": user.role, "active": user.active}
    if user.issuer is None:
        return told
    return told | {"issuer": user.issuer, "subject": user.subject, "email": user.email}


def users(database: Database) -> list[User]:
    """Everyone, by name; those put out of action too."""
    with database.read() as connection:
        rows = connection.execute(select(tables.users).order_by(tables.users.c.name))
        return [User(**row._mapping) for row in rows]


def one_name(name: str) -> str:
    """What names have in common that nobody tells apart: "Lou" and "lou", also with signs in them
    that no screen shows."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", name) if not _is_unseen(one))
    return unicodedata.normalize("NFKC", seen.casefold())


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or _UNSEEN.match(character) is not None


_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""What is drawn as nothing and is no format character: Unicode's Default_Ignorable_Code_Point."""


def find_user(connection: Connection, name: str) -> User | None:
    """The user of that name, active or not."""
    row = connection.execute(select(tables.users).where(tables.users.c.name == name)).one_or_none()
    return None if row is None else User(**row._mapping)


def sign_in(database: Database, name: str) -> User:
    """The active local user of that name: a choice, which proves nothing."""
    with database.read() as connection:
        user = find_user(connection, name)
    if user is None or not user.active or user.issuer is not None:
        raise NotAllowed(f"There is no active user {name!r}. Ask a lead to add you.")
    return user


def require(connection: Connection, actor: str, permission: Permission) -> User:
    """The acting user, if their role permits it.

    On a connection in somebody's hands that is they, in the role they were admitted in.
    """
    user = find_user(connection, actor)
    if user is None or not user.active:
        raise NotAllowed(f"There is no active user {actor!r}. Ask a lead to add you.")
    acting = connection.get_execution_options().get(ACTING)
    role = user.role
    if acting is not None:
        hands, role = acting
        if hands.name != actor:
            raise NotAllowed(f"{hands.name} cannot act in the name of {actor}.")
    if not may(role, permission):
        raise NotAllowed(refusal(actor, role, permission))
    return user


def may_be_given_work(connection: Connection, name: str) -> None:
    """Raises `NotAllowed` when nobody of that name could work on a case."""
    user = find_user(connection, name)
    if user is None or not user.may("work"):
        raise NotAllowed(f"{name} cannot own a case: there is no such active analyst or lead.")


def add_user(database: Database, actor: str, name: str, role: Role) -> User:
    """The new user. Only a lead adds users; the very first one is a lead who adds themselves."""
    if role not in ROLES:
        raise CaseRefused(f"{role!r} is no role: choose {', '.join(ROLES)}.")
    if not name.strip() or name != name.strip() or len(name) > 100:
        raise CaseRefused("A user's name is 1 to 100 characters, without space around it.")
    if any(_is_unseen(one) or not one.isprintable() for one in name):
        raise CaseRefused("A user's name has no characters that nobody sees.")
    with database.write() as connection:
        first = connection.execute(select(tables.users.c.name).limit(1)).one_or_none() is None
        if first and (role != "lead" or actor != name):
            raise NotAllowed("The first user must be a lead, who adds themselves.")
        if not first:
            require(connection, actor, "administer")
        _refuse_beside_sign_in(database)
        if find_user(connection, name) is not None:
            raise CaseRefused(f"There is a user {name!r} already. Change their role instead.")
        for known in connection.execute(select(tables.users.c.name)).scalars():
            if one_name(known) == one_name(name):
                raise CaseRefused(
                    f"There is a user {known!r} already, who differs from {name!r} in case or"
                    " spelling alone. Choose a name that nobody takes for theirs."
                )
        user = User(name, role, True, database.now())
        connection.execute(
            insert(tables.users).values(
                name=name, role=role, active=True, created_at=user.created_at
            )
        )
        audit.append(
            database,
            connection,
            actor,
            "user added",
            after={"user": user_document(user)},
        )
    return user


def change_user(
    database: Database, actor: str, name: str, role: Role | None = None, active: bool | None = None
) -> User:
    """The user with another role, or put in or out of action. A lead always remains."""
    if role is not None and role not in ROLES:
        raise CaseRefused(f"{role!r} is no role: choose {', '.join(ROLES)}.")
    with database.write() as connection:
        require(connection, actor, "administer")
        if role is not None:
            _refuse_beside_sign_in(database)
        user = find_user(connection, name)
        if user is None:
            raise NotFound(f"There is no user {name!r}.")
        if user.issuer is not None and role is not None:
            raise CaseRefused(f"{name} signs in: their role comes from the provider.")
        changed = replace(
            user,
            role=user.role if role is None else role,
            active=user.active if active is None else active,
        )
        connection.execute(
            update(tables.users)
            .where(tables.users.c.name == name)
            .values(role=changed.role, active=changed.active)
        )
        if user.issuer is not None:
            if name == actor:
                raise CaseRefused("Nobody puts themselves out of action. Ask another lead.")
            if not changed.active:
                _end_sign_ins(connection, database.now(), name)
        else:
            lead = select(tables.users.c.name).where(tables.users.c.role == "lead")
            if connection.execute(lead.where(tables.users.c.active).limit(1)).first() is None:
                raise CaseRefused(f"{name} is the last lead. Make someone else a lead first.")
        audit.append(
            database,
            connection,
            actor,
            "user changed",
            before={"user": user_document(user)},
            after={"user": user_document(changed)},
        )
    return changed


def _refuse_beside_sign_in(database: Database) -> None:
    if database.actor is not None and database.actor.sign_in:
        raise CaseRefused(
            "People sign in here: who there is, and in which role, the provider says."
        )


def _end_sign_ins(connection: Connection, now: datetime, person: str) -> None:
    of = tables.sign_ins
    connection.execute(
        update(of).where(of.c.person == person, of.c.ended_at.is_(None)).values(ended_at=now)
    )
