"""The server of one machine: it calls nobody, whoever knocks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.a_dashboard import dashboard

# Loaded by the server before anything else: writes down each address that Python connects to or
# looks up. Loopback is allowed (asyncio talks to itself through a pair of sockets).
_WATCH = """
import json, os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        where = arguments[1] if event != "socket.getaddrinfo" else arguments[:2]
        with open(os.environ["CALLS"], "a") as out:
            out.write(json.dumps([event, str(where)]) + "\\n")
sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A dashboard's address, and the file of the calls that it makes."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(_WATCH)
    calls = folder / "calls.jsonl"
    calls.touch()
    with dashboard(folder, PYTHONPATH=str(folder / "watch"), CALLS=str(calls)) as address:
        yield address, calls


async def _knock(address: str, origin: str) -> int:
    """The status that a websocket from this origin gets; 101 when it is let in."""
    try:
        async with connect(
            address.replace("http:", "ws:") + "/_stcore/stream",
            origin=origin,  # type: ignore[arg-type]
            open_timeout=20,
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_the_server_calls_nobody_while_strangers_knock(served: tuple[str, Path]) -> None:
    address, calls = served
    for origin in ("https://evil.example", "http://198.51.100.7", "null", "file://"):
        assert asyncio.run(_knock(address, origin)) == 403
    assert asyncio.run(_knock(address, address)) == 101
    made = [json.loads(line) for line in calls.read_text().splitlines()]
    assert [call for call in made if "127.0.0.1" not in call[1]] == []
