"""Has the server's sockets send at once, without waiting for the browser to confirm.

A page comes as many small messages. Where TCP may hold a small one back until the one before
is confirmed (Nagle's algorithm), and a browser confirms after up to 40 ms, a rerun of 20 ms takes
60. asyncio switches that off for the sockets it makes; Streamlit makes its own without naming the
protocol, which asyncio then does not know for TCP.
"""

from __future__ import annotations

import gc
import socket
from contextlib import suppress

_IP = (socket.AF_INET, socket.AF_INET6)
_done = False


def send_at_once() -> None:
    """Once per server: those that are open, and the listening one, whose setting others take on."""
    global _done
    if _done:
        return
    _done = True
    for one in gc.get_objects():
        if type(one) is socket.socket and one.family in _IP and one.type == socket.SOCK_STREAM:
            with suppress(OSError):  # closed since
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
