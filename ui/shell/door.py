"""What stands between browsers and Streamlit where people sign in: an ASGI middleware.

Streamlit's own cookies carry the signed claims and the ID token, hold for 30 days whatever is done
to the sign-in, and are sent in the clear if there is no TLS. None of them reaches a browser. When
Streamlit has verified a token, what a browser gets is one random secret, known to the registry
(`cases.sign_in`) by its hash; and what Streamlit gets to see of a browser is the registry's id,
in a cookie that is made here for each request.

Nothing here or behind it reads a forwarded header: whether there is TLS is told by the setting of
the redirect address, and who somebody is by the secret alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    decode_signed_value,
)
from streamlit.web.server.starlette.starlette_server_config import (
    SESSION_COOKIE_NAME,
    TOKENS_COOKIE_NAME,
    USER_COOKIE_NAME,
    XSRF_COOKIE_NAME,
)

from cases import sign_in
from cases.database import Database
from cases.errors import CaseRefused, SignedOut
from cases.permissions import Permission, may
from trail.errors import BacktrailError
from ui.kit import look
from ui.shell import log, provider, tabs
from ui.shell.headers import answer
from ui.shell.permissions import PAGES

SECRET, FLOW, RETURN = "backtrail", "backtrail-flow", "backtrail-return"
"""Our cookies: the sign-in's secret, what Streamlit keeps while somebody signs in (its session),
and the page that they came for."""
RETURN_SECONDS = 600
LONGEST_RETURN = 3000
"""Characters of an address that a cookie takes; a longer one is not come back to."""

NO_PROVIDER = (
    "The identity provider cannot be asked, so nobody can sign in just now. Try again in a moment;"
    " if it stays so, whoever runs Backtrail finds the reason in its log, and the provider's"
    " address in secrets.toml (server_metadata_url)."
)

Headers = list[tuple[bytes, bytes]]


class Door:
    """Around the whole app; it does nothing where nobody signs in."""

    def __init__(self, app: ASGIApp, database: Callable[[], Database]) -> None:
        self.app = app
        self.database = database
        self.pictures = frozenset(Path(one).read_bytes() for one in (look.ICON, look.LOGO))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not provider.is_on():
            await self.app(scope, receive, send)
            return
        cookies = _cookies(scope)
        secret = cookies.pop(_name(SECRET), "")
        asked_for = cookies.pop(_name(RETURN), "")
        flow = cookies.pop(_name(FLOW), None)
        for name in [*cookies]:
            # What a browser sends under Streamlit's names was put there by somebody else.
            if name.startswith(USER_COOKIE_NAME) or name == SESSION_COOKIE_NAME:
                del cookies[name]
        if flow is not None:
            cookies[SESSION_COOKIE_NAME] = flow
        known = sign_in.id_of(secret) if secret else ""
        if known:
            cookies[USER_COOKIE_NAME] = _user_cookie({provider.CLAIM: known})
        scope = _with_cookies(scope, cookies)
        if scope["type"] == "websocket":
            # Open to strangers too: it is how they are shown where to sign in.
            await self.app(scope, receive, send)
            return
        path = _path(scope)
        if path == "/auth/logout":
            await self._sign_out(scope, receive, send, known)
        elif path == "/auth/login":
            await self._to_the_provider(scope, receive, send)
        elif path == provider.CALLBACK:
            await self._signed_in(scope, receive, send, known, asked_for)
        elif path.startswith("/_stcore/upload_file"):
            await self._if_they_may("work", scope, receive, send, known)
        elif path.startswith("/media/") and path.endswith(".png"):
            await self._if_it_is_ours(scope, receive, send)
        elif path.startswith("/media/"):
            await self._if_they_may("read_redacted", scope, receive, send, known)
        else:
            remembered = _remembered(scope, path)
            if remembered and known and await self._holds(known):
                remembered = []
            await self.app(scope, receive, _sending(send, remembered))

    async def _sign_out(self, scope: Scope, receive: Receive, send: Send, known: str) -> None:
        """Ends the sign-in first, whatever becomes of the provider's part.

        Streamlit sends the browser to the provider with our client's id alone: without the ID
        token, which has no business in an address and so in access logs.
        """
        if known:
            try:
                found = await asyncio.to_thread(self._end, known)
            except (BacktrailError, SQLAlchemyError):
                await _unavailable(scope, send)
                return
            tabs.end({known})
            name, of = found or ("", provider.DEFAULT)
            log.say("signed out", who=name)
            scope = _with_cookies(
                scope, _cookies(scope) | {USER_COOKIE_NAME: _user_cookie({"provider": of})}
            )
        # A stranger's link to here has no cookie with it, and takes none away.
        gone = [_forget(SECRET), _forget(FLOW)] if known else []
        await self.app(scope, receive, _sending(send, gone))

    def _end(self, known: str) -> tuple[str, str] | None:
        database = self.database()
        sign_in.end(database, known)
        return sign_in.whose(database, known)

    async def _to_the_provider(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the browser there. Streamlit asks the provider where; what went wrong then is in
        the log, and has a sentence here."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, receive, _sending(hold, []))
        if held[0]["status"] >= 400:
            await answer(scope, send, 503, NO_PROVIDER)
            return
        for message in held:
            await send(message)

    async def _signed_in(
        self, scope: Scope, receive: Receive, send: Send, known: str, asked_for: str
    ) -> None:
        """Lets Streamlit verify the token, and keeps for ourselves what it would give out."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        start = held[0]
        claims = _claims(_set_cookies(start["headers"]))
        added: list[bytes] = []
        if claims is None and not (known and await self._holds(known)):
            # Streamlit sends them to the first page, whatever went wrong.
            refused = ("error", "access_denied") in parse_qsl(
                scope["query_string"].decode("latin-1")
            )
            log.say("not signed in", logging.WARNING, reason="denied" if refused else "failed")
            _say_at(start["headers"], provider.DENIED if refused else provider.FAILED)
        if claims is not None:
            try:
                secret = await asyncio.to_thread(self._begin, claims, known)
            except CaseRefused as error:
                await answer(scope, send, 403, str(error))
                return
            except (BacktrailError, SQLAlchemyError):
                await _unavailable(scope, send)
                return
            tabs.end({known})
            added = [_set(SECRET, secret, same_site="Strict"), _forget(FLOW), _forget(RETURN)]
            _go_to(start["headers"], asked_for)
        send = _sending(send, added)
        for message in held:
            await send(message)

    def _begin(self, claims: dict[str, Any], known: str) -> str:
        database = self.database()
        if known:  # the browser had another one: a sign-in has one browser, and a browser one
            sign_in.end(database, known)
        secret, found = sign_in.begin(database, claims, str(claims.get("provider") or ""))
        log.say("signed in", who=found.name, role=found.role)
        return secret

    async def _holds(self, known: str) -> bool:
        """Whether the sign-in still does, and needs no way back. While nobody can tell, it does."""
        try:
            return await asyncio.to_thread(_find, self.database, known) is not None
        except (BacktrailError, SQLAlchemyError):
            return True

    async def _if_they_may(
        self, need: Permission, scope: Scope, receive: Receive, send: Send, known: str
    ) -> None:
        """Files that a page made, and those that it is given. No cache keeps them for others."""
        try:
            found = await asyncio.to_thread(_find, self.database, known)
        except (BacktrailError, SQLAlchemyError):
            await _unavailable(scope, send)
            return
        if found is None or not may(found.role, need):
            await answer(scope, send, 403, "Sign in first.")
            return
        await self.app(scope, receive, _sending(send, [], keep=False))

    async def _if_it_is_ours(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The logo and the icon, which the sign-in page has too: what pages make of data, browsers
        draw. Streamlit finds a file by its address without the ending, so that any other can be
        asked for as a picture: what is no picture of ours stays here, whoever asks.
        """
        longest = max(map(len, self.pictures))
        held: list[Message] = []
        body = b""

        async def hold(message: Message) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                held.append(message)
            elif len(body) <= longest:
                body += message.get("body", b"")

        whole = [one for one in scope["headers"] if one[0] not in (b"accept-encoding", b"range")]
        await self.app({**scope, "headers": whole}, receive, _sending(hold, []))
        if body not in self.pictures:
            await answer(scope, send, 403, "Sign in first.")
            return
        await send(held[0])
        await send({"type": "http.response.body", "body": body})


def _find(database: Callable[[], Database], known: str) -> sign_in.SignIn | None:
    try:
        return sign_in.find(database(), known)
    except SignedOut:
        return None


# Cookies


def _name(name: str) -> str:
    """Behind TLS with the prefix that ties a cookie to this very host and to TLS."""
    return f"__Host-{name}" if provider.by_tls() else name


def _cookies(scope: Scope) -> dict[str, str]:
    """The request's cookies. Of two with one name the first counts, as Starlette has it."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, content = part.strip().partition("=")
                found.setdefault(key, content)
    return found


def _with_cookies(scope: Scope, cookies: dict[str, str]) -> Scope:
    headers: Headers = [one for one in scope["headers"] if one[0] != b"cookie"]
    if cookies:
        line = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers.append((b"cookie", line.encode("latin-1")))
    changed: MutableMapping[str, Any] = {**scope, "headers": headers}
    return changed


def _user_cookie(claims: dict[str, str]) -> str:
    """Streamlit's cookie of a signed-in user, with nothing in it but these claims."""
    told = claims | {"origin": provider.address(), "is_logged_in": True}  # type: ignore[dict-item]
    signed = create_signed_value(get_cookie_secret(), USER_COOKIE_NAME, json.dumps(told))
    return signed.decode("ascii")


def _set(name: str, value: str, *, same_site: str, seconds: int | None = None) -> bytes:
    secure = "; Secure" if provider.by_tls() else ""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{_name(name)}={value}; Path=/; HttpOnly; SameSite={same_site}{age}{secure}".encode(
        "latin-1"
    )


