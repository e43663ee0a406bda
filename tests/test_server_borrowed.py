"""A canary for each piece of Streamlit's inside that ui/shell/server.py borrows.

When one fails after an upgrade of Streamlit, its docstring says what is lost meanwhile and what to
look for. Do not relax a test: find where Streamlit does the same thing now.
"""

from __future__ import annotations

import gc
import inspect
import logging
import socket
from pathlib import Path

import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from streamlit import config, file_util, net_util
from streamlit import logger as streamlit_logger
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime, app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.session_manager import ActiveSessionInfo
from streamlit.runtime.state import SessionState
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
from streamlit.testing.v1 import AppTest
from streamlit.web import bootstrap
from streamlit.web.server import app_discovery, server_util
from streamlit.web.server.starlette import (
    starlette_auth_routes,
    starlette_server,
    starlette_server_config,
    starlette_websocket,
)

from tests.a_page import APP
from tests.the_app import the_app
from ui.shell import run, server
from ui.shell.headers import inline_script_hashes


def test_app_py_is_served_as_an_st_app() -> None:
    """Lost: the whole gate, silently, since `streamlit run` then serves app.py as a bare script.

    Look at `app_discovery.discover_asgi_app`: which assignments of app.py it takes for an app.
    """
    found = app_discovery.discover_asgi_app(APP)
    assert (found.is_asgi_app, found.import_string) == (True, "app:app")


def test_the_origin_check_asks_the_functions_that_we_replace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lost: that no foreign Origin makes the server call out.

    Look at `server_util.is_url_from_allowed_origins`: what it asks for the machine's addresses.
    """
    asked = []
    monkeypatch.setattr(net_util, "get_external_ip", lambda: asked.append("external"))
    monkeypatch.setattr(net_util, "get_internal_ip", lambda: asked.append("internal"))
    assert not server_util.is_url_from_allowed_origins("https://evil.example")
    assert sorted(asked) == ["external", "internal"]


def test_the_replacements_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    monkeypatch.setattr(net_util, "get_internal_ip", net_util.get_internal_ip)
    server.call_nobody()
    assert (net_util.get_external_ip(), net_util.get_internal_ip()) == (None, None)


def test_the_banner_that_looks_up_addresses_can_be_turned_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lost: a call at each start on an open address (`logger.hideWelcomeMessage`), before app.py
    is read. Look at `bootstrap._print_url`.
    """
    assert config.get_option("logger.hideWelcomeMessage") is True
    bootstrap._print_url(is_running_hello=False)
    assert capsys.readouterr().out == ""


def test_pages_are_not_found_by_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost: that the first deep link after a start runs inside app.py. A page file then shows
    itself without our frame; `session.require` in it still checks who looks.

    Look at where Streamlit finds the `pages` folder (once `PagesManager.uses_pages_directory`).
    """
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    server.pages_through_app()
    PagesManager(str(APP))
    assert PagesManager.uses_pages_directory is False
    assert "uses_pages_directory" in inspect.getsource(PagesManager.__init__)


def test_streamlit_s_loggers_take_the_handler_that_we_give(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Lost: that tracebacks, which quote what was in hand, stay out of the log.

    Look at `streamlit.logger`: who gives a new logger its handler (once `setup_formatter`).
    """
    for name in ("streamlit.web.server.server_util", "streamlit.later"):
        streamlit_logger._loggers.pop(name, None)
    kept = {name: list(one.handlers) for name, one in streamlit_logger._loggers.items()}
    ours = logging.getLogger("backtrail")
    before = (list(ours.handlers), ours.propagate, ours.level)
    monkeypatch.setattr(streamlit_logger, "setup_formatter", streamlit_logger.setup_formatter)
    monkeypatch.setenv("BACKTRAIL_LOG", str(tmp_path / "log.jsonl"))
    try:
        server._log_as_json()
        streamlit_logger.get_logger("streamlit.later").error("one %s", "secret", exc_info=None)
        (to,) = ours.handlers
        to.close()
    finally:
        for name, handlers in kept.items():
            logging.getLogger(name).handlers = handlers
        ours.handlers, ours.propagate = before[0], before[1]
        ours.setLevel(before[2])
    written = (tmp_path / "log.jsonl").read_text()
    assert "one" in written
    assert "secret" not in written


def test_streamlit_s_page_has_inline_scripts_and_we_hash_each() -> None:
    """Lost: Streamlit's own inline script, which the Content-Security-Policy would keep from
    running. Look at the file that `/` answers with (once index.html in `get_static_dir()`).
    """
    page = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    hashes = inline_script_hashes(page)
    # 1.67's one script sets `prerenderReady`; counted independently of the parser.
    assert len(hashes) == page.count("<script>")
    assert "<script>" in page


def test_hashes_are_those_that_a_browser_computes() -> None:
    # printf 'alert(1)' | openssl dgst -sha256 -binary | base64
    page = (
        '<script src="./a.js"></script><script>alert(1)</script><script type="module">\n</script>'
    )
    assert inline_script_hashes(page) == [
        "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='",
        "'sha256-AbpHGcgLb+kRsJGnwFEktk7uzpZOCcBY74+YBdrKVGs='",
    ]


