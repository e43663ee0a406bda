"""Who is who: named local users, and what each role may do.

Every writing function asks `require` inside its own transaction, so that a role that was taken
away counts at once. How a user is signed in is not decided here: the pages hand over a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Connection, insert, select, update

from cases import audit, tables
from cases.database import Database
from cases.errors import CaseRefused, NotAllowed, NotFound

Role = Literal["viewer", "analyst", "lead"]
ROLES: tuple[Role, ...] = get_args(Role)

Permission = Literal["work", "review", "delete", "administer"]
"""`work` on cases and the inbox; `review` and reopen sealed cases; `delete` an alert that no case
holds; `administer` users. Nobody may delete a case or anything in it."""

MAY: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset(),
    "analyst": frozenset({"work"}),
    "lead": frozenset({"work", "review", "delete", "administer"}),
}


@dataclass(frozen=True)
class User:
    """A named local user."""

    name: str
    role: Role
    active: bool
    created_at: datetime

    def may(self, permission: Permission) -> bool:
        return self.active and permission in MAY[self.role]


def users(database: Database) -> list[User]:
    """Everyone, by name; those put out of action too."""
    with database.read() as connection:
        rows = connection.execute(select(tables.users).order_by(tables.users.c.name))
        return [User(**row._mapping) for row in rows]


def find_user(connection: Connection, name: str) -> User | None:
    """The user of that name, active or not."""
    row = connection.execute(select(tables.users).where(tables.users.c.name == name)).one_or_none()
    return None if row is None else User(**row._mapping)


def sign_in(database: Database, name: str) -> User:
    """The active user of that name. The one door that OIDC sign-in will come through."""
    with database.read() as connection:
        user = find_user(connection, name)
    if user is None or not user.active:
        raise NotAllowed(f"There is no active user {name!r}. Ask a lead to add you.")
    return user


def require(connection: Connection, actor: str, permission: Permission) -> User:
    """The acting user, if their role permits it."""
    user = find_user(connection, actor)
    if user is None or not user.active:
        raise NotAllowed(f"There is no active user {actor!r}. Ask a lead to add you.")
    if not user.may(permission):
        raise NotAllowed(
            f"{actor} has the role {user.role}, which does not permit this ({permission})."
            " Ask a lead."
        )
    return user


def add_user(database: Database, actor: str, name: str, role: Role) -> User:
    """The new user. Only a lead adds users; the very first one is a lead who adds themselves."""
    if role not in ROLES:
        raise CaseRefused(f"{role!r} is no role: choose {', '.join(ROLES)}.")
    if not name.strip() or name != name.strip() or len(name) > 100:
        raise CaseRefused("A user's name is 1 to 100 characters, without space around it.")
    with database.write() as connection:
        first = connection.execute(select(tables.users.c.name).limit(1)).one_or_none() is None
        if first and (role != "lead" or actor != name):
            raise NotAllowed("The first user must be a lead, who adds themselves.")
        if not first:
            require(connection, actor, "administer")
        if find_user(connection, name) is not None:
            raise CaseRefused(f"There is a user {name!r} already. Change their role instead.")
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
            after={"user": {"name": name, "role": role, "active": True}},
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
        user = find_user(connection, name)
        if user is None:
            raise NotFound(f"There is no user {name!r}.")
        changed = User(
            name,
            user.role if role is None else role,
            user.active if active is None else active,
            user.created_at,
        )
        connection.execute(
            update(tables.users)
            .where(tables.users.c.name == name)
            .values(role=changed.role, active=changed.active)
        )
        lead = select(tables.users.c.name).where(tables.users.c.role == "lead")
        if connection.execute(lead.where(tables.users.c.active).limit(1)).one_or_none() is None:
            raise CaseRefused(f"{name} is the last lead. Make someone else a lead first.")
        audit.append(
            database,
            connection,
            actor,
            "user changed",
            before={"user": {"name": name, "role": user.role, "active": user.active}},
            after={"user": {"name": name, "role": changed.role, "active": changed.active}},
        )
    return changed