def _forget(name: str) -> bytes:
    return _set(name, "", same_site="Lax", seconds=0)


def _set_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]


def _claims(lines: list[str]) -> dict[str, Any] | None:
    """The claims that Streamlit has verified and was about to hand to the browser."""
    jar: SimpleCookie = SimpleCookie()
    for line in lines:
        with suppress(CookieError):
            jar.load(line)

    def one(name: str) -> bytes | None:
        if name not in jar or not jar[name].value:
            return None
        return decode_signed_value(get_cookie_secret(), name, jar[name].value)

    found = get_cookie_with_chunks(one, USER_COOKIE_NAME)
    claims = None if found is None else json.loads(found)
    return claims if isinstance(claims, dict) and claims.get("is_logged_in") is True else None


def _sending(send: Send, added: Iterable[bytes], *, keep: bool = True) -> Send:
    """Rewrites what Streamlit sets: its names that carry somebody's identity never go out.

    With `keep` false, or with a cookie of ours, no cache keeps the response.
    """
    more = list(added)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Headers = []
            kept = keep and not more
            for name, value in message.get("headers", ()):
                if name.lower() != b"set-cookie":
                    if kept or name.lower() != b"cache-control":
                        headers.append((name, value))
                    continue
                line = _rewritten(value.decode("latin-1"))
                if line is not None:
                    headers.append((name, line.encode("latin-1")))
            headers += [(b"set-cookie", line) for line in more]
            if not kept:
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return sending


