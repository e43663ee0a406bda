"""The registry of sign-ins: who has signed in with which browser, and until when that holds.

A browser holds nothing but a random secret; the registry knows it by its hash. So a copied cookie
ends with the sign-in that it was copied from, on every replica that shares this database, and
after a restart too.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from cases import audit, tables
from cases.actor import Actor
from cases.admission import standing
from cases.database import Database
from cases.errors import CaseRefused, SignedOut
from cases.permissions import Role
from cases.roles import claimed_values, sign_in_settings
from cases.users import User, find_user, user_document

SEEN_EVERY = timedelta(seconds=30)
"""How exactly it is known when somebody was last active."""
KEPT_FOR = timedelta(days=30)
"""How long the registry remembers a sign-in that has ended."""
LONGEST_NAME = 80


@dataclass(frozen=True)
class SignIn:
    """A sign-in that holds. Without a role it opens one page, which says so."""

    id: str
    person: str | None
    role: Role | None
    provider: str
    issuer: str
    subject: str
    name: str
    email: str
    seen_at: datetime
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        """Whoever signed in, as one who acts."""
        return Actor(
            name=self.person or self.name,
            names="proven",
            browser=self.id[:16],
            sign_in=self.id,
            issuer=self.issuer,
            subject=self.subject,
            email=self.email,
        )


def id_of(secret: str) -> str:
    """The registry's name for what a browser holds: no secret, and no way back to it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def begin(database: Database, claims: Mapping[str, Any], provider: str) -> tuple[str, SignIn]:
    """The secret for the browser, and the new sign-in, from a verified ID token's claims.

    Whoever has a role for the first time becomes a person of the database. Raises `CaseRefused`
    for a token without issuer, subject or expiry.
    """
    settings = sign_in_settings()
    issuer, subject = str(claims.get("iss") or ""), str(claims.get("sub") or "")
    now, expires = database.now(), _time(claims.get("exp"))
    if not issuer or not subject or expires is None:
        raise CaseRefused("The provider's token names no issuer, no subject or no expiry.")
    values = claimed_values(claims, settings.claim)
    role = settings.role_of(values)
    email = _shown(claims.get("email"))
    name = _shown(claims.get("name")) or _shown(claims.get("preferred_username")) or email
    secret = secrets.token_urlsafe(32)
    with database.write() as connection:
        person = None
        if role is not None:
            who = User(name or subject[:LONGEST_NAME], role, True, now, issuer, subject, email)
            person = _person(database, connection, who)
        connection.execute(
            insert(tables.sign_ins).values(
                id=id_of(secret),
                person=person,
                provider=provider,
                issuer=issuer,
                subject=subject,
                name=name or subject[:LONGEST_NAME],
                email=email,
                role_values=list(values),
                signed_in_at=now,
                seen_at=now,
                expires_at=min(expires, now + settings.longest),
                ended_at=None,
            )
        )
        connection.execute(
            delete(tables.sign_ins).where(tables.sign_ins.c.expires_at < now - KEPT_FOR)
        )
        return secret, _read(connection, now, id_of(secret))


def find(database: Database, sign_in: str) -> SignIn:
    """The sign-in, if it holds; it counts as active now. Raises `SignedOut` with why not."""
    with database.read() as connection:
        found = _read(connection, database.now(), sign_in)
    if database.now() - found.seen_at > SEEN_EVERY:
        with database.write() as connection:
            connection.execute(
                update(tables.sign_ins)
                .where(tables.sign_ins.c.id == sign_in)
                .values(seen_at=database.now())
            )
    return found


def whose(database: Database, sign_in: str) -> tuple[str, str] | None:
    """The name and the provider of a sign-in, whether it holds or not."""
    of = tables.sign_ins
    with database.read() as connection:
        row = connection.execute(select(of.c.name, of.c.provider).where(of.c.id == sign_in)).first()
    return None if row is None else (row.name, row.provider)


def end(database: Database, sign_in: str) -> None:
    """It holds no more. Ending one again, or one that never was, changes nothing."""
    of = tables.sign_ins
    with database.write() as connection:
        connection.execute(
            update(of)
            .where(of.c.id == sign_in, of.c.ended_at.is_(None))
            .values(ended_at=database.now())
        )


def ended(database: Database, sign_ins: Collection[str]) -> set[str]:
    """Those of them that hold no more."""
    settings, now = sign_in_settings(), database.now()
    gone = set()
    with database.read() as connection:
        for one in sign_ins:
            try:
                standing(connection, now, one, settings)
            except SignedOut:
                gone.add(one)
    return gone


def _read(connection: Connection, now: datetime, sign_in: str) -> SignIn:
    settings = sign_in_settings()
    row = standing(connection, now, sign_in, settings)
    return SignIn(
        id=row.id,
        person=row.person,
        role=settings.role_of(tuple(row.role_values)) if row.active else None,
        provider=row.provider,
        issuer=row.issuer,
        subject=row.subject,
        name=row.name,
        email=row.email,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def _person(database: Database, connection: Connection, who: User) -> str:
    """The name that cases keep for them: the one they were first known by."""
    of = tables.users
    row = connection.execute(
        select(of).where(of.c.issuer == who.issuer, of.c.subject == who.subject)
    ).one_or_none()
    if row is None:
        name = _free_name(connection, who)
        added = User(name, who.role, True, who.created_at, who.issuer, who.subject, who.email)
        connection.execute(insert(of).values(**vars(added)))
        audit.append(
            database,
            connection,
            name,
            "signed in for the first time",
            after={"user": user_document(added)},
            by=_by(who),
        )
        return name
    if (row.role, row.email) != (who.role, who.email):
        now = User(
            row.name, who.role, row.active, row.created_at, who.issuer, who.subject, who.email
        )
        connection.execute(
            update(of).where(of.c.name == row.name).values(role=now.role, email=now.email)
        )
        audit.append(
            database,
            connection,
            row.name,
            "signed in, changed at the provider",
            before={"user": user_document(row)},
            after={"user": user_document(now)},
            by=_by(who),
        )
    name = row.name
    assert isinstance(name, str)
    return name


def _by(who: User) -> dict[str, Any]:
    return Actor(
        who.name,
        "proven",
        issuer=who.issuer or "",
        subject=who.subject or "",
        email=who.email or "",
    ).document()


def _free_name(connection: Connection, who: User) -> str:
    """Their name, with the address or a number where somebody else is known by it already."""
    wanted = [who.name, f"{who.name} ({who.email})" if who.email else who.name]
    wanted += [f"{who.name} ({number})" for number in range(2, 1000)]
    return next(one for one in wanted if find_user(connection, one) is None)


def _shown(claim: Any) -> str:
    """A claim as a name: one line, without control characters, of a length that fits."""
    if not isinstance(claim, str):
        return ""
    words = " ".join("".join(one if one.isprintable() else " " for one in claim).split())
    return words[:LONGEST_NAME].strip()


def _time(claim: Any) -> datetime | None:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError):
        return None
