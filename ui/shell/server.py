"""The web server under the pages: Streamlit's own, closed, and all that we borrow of its inside.

`streamlit run app.py` finds an `st.App` in app.py, imports the file once to get it (`start` runs
then, before the first request is answered), and runs it as a script for every page. A request
goes through `middleware()` from the outside in, then to `routes()`, then to Streamlit's routes.

What is borrowed is not promised to stay by Streamlit. Each piece has a test of its own in
tests/test_server_borrowed.py, which says what to do when an upgrade breaks it:

1. `net_util.get_external_ip`, `get_internal_ip`   call_nobody
2. `PagesManager.uses_pages_directory`             pages_through_app
3. `logger.setup_formatter`                        _log_as_json
4. `file_util.get_static_dir()` / index.html       _inline_scripts
5. `config.set_option("server.allowedHosts")`      start
6. the listening socket, made without a protocol   send_at_once
7. `get_script_run_ctx().session_id`, `main_script_path`    ui/shell/run.py
8. `app_session.asyncio.new_event_loop`             ui/shell/loops.py (tests/test_file_handles.py)
9. the runtime's open sessions, and having one run          ui/shell/tabs.py
10. the cookies of `st.login`, and how they are signed      ui/shell/door.py
11. `AppSession._handle_clear_cache_request`        caches_are_ours

Their order at the start: 3, 1, 2, 11, 8, 5 in `start`; 4 in `middleware`; 6 once the server
listens.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import Scope
from streamlit import config, file_util, net_util
from streamlit import logger as streamlit_logger
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server import server_util

from cases.errors import SettingRefused
from trail.private import keep_private
from ui.shell import log, loops, provider, tabs
from ui.shell.door import Door
from ui.shell.gate import Gate, Refusal, ServerRefused, Site, check_address, configured_sites
from ui.shell.headers import SecurityHeaders, inline_script_hashes
from ui.shell.health import Health, checks
from ui.shell.opened import unguarded
from ui.shell.private_data import close_what_is_there

PROXIES_SETTING = "BACKTRAIL_PROXIES"
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_IP = (socket.AF_INET, socket.AF_INET6)
_modules = 0


def start() -> None:
    """Once per process, before anything is served; ends it with a sentence if it must not be."""
    keep_private()
    _log_as_json()
    call_nobody()
    pages_through_app()
    caches_are_ours()
    trust_named_proxies_alone()
    loops.make_on_demand()
    for place in close_what_is_there():
        log.say("others can read this", logging.WARNING, place=str(place))
    try:
        address: str | None = config.get_option("server.address")
        check_address(address, sign_in=sign_in_configured())
        provider.refuse_unready()
        names = [_name_of(site.host) for site in own_sites()]
    except (ServerRefused, SettingRefused) as error:
        log.say("not started", logging.ERROR, reason="address")
        raise SystemExit(f"backtrail: {error}") from None
    if address:
        names.append(address)
    config.set_option("server.allowedHosts", list(dict.fromkeys((*_LOOPBACK_NAMES, *names))))


def middleware() -> list[Middleware]:
    """From the outside in. What needs to know the user or set cookies goes to the end."""
    return [
        Middleware(SecurityHeaders, scripts=_inline_scripts()),
        Middleware(
            Gate,
            sites=own_sites(),
            sign_in=sign_in_configured(),
            scheme=_own_scheme(),
            refused=_log_refusal,
        ),
        Middleware(Door, database=unguarded),
    ]


def routes() -> list[BaseRoute]:
    """Our own addresses beside the pages; they go before Streamlit's."""
    return [Route("/health", Health(checks()).answer, methods=["GET"])]


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Around the server's life: it listens, and its port is known."""
    draw_at_once()
    send_at_once()
    log.say("started", address=own_address(), sign_in=sign_in_configured())
    print(f"\n  Backtrail is at {own_address()}\n", flush=True)  # for whoever started it
    watching = asyncio.create_task(tabs.watch(unguarded)) if sign_in_configured() else None
    yield
    if watching is not None:
        watching.cancel()
    log.say("stopped")


def sign_in_configured() -> bool:
    """Whether Streamlit's secrets name an identity provider."""
    return provider.is_on()


def own_sites() -> tuple[Site, ...]:
    """The addresses of the deployment; where people sign in, the one they come back to is one."""
    own = configured_sites(provider.address()) if sign_in_configured() else ()
    return tuple(dict.fromkeys((*configured_sites(), *own)))