def _rewritten(line: str) -> str | None:
    """The Set-Cookie line as it goes out; None when it does not."""
    cookie, *attributes = [part.strip() for part in line.split(";")]
    name, _, value = cookie.partition("=")
    if name.startswith(USER_COOKIE_NAME) or name.startswith(TOKENS_COOKIE_NAME):
        return None
    kept = [one for one in attributes if not one.lower().startswith(("secure", "path=", "domain="))]
    secure = ["Secure"] if provider.by_tls() else []
    if name == SESSION_COOKIE_NAME:
        name = _name(FLOW)
    if name == XSRF_COOKIE_NAME:  # a script of the page reads it, under this very name
        kept = [one for one in kept if not one.lower().startswith("samesite=")]
        kept.append("SameSite=Strict")
    return "; ".join([f"{name}={value}", *kept, "Path=/", *secure])


# Addresses


def _path(scope: Scope) -> str:
    path = str(scope["path"])
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return path.removeprefix(f"/{base}") if base else path


def _remembered(scope: Scope, path: str) -> list[bytes]:
    """A cookie with the page that a stranger asked for, to bring them back to it."""
    page = path.strip("/")
    if scope["method"] != "GET" or page not in ("", *PAGES):
        return []
    query = scope["query_string"].decode("latin-1")
    if provider.OUTCOME in dict(parse_qsl(query)):  # they came for another page before that
        return []
    if (not page and not query) or len(query) > LONGEST_RETURN:
        return []
    value = create_signed_value(get_cookie_secret(), RETURN, f"{page}?{query}").decode("ascii")
    return [_set(RETURN, value, same_site="Lax", seconds=RETURN_SECONDS)]


def _go_to(headers: Headers, asked_for: str) -> None:
    """Has the redirect after a sign-in lead to a page of ours that was asked for before it."""
    found = decode_signed_value(
        get_cookie_secret(), RETURN, asked_for, max_age_days=RETURN_SECONDS / 86400
    )
    if found is None:
        return
    page, _, query = found.decode("utf-8", "replace").partition("?")
    if page not in ("", *PAGES):
        return
    for position, (name, value) in enumerate(headers):
        if name.lower() == b"location":
            base = urlsplit(value.decode("latin-1")).path.rstrip("/")
            again = urlencode(parse_qsl(query, keep_blank_values=True))
            where = f"{base}/{page}" + (f"?{again}" if again else "")
            headers[position] = (name, where.encode("latin-1", "replace"))


def _say_at(headers: Headers, outcome: str) -> None:
    """Has the redirect to the first page say there how signing in ended."""
    for position, (name, value) in enumerate(headers):
        if name.lower() == b"location":
            told = urlencode({provider.OUTCOME: outcome}).encode("ascii")
            headers[position] = (name, value.partition(b"?")[0] + b"?" + told)


async def _unavailable(scope: Scope, send: Send) -> None:
    words = "The registry of sign-ins cannot be reached. Try again in a moment."
    await answer(scope, send, 503, words)
