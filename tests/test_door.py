"""The door, request by request: what it takes from them, what it lets out, and its settings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit import config
from streamlit.runtime.secrets import AttrDict
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    decode_signed_value,
)

from cases import sign_in
from cases.database import Database
from cases.errors import SettingRefused
from tests.a_page import words
from tests.a_sign_in import ROLES, claims
from ui.kit import look
from ui.shell import door, provider
from ui.shell.door import Door

pytest_plugins = ("tests.case_databases",)
KEY = "k" * 64
SECTION: dict[str, Any] = {
    "redirect_uri": "https://backtrail.example/oauth2callback",
    "cookie_secret": KEY,
    "client_id": "backtrail",
    "client_secret": "s",
    "server_metadata_url": "https://login.example.com/.well-known/openid-configuration",
}
Answer = tuple[int, list[tuple[str, str]], dict[str, str]]
"""Status, headers out, and the cookies that Streamlit saw."""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    section = dict(SECTION)
    monkeypatch.setenv("BACKTRAIL_ROLES", ROLES)
    monkeypatch.setattr(provider, "_kept", {})
    monkeypatch.setattr(provider, "get_secrets_auth_section", lambda: AttrDict(section))
    monkeypatch.setattr(door, "get_cookie_secret", lambda: KEY)
    yield section
    provider._kept = {}


def ask(
    database: Database,
    path: str,
    cookie: str = "",
    *sets: str,
    location: str = "/",
    body: bytes = b"",
    **scope: Any,
) -> Answer:
    """One request through the door, to an app that sets these cookies."""
    seen: dict[str, str] = {}
    sent: list[dict[str, Any]] = []

    async def app(given: Any, receive: Any, send: Any) -> None:
        seen.update(door._cookies(given))
        headers = [(b"location", location.encode()), (b"cache-control", b"public")]
        headers += [(b"set-cookie", one.encode()) for one in sets]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body[:100], "more_body": True})
        await send({"type": "http.response.body", "body": body[100:]})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    path, _, query = path.partition("?")
    asked = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(),
        "headers": [(b"cookie", cookie.encode())] if cookie else [], **scope,
    }  # fmt: skip
    asyncio.run(Door(app, lambda: database)(asked, receive, send))  # type: ignore[arg-type]
    headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return sent[0]["status"], headers, seen


def cookies_out(answer: Answer) -> dict[str, str]:
    lines = [value for name, value in answer[1] if name == "set-cookie"]
    return {line.partition("=")[0]: line for line in lines}


def streamlit_sets(told: dict[str, Any]) -> str:
    value = create_signed_value(KEY, "_streamlit_user", json.dumps(told)).decode()
    return f"_streamlit_user={value}; Path=/; HttpOnly; SameSite=lax; Max-Age=2592000"


def verified(database: Database, role: str = "analyst") -> dict[str, Any]:
    exp = (database.now() + timedelta(hours=1)).timestamp()
    return claims(database, "Ann", role, exp=exp) | {"is_logged_in": True, "provider": "default"}


def test_streamlit_s_cookies_stay_inside_and_a_secret_goes_out(sqlite_database: Database) -> None:
    tokens = "_streamlit_user_tokens=x; Path=/; HttpOnly"
    answer = ask(
        sqlite_database,
        "/oauth2callback?code=1",
        "",
        streamlit_sets(verified(sqlite_database)),
        tokens,
    )
    out = cookies_out(answer)
    assert set(out) == {"__Host-backtrail", "__Host-backtrail-flow", "__Host-backtrail-return"}
    assert "; Secure" in out["__Host-backtrail"]
    assert "SameSite=Strict" in out["__Host-backtrail"]
    assert "HttpOnly" in out["__Host-backtrail"]
    assert ("cache-control", "no-store") in answer[1]
    secret = out["__Host-backtrail"].split(";")[0].partition("=")[2]
    found = sign_in.find(sqlite_database, sign_in.id_of(secret))
    assert (found.person, found.role) == ("Ann", "analyst")
    # What Streamlit sees of the next request is the registry's id, and not the secret.
    _, _, seen = ask(sqlite_database, "/cases", f"__Host-backtrail={secret}; other=1")
    assert set(seen) == {"_streamlit_user", "other"}
    told = json.loads(decode_signed_value(KEY, "_streamlit_user", seen["_streamlit_user"]) or b"")
    assert told == {
        "backtrail_sign_in": found.id, "origin": "https://backtrail.example", "is_logged_in": True
    }  # fmt: skip


def test_a_second_sign_in_of_a_browser_ends_its_first(sqlite_database: Database) -> None:
    secret, first = sign_in.begin(sqlite_database, verified(sqlite_database), "default")
    cookie = f"__Host-backtrail={secret}"
    sets = streamlit_sets(verified(sqlite_database))
    assert "__Host-backtrail" in cookies_out(ask(sqlite_database, "/oauth2callback", cookie, sets))
    assert sign_in.ended(sqlite_database, [first.id]) == {first.id}


@pytest.mark.parametrize("told", [{"exp": None}, {"sub": ""}])
def test_a_token_that_says_too_little_is_refused_in_words(
    sqlite_database: Database, told: dict[str, Any]
) -> None:
    sets = streamlit_sets(verified(sqlite_database) | told)
    status, headers, _ = ask(sqlite_database, "/oauth2callback", "", sets)
    assert status == 403
    assert not [name for name, _ in headers if name == "set-cookie"]


def test_a_made_up_cookie_of_streamlit_s_is_not_seen(sqlite_database: Database) -> None:
    made = streamlit_sets({"backtrail_sign_in": "0" * 64, "is_logged_in": True}).split(";")[0]
    cookie = f"{made}; _streamlit_user_1=x; _streamlit_user_tokens=y; _streamlit_session=z"
    assert ask(sqlite_database, "/cases", cookie)[2] == {}


def test_what_streamlit_sets_goes_out_for_tls_alone(
    sqlite_database: Database, secrets: dict[str, Any]
) -> None:
    sets = ("_streamlit_session=a; path=/; Max-Age=9; httponly; samesite=lax",
            "_streamlit_xsrf=b; Path=/base; SameSite=None")  # fmt: skip
    out = cookies_out(ask(sqlite_database, "/auth/login", "", *sets))
    assert out == {
        "__Host-backtrail-flow": "__Host-backtrail-flow=a; Max-Age=9; httponly; samesite=lax;"
        " Path=/; Secure",
        "_streamlit_xsrf": "_streamlit_xsrf=b; SameSite=Strict; Path=/; Secure",
    }
    assert ask(sqlite_database, "/x", "__Host-backtrail-flow=a")[2] == {"_streamlit_session": "a"}
    provider._kept = {}
    secrets["redirect_uri"] = "http://localhost:8501/oauth2callback"  # a try on one machine
    out = cookies_out(ask(sqlite_database, "/auth/login", "", *sets))
    assert set(out) == {"backtrail-flow", "_streamlit_xsrf"}
    assert not any("Secure" in one for one in out.values())


def test_signing_out_ends_the_sign_in_and_a_stranger_s_link_does_not(
    sqlite_database: Database,
) -> None:
    secret, begun = sign_in.begin(sqlite_database, verified(sqlite_database), "okta")
    assert cookies_out(ask(sqlite_database, "/auth/logout")) == {}  # its cookie is not sent along
    assert sign_in.ended(sqlite_database, [begun.id]) == set()
    answer = ask(sqlite_database, "/auth/logout", f"__Host-backtrail={secret}")
    assert sign_in.ended(sqlite_database, [begun.id]) == {begun.id}
    assert "Max-Age=0" in cookies_out(answer)["__Host-backtrail"]
    again = ask(sqlite_database, "/auth/logout", f"__Host-backtrail={secret}")  # by a page, before
    for _, _, seen in (answer, again):
        assert set(seen) == {"_streamlit_user"}  # and no token, which would go into an address
        told = json.loads(
            decode_signed_value(KEY, "_streamlit_user", seen["_streamlit_user"]) or ""
        )
        assert told["provider"] == "okta"


@pytest.mark.parametrize(
    ("path", "may_pass"),
    [
        ("/media/1.json", {"lead", "analyst", "viewer"}),
        ("/_stcore/upload_file/a/b", {"lead", "analyst"}),
        ("/_stcore/upload_file/a/b.png", {"lead", "analyst"}),
    ],
)
def test_files_are_for_those_who_may(
    sqlite_database: Database, path: str, may_pass: set[str]
) -> None:
    for role in ("lead", "analyst", "viewer", "nobody"):
        secret, begun = sign_in.begin(sqlite_database, verified(sqlite_database, role), "default")
        cookie = f"__Host-backtrail={secret}"
        status, headers, _ = ask(sqlite_database, path, cookie)
        assert (status == 200) is (role in may_pass)
        assert [value for name, value in headers if name == "cache-control"] == ["no-store"]
        sign_in.end(sqlite_database, begun.id)
        assert ask(sqlite_database, path, cookie)[0] == 403
    assert ask(sqlite_database, path)[0] == 403


def test_a_picture_is_ours_or_stays_inside(sqlite_database: Database) -> None:
    """Streamlit gives out a report under the ending of a picture too."""
    secret, _ = sign_in.begin(sqlite_database, verified(sqlite_database), "default")
    logo = Path(look.LOGO).read_bytes()
    for cookie in ("", f"__Host-backtrail={secret}"):
        for body in (b"", b"# Case 1", logo[:-1], logo + b"x", b"x" * 1_000_000):
            assert ask(sqlite_database, "/media/1.png", cookie, body=body)[0] == 403
        for name in (look.LOGO, look.ICON):
            picture = Path(name).read_bytes()
            assert ask(sqlite_database, "/media/1.png", cookie, body=picture)[0] == 200


def returned_to(database: Database, cookie: str) -> str:
    sets = streamlit_sets(verified(database))
    _, headers, _ = ask(database, "/oauth2callback", cookie, sets, location="/base/")
    return dict(headers)["location"]


def test_a_stranger_comes_back_to_the_page_that_they_asked_for(sqlite_database: Database) -> None:
    out = cookies_out(ask(sqlite_database, "/events?call=A%26b&x=%2F%2Fevil"))
    line = out["__Host-backtrail-return"]
    assert "Max-Age=600" in line
    assert "SameSite=Lax" in line
    cookie = line.split(";")[0]
    assert returned_to(sqlite_database, cookie) == "/base/events?call=A%26b&x=%2F%2Fevil"
    for path in ("/_stcore/health", "/", "/nothing?x=1", f"/events?{'x' * 4000}"):
        assert cookies_out(ask(sqlite_database, path)) == {}


@pytest.mark.parametrize(
    "wanted",
    ["/evil.example/?", "//evil.example?x", "https://evil.example?", "..?x", "auth/logout?"],
)
def test_nobody_is_sent_to_another_place(sqlite_database: Database, wanted: str) -> None:
    """Even with our signature; and without it, not even to a page of ours."""
    signed = create_signed_value(KEY, "backtrail-return", wanted).decode()
    assert returned_to(sqlite_database, f"__Host-backtrail-return={signed}") == "/base/"
    other = create_signed_value("x" * 64, "backtrail-return", "events?").decode()
    assert returned_to(sqlite_database, f"__Host-backtrail-return={other}") == "/base/"


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("error=access_denied&error_description=no&state=x", "denied"),
        ("error=server_error&state=x", "failed"),
        ("code=1&state=stale", "failed"),
        ("", "failed"),
    ],
)
def test_a_sign_in_that_failed_is_told_on_the_page_that_it_leads_to(
    sqlite_database: Database, query: str, outcome: str
) -> None:
    """Streamlit sends the browser to the first page, and says nothing."""
    _, headers, _ = ask(sqlite_database, f"/oauth2callback?{query}", location="/base/")
    assert dict(headers)["location"] == f"/base/?sign-in={outcome}"
    assert not [line for name, line in headers if name == "set-cookie"]
    # The page that they came for is still remembered.
    assert cookies_out(ask(sqlite_database, f"/?sign-in={outcome}")) == {}
    # Who is in, and goes back to it in their browser's history, is in.
    secret, _ = sign_in.begin(sqlite_database, verified(sqlite_database), "default")
    cookie = f"__Host-backtrail={secret}"
    _, headers, _ = ask(sqlite_database, f"/oauth2callback?{query}", cookie, location="/base/")
    assert dict(headers)["location"] == "/base/"


@pytest.mark.parametrize(
    ("outcome", "says"),
    [("denied", "Your identity provider refused"), ("failed", "Sign in again."), ("x", None)],
)
def test_the_first_page_says_that_signing_in_failed_and_what_to_do(
    outcome: str, says: str | None
) -> None:
    def page() -> None:
        from cases.errors import SignedOut
        from ui.shell import sign_in_page

        sign_in_page.ask(SignedOut("You are not signed in. Sign in again."))

    at = AppTest.from_function(page)
    at.query_params["sign-in"] = outcome
    at.run(timeout=60)
    assert not at.exception
    assert ("Signing in failed." in words(at)) == (says is not None)
    assert (says or "Sign in to Backtrail") in words(at)
    assert [button.label for button in at.button] == ["Sign in"]


# Settings


def test_a_server_that_loses_its_secrets_lets_nobody_in(
    sqlite_database: Database, secrets: dict[str, Any]
) -> None:
    assert provider.is_on()
    secrets.clear()
    assert provider.is_on()
    assert provider.address() == "https://backtrail.example"
    assert ask(sqlite_database, "/media/1.json")[0] == 403


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("server_metadata_url", "", "names no provider"),
        ("redirect_uri", "https://backtrail.example/", "redirect_uri has to be"),
        ("redirect_uri", "http://backtrail.example/oauth2callback", "has to begin with https"),
        ("cookie_secret", "short", "cookie_secret needs 32"),
    ],
)
def test_sign_in_that_could_not_hold_is_refused_at_the_start(
    secrets: dict[str, Any], name: str, value: str, says: str
) -> None:
    provider.refuse_unready()
    provider._kept = {}
    secrets[name] = value
    with pytest.raises(SettingRefused, match=says):
        provider.refuse_unready()


def test_sign_in_for_nobody_and_headers_that_name_people_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BACKTRAIL_ROLES", "")
    with pytest.raises(SettingRefused, match="gives nobody a role"):
        provider.refuse_unready()
    monkeypatch.setattr(
        config, "get_option", lambda name: {"X-User": "name"} if "trusted" in name else None
    )
    with pytest.raises(SettingRefused, match="trustedUserHeaders"):
        provider.refuse_unready()


def test_each_provider_has_a_name(secrets: dict[str, Any]) -> None:
    assert provider.names() == ["default"]
    provider._kept = {}
    own = {"client_id": "b", "client_secret": "s", "server_metadata_url": "https://okta.example"}
    secrets.pop("server_metadata_url")
    secrets["okta"] = own
    assert provider.names() == ["okta"]


def test_a_provider_that_cannot_be_asked_is_said_in_a_sentence(sqlite_database: Database) -> None:
    sent: list[dict[str, Any]] = []

    def login(status: int) -> tuple[int, str]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"location", b"https://login.example.com/")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b"Authentication error"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        sent.clear()
        asked = {"type": "http", "method": "GET", "path": "/auth/login", "query_string": b"",
                 "headers": []}  # fmt: skip
        asyncio.run(Door(app, lambda: sqlite_database)(asked, None, send))  # type: ignore[arg-type]
        return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:]).decode()

    status, said = login(400)
    assert status == 503
    assert said.startswith("The identity provider cannot be asked, so nobody can sign in just now")
    assert login(302)[0] == 302
