"""What the dashboard hands out to be downloaded runs nothing when a browser opens it."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from cases.report.html import render_html
from ui.shell.headers import SecurityHeaders


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def policy_of(path: str) -> str:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "path": path, "headers": [(b"host", b"localhost:8501")]}
    asyncio.run(SecurityHeaders(_app)(scope, receive, send))
    (policy,) = [value for name, value in sent[0]["headers"] if name == b"content-security-policy"]
    assert isinstance(policy, bytes)
    return policy.decode()


@pytest.mark.parametrize("path", ["/media/abc.html", "/under/a/base/media/abc.html"])
def test_a_served_file_is_sandboxed(path: str) -> None:
    directives = policy_of(path).split("; ")
    assert "sandbox" in directives  # alone, so that no script and no form is let through
    assert "default-src 'none'" in directives
    assert not [one for one in directives if one.startswith("script-src")]


@pytest.mark.parametrize("path", ["/", "/case", "/static/media.js"])
def test_a_page_is_not(path: str) -> None:
    assert "sandbox" not in policy_of(path)
    assert "script-src 'self'" in policy_of(path)


def test_the_html_report_says_so_itself() -> None:
    assert (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; img-src data:\">"
    ) in render_html([]).decode()
