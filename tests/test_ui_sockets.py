"""A page's messages leave at once: none waits for the browser to confirm the one before."""

from __future__ import annotations

import socket

import pytest

from ui import sockets


def test_connections_to_a_listening_socket_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_done", False)
    with socket.socket(family=socket.AF_INET) as server:  # as Streamlit makes it
        server.bind(("127.0.0.1", 0))
        server.listen()
        with (
            socket.create_connection(server.getsockname()),
            server.accept()[0] as before,
        ):
            assert not before.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            sockets.send_at_once()
            assert before.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            with (
                socket.create_connection(server.getsockname()),
                server.accept()[0] as after,
            ):
                assert after.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