def trust_named_proxies_alone() -> None:
    """Uvicorn takes a request's sender and scheme from forwarded headers of these proxies alone.

    Without the setting it would believe any sender on this machine.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = os.environ.get(PROXIES_SETTING, "")


def own_address() -> str:
    """Where a browser on this machine finds the dashboard."""
    address = config.get_option("server.address") or "localhost"
    return server_util.get_url(f"[{address}]" if ":" in address else address)


def _own_scheme() -> str:
    return "https" if config.get_option("server.sslCertFile") else "http"


def _name_of(host: str) -> str:
    """A Host header's name without its port, as Streamlit compares it."""
    name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
    return name.strip("[]")


# --- Borrowed --------------------------------------------------------------------------------


def call_nobody() -> None:
    """Streamlit never looks up this machine's addresses.

    To compare an Origin with them it asks a public service for the external one, in the event
    loop, so that any web page's script could make the server call out and stand still.
    """
    net_util.get_external_ip = _unknown
    net_util.get_internal_ip = _unknown


def _unknown() -> str | None:
    return None


def pages_through_app() -> None:
    """Every page runs inside app.py, the first one that is asked for after a start too.

    Until `st.navigation` was called once, Streamlit would find pages by their folder, and run a
    page's file on its own.
    """
    PagesManager.uses_pages_directory = False


def caches_are_ours() -> None:
    """No browser empties the server's caches, which Streamlit lets anybody do who opens a
    websocket, signed in or not: they are everybody's, and hold what runs in the background.
    """
    AppSession._handle_clear_cache_request = _ignore  # type: ignore[method-assign,assignment]


def _ignore(session: AppSession) -> None:
    if _refusals.may_write():
        log.say("refused", logging.WARNING, reason="caches", left_out=_refusals.left_out())


def _log_as_json() -> None:
    """Streamlit's and uvicorn's loggers write into our log, without what they would quote."""
    to = log.handler()
    log.configure(to)

    def ours(logger: logging.Logger) -> None:
        logger.handlers = [to]

    streamlit_logger.setup_formatter = ours
    streamlit_logger.update_formatter()
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [to], False
        library.setLevel(logging.WARNING)  # below, it writes down every address that is asked for


def _inline_scripts() -> list[str]:
    """The hashes of the scripts in Streamlit's own page: another version has others."""
    page = Path(file_util.get_static_dir()) / "index.html"
    return inline_script_hashes(page.read_text(encoding="utf-8"))


def draw_at_once() -> None:
    """Loads what draws, so that the first page with a chart or a table need not.

    Before the first page runs, and not beside it: two threads that import parts of one package at
    the same time may get a part that is not whole yet.
    """
    # Altair's schema library builds a grammar of web addresses where an install for development has
    # one, for three seconds; no chart has an address in it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    import_module("altair")
    import_module("pandas")


def send_at_once() -> None:
    """Has the server's sockets send without waiting for the browser to confirm.

    A page comes as many small messages. Where TCP may hold a small one back until the one before
    is confirmed (Nagle's algorithm), and a browser confirms after up to 40 ms, a rerun of 20 ms
    takes 60. asyncio switches that off for the sockets it makes; Streamlit makes its own without
    naming the protocol, which asyncio then does not know for TCP. Connections take on the
    listening socket's setting.
    """
    for one in gc.get_objects():
        if type(one) is socket.socket and one.family in _IP and one.type == socket.SOCK_STREAM:
            with suppress(OSError):  # closed since
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def spare_the_libraries() -> None:
    """Keeps the libraries out of Python's garbage collection, which halts every session at once.

    A server with pandas, Arrow and Streamlit loaded has half a million objects that will never be
    garbage. Walking them takes 60 ms and more; Streamlit would do it after every rerun
    (`postScriptGC`, off in our settings), and Python itself still does now and then. They are set
    aside each time that a page has loaded more modules: a few times per server.
    """
    global _modules
    if len(sys.modules) > _modules:
        _modules = len(sys.modules)
        gc.collect()
        gc.freeze()


_refusals = log.Sparing(lines=20, seconds=60)


def _log_refusal(refusal: Refusal, scope: Scope) -> None:
    """A line without what the request said, which is whatever a stranger wanted in our log."""
    if _refusals.may_write():
        client = scope.get("client") or ("", 0)
        fields = {"reason": refusal.reason, "kind": scope["type"], "from": client[0]}
        log.say("refused", logging.WARNING, **fields, left_out=_refusals.left_out())
