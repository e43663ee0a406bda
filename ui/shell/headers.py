"""What every response tells the browser: to run our scripts alone, and to let nobody in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html.parser import HTMLParser

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FEATURES = (
    "accelerometer", "autoplay", "bluetooth", "camera", "display-capture", "geolocation",
    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
FIXED = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers would then send our own forms with the Origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}
FILE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)
"""For what is downloaded, a report above all: opened in the browser, it runs nothing, sends nothing
and is of no origin, so that it is nobody to the dashboard it came from.
"""
_STARTS = ("http.response.start", "websocket.http.response.start")


def content_policy(websocket: str, scripts: Sequence[str] = ()) -> str:
    """The Content-Security-Policy. `websocket` is where pages connect to; `scripts` are the
    hashes of inline scripts that may run.
    """
    # Vega compiles a chart's expressions: unsafe-eval. Streamlit styles its elements inline, and
    # loads a component's script, which its own bundle holds as text, from a blob.
    script = " ".join(["'self'", "'unsafe-eval'", "'wasm-unsafe-eval'", "blob:", *scripts])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {script}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {websocket}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def inline_script_hashes(html: str) -> list[str]:
    """The CSP source of each script that stands in the page itself."""
    found = _InlineScripts()
    found.feed(html)
    digests = [hashlib.sha256(text.encode()).digest() for text in found.texts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


class _InlineScripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


class SecurityHeaders:
    """ASGI middleware, the outermost: its headers are on whatever leaves the server.

    That includes refusals of websockets, and the answer to a request that failed in code of ours
    or of Streamlit's, which nobody further out would give headers to.
    """

    def __init__(self, app: ASGIApp, scripts: Sequence[str] = ()) -> None:
        self.app = app
        self.scripts = tuple(scripts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] in _STARTS:
                headers = MutableHeaders(scope=message)
                headers.update(FIXED)
                headers["Content-Security-Policy"] = (
                    FILE_POLICY
                    if _is_file(scope)
                    else content_policy(_websocket(scope), self.scripts)
                )
            await send(message)

        try:
            await self.app(scope, receive, with_headers)
        except Exception:
            if not begun:
                await answer(scope, with_headers, 500, "That failed inside Backtrail.")
            raise


def _is_file(scope: Scope) -> bool:
    """Whether it is what Streamlit keeps to be downloaded, under whatever base path."""
    return "/media/" in scope["path"]


def _websocket(scope: Scope) -> str:
    """Where the page's websocket goes: the host that was asked, on either scheme.

    The gate has seen that the host is one of ours; for a host that it refuses, nothing runs.
    """
    for name, value in scope["headers"]:
        host = value.decode("latin-1")
        if name == b"host" and host.replace(".", "").replace("-", "").replace(":", "").isalnum():
            return f"ws://{host} wss://{host}"
    return ""


async def answer(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Answers with one sentence: a request as text, a websocket by not being opened."""
    prefix = "websocket.http." if scope["type"] == "websocket" else "http."
    if prefix == "websocket.http." and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = (sentence + "\n").encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": prefix + "response.start", "status": status, "headers": headers})
    await send({"type": prefix + "response.body", "body": body})