def test_allowed_hosts_are_asked_for_by_the_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost: a second lock on the websocket, behind the gate; or a deployment's own names.

    Look at `starlette_websocket.is_host_allowed` and the setting `server.allowedHosts`.
    """
    before = config.get_option("server.allowedHosts")
    try:
        config.set_option("server.allowedHosts", ["backtrail.example.org"])
        assert starlette_websocket.is_host_allowed("backtrail.example.org:8443")
        assert not starlette_websocket.is_host_allowed("evil.example")
    finally:
        config.set_option("server.allowedHosts", before)


def test_connections_to_a_listening_socket_do_not_wait() -> None:
    """Lost: 40 ms a rerun. Look at how Streamlit makes its listening socket (`_bind_socket`)."""
    with starlette_server._bind_socket("127.0.0.1", 0, 5) as listening:
        listening.setblocking(True)
        assert any(one is listening for one in gc.get_objects())
        server.send_at_once()
        with (
            socket.create_connection(listening.getsockname()),
            listening.accept()[0] as accepted,
        ):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_run_knows_its_session_and_main_script() -> None:
    """Lost: which tab a line of the log is about; the pages beside another main script.

    Look at what `get_script_run_ctx()` gives.
    """
    assert (run.session_tag(), run.main_script()) == ("", "")

    def page() -> None:
        import streamlit as st

        from ui.shell import run

        st.text(f"{len(run.session_tag())} {run.main_script() != ''}")

    at = AppTest.from_function(page).run()
    assert [one.value for one in at.text] == ["10 True"]


def test_the_gate_stands_before_every_route_of_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost: the gate or the headers for a route that goes around our middleware.

    Look at `App._build_starlette_app`: our middleware goes around Streamlit's, and all routes are
    of the one app that they wrap. A new kind of route is to be tried in test_server_closed.py.
    """
    built = the_app(monkeypatch)
    assert [one.cls.__name__ for one in built.user_middleware][:2] == ["SecurityHeaders", "Gate"]
    assert {type(route) for route in built.routes} <= {Route, WebSocketRoute, Mount}


def test_open_tabs_can_be_found_and_run_once_more() -> None:
    """Lost: that other tabs show the sign-in page when somebody signs out (they still could do
    nothing). Look at `WebsocketSessionManager` and `AppSession`: `ui.shell.tabs` uses these of them.
    """
    assert "list_active_sessions" in vars(WebsocketSessionManager)
    assert "session" in ActiveSessionInfo.__annotations__
    made = inspect.getsource(AppSession.__init__)
    assert "self._client_state = ClientState()" in made
    assert "self._user_info = user_info" in made
    assert [*inspect.signature(AppSession.request_rerun).parameters] == ["self", "client_state"]
    assert "self._session_mgr" in inspect.getsource(Runtime)


def test_sign_in_keeps_its_claims_in_the_cookies_that_we_take_out() -> None:
    """Lost: nobody could sign in; or worse, a cookie under a new name went out to browsers.

    Look at `starlette_auth_routes._set_auth_cookie` and the names in starlette_server_config.
    """
    at = starlette_server_config
    names = (at.USER_COOKIE_NAME, at.TOKENS_COOKIE_NAME, at.SESSION_COOKIE_NAME,
             at.XSRF_COOKIE_NAME)  # fmt: skip
    assert names == (
        "_streamlit_user", "_streamlit_user_tokens", "_streamlit_session", "_streamlit_xsrf"
    )  # fmt: skip
    sets = inspect.getsource(starlette_auth_routes)
    assert sets.count(".set_cookie(") == 1
    assert "_create_signed_value_wrapper,\n        USER_COOKIE_NAME" in sets
    reads = inspect.getsource(starlette_websocket)
    assert "_get_signed_cookie_with_chunks(\n                            websocket.cookies" in reads


class _UnmadeSession(AppSession):
    """One that nothing runs in, and so nothing has to be ended of."""

    def __init__(self) -> None:
        self._session_state = SessionState()  # type: ignore[assignment]

    def __del__(self) -> None:
        pass


def test_no_browser_empties_the_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost: that strangers cannot empty everybody's caches, and forget what runs, by one message.

    Look at `AppSession.handle_backmsg`: what it calls for `clear_cache`.
    """
    monkeypatch.setattr(
        AppSession, "_handle_clear_cache_request", AppSession._handle_clear_cache_request
    )
    cleared: list[str] = []
    monkeypatch.setattr(app_session.caching.cache_data, "clear", lambda: cleared.append("data"))
    monkeypatch.setattr(app_session.caching.cache_resource, "clear", lambda: cleared.append("made"))
    session = _UnmadeSession()
    session.handle_backmsg(BackMsg(clear_cache=True))
    assert cleared == ["data", "made"]  # Streamlit's own: else the rest says nothing
    server.caches_are_ours()
    session.handle_backmsg(BackMsg(clear_cache=True))
    assert cleared == ["data", "made"]
