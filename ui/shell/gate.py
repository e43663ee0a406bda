"""Who may talk to the server: browsers that opened it under one of its own addresses.

Without this, any page that an analyst visits could read the dashboard: by giving its own name
this machine's address (DNS rebinding), or through a websocket, which no browser keeps from
foreign pages. The gate stands before every route, and before Streamlit.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from trail.errors import BacktrailError
from ui.shell.headers import answer

HOSTS_SETTING = "BACKTRAIL_HOSTS"
_NAME = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)")
_EMBEDDED = {"iframe", "frame", "embed", "object", "fencedframe"}
WEBSOCKET = "/_stcore/stream"
"""Where Streamlit's pages connect to, under whatever base path."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


class ServerRefused(BacktrailError):
    """The server does not start as it is configured; the message says why and what to do."""


@dataclass(frozen=True)
class Site:
    """An address under which browsers open the dashboard; `host` is its Host header."""

    scheme: str
    host: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered: a word for the log, a sentence for whoever sent it."""

    reason: str
    sentence: str


def configured_sites(setting: str | None = None) -> tuple[Site, ...]:
    """The addresses of a deployment, as `BACKTRAIL_HOSTS` lists them between commas.

    `name` or `name:port` stands for https, since whatever ends TLS is in front of us; a plain
    `http://name` has to say so. Raises `ServerRefused` for what is not an address.
    """
    listed = os.environ.get(HOSTS_SETTING, "") if setting is None else setting
    return tuple(_site(entry) for entry in re.split(r"[,\s]+", listed) if entry)


def _site(entry: str) -> Site:
    scheme, _, rest = entry.lower().rpartition("://")
    scheme = scheme or "https"
    name, port = _split_port(rest.removesuffix("/"))
    if scheme not in _DEFAULT_PORTS or not _NAME.fullmatch(name) or port is None or port > 65535:
        raise ServerRefused(
            f"{HOSTS_SETTING} lists {entry!r}, which is not an address. Write names as"
            " backtrail.example.org or backtrail.example.org:8443, with commas between them."
        )
    return _at(scheme, name, port or _DEFAULT_PORTS[scheme])


def _split_port(host: str) -> tuple[str, int | None]:
    """A name and its port: 0 where it has none, None where it is not a number."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host, 0
    return name, int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None


def _at(scheme: str, name: str, port: int) -> Site:
    return Site(scheme, name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}")


def is_loopback(address: str) -> bool:
    """Whether the IP address is one that only this machine can reach."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def local_sites(address: str, port: int, scheme: str = "http") -> tuple[Site, ...]:
    """What a browser on this machine may call a loopback address and port."""
    own = f"[{address}]" if ":" in address else address
    names = dict.fromkeys(("localhost", "127.0.0.1", "[::1]", own.lower()))
    return tuple(_at(scheme, name, port) for name in names)


def check_address(address: str | None, *, sign_in: bool) -> None:
    """Raises `ServerRefused` where others could reach the server, and nothing asks who they are.

    `address` is what the server binds to; none stands for every address of the machine.
    """
    if address and (why := no_address(address)) is not None:
        raise ServerRefused(f"Backtrail cannot listen at {address}: {why}")
    if sign_in or address == "localhost" or (address and is_loopback(address)):
        return
    where = f"at {address}" if address else "at every address of this machine"
    raise ServerRefused(
        f"Backtrail would listen {where}, and without sign-in whoever reaches it sees everything."
        " Use --server.address 127.0.0.1, or configure sign-in (SECURITY.md)."
    )


def no_address(address: str) -> str | None:
    """Why nothing can listen there, as far as its form says; None where something may."""
    if address.startswith("[") and address.endswith("]"):
        return f"write an IPv6 address without brackets, --server.address {address[1:-1]}"
    if ":" in address and not address.startswith("unix:"):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return "that is no address. A port is a setting of its own, --server.port"
    return None


class Gate:
    """ASGI middleware: refuses what does not come from one of the dashboard's own pages.

    A request passes when it names one of our addresses as its host; came over loopback, unless
    there is sign-in; carries our own Origin if any; and is not a foreign page's sub-request.
    """

    def __init__(
        self,
        app: ASGIApp,
        sites: Sequence[Site] = (),
        sign_in: bool = False,
        scheme: str = "http",
        refused: Callable[[Refusal, Scope], None] | None = None,
    ) -> None:
        self.app = app
        self.sites = {site.host: site for site in sites}
        self.sign_in = sign_in
        self.scheme = scheme
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send)
            return
        if self.refused is not None:
            self.refused(refusal, scope)
        await answer(scope, send, 403, refusal.sentence)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why the request is refused; None when it may pass."""
        headers = Headers(scope=scope)
        address, port = scope.get("server") or ("", None)
        local = port is not None and is_loopback(address)
        if not local and not self.sign_in:
            return Refusal("not loopback", "Without sign-in, Backtrail answers this machine alone.")
        sites = dict(self.sites)
        if local and port is not None:
            sites |= {site.host: site for site in local_sites(address, port, self.scheme)}
        hosts = headers.getlist("host")
        site = sites.get(hosts[0].lower()) if len(hosts) == 1 else None
        if site is None:
            return Refusal(
                "host",
                "Backtrail does not answer to the name in this address. Open it under its own, or"
                f" have whoever runs it add the name to {HOSTS_SETTING}.",
            )
        if any(origin.lower() != site.origin for origin in headers.getlist("origin")):
            return Refusal("origin", "Backtrail answers its own pages only, not those of others.")
        if scope["type"] == "websocket" and not str(scope["path"]).endswith(WEBSOCKET):
            return Refusal("websocket", "No websocket is spoken at this address.")
        if _is_foreign(headers, scope):
            return Refusal("fetch site", "Backtrail may be opened from elsewhere, not built in.")
        return None


def _is_foreign(headers: Headers, scope: Scope) -> bool:
    """Whether the browser itself says that another site asks, other than by a link to a page."""
    where = headers.get("sec-fetch-dest", "")
    if where in _EMBEDDED:
        return True
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    followed = headers.get("sec-fetch-mode") == "navigate" and where == "document"
    return not (followed and scope.get("method") in ("GET", "HEAD"))
