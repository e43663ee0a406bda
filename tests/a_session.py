"""One browser tab, as the server sees it: a websocket client that speaks Streamlit's protocol."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE_S = 30.0
Where = tuple[str, str]
"""A page and the query of its address."""


class Client:
    """Remembers messages as a browser does, and asks for reruns."""

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self.socket = socket
        self.page = page
        self.query = query
        self.page_hash = ""
        self.known: set[str] = set()

    def saw(self, message: ForwardMsg) -> None:
        """For those who read what comes."""

    def go(self, page: str, query: str) -> None:
        """Has the next run be of another page."""
        self.page, self.query, self.page_hash = page, query, ""

    async def run(self) -> tuple[float, int]:
        """Asks for one run of the page: seconds until it had ended, bytes that came."""
        ask = BackMsg()
        state = ask.rerun_script
        state.query_string = self.query
        if self.page_hash:
            state.page_script_hash = self.page_hash
        else:
            state.page_name = self.page
        state.cached_message_hashes.extend(self.known)
        begin = time.perf_counter()
        await self.socket.send(ask.SerializeToString())
        came, ran, took = 0, False, 0.0
        while True:
            raw = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            came += len(raw)
            message = ForwardMsg.FromString(raw if isinstance(raw, bytes) else raw.encode())
            self.saw(message)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page_hash, ran = message.new_session.page_script_hash, True
            elif kind == "delta" and message.metadata.cacheable and message.hash:
                self.known.add(message.hash)
            elif kind == "script_finished" and ran:
                took = time.perf_counter() - begin
            elif kind == "session_status_changed" and took:
                return took, came  # nothing of this run is left on the way


class Reader(Client):
    """A session that keeps what its page says, what it held from before included."""

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        super().__init__(socket, page, query)
        self.drawn: list[str] = []
        self._held: dict[str, str] = {}

    def saw(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            self.drawn.append(self._held.get(message.ref_hash, FAILED))
        elif kind == "delta":
            text = _text_of(message)
            self.drawn.append(text)
            if message.metadata.cacheable and message.hash:
                self._held[message.hash] = text
        elif kind == "script_finished" and message.script_finished not in _ENDED_WELL:
            self.drawn.append(FAILED)


FAILED = "the script failed"
_ENDED_WELL = (
    ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN,
)


def _text_of(message: ForwardMsg) -> str:
    """What an element says: a drawing as its JSON, an exception as one, others not at all."""
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    if kind == "exception":
        return FAILED
    if kind != "bidi_component":
        return ""
    given = element.bidi_component
    return (given.bytes or given.json.encode()).decode("utf-8", "replace")


async def opened(
    stack: AsyncExitStack, home: str, where: Where, made: type[Client] = Client
) -> tuple[Client, int]:
    """A client whose page stands, and what its first load took in bytes."""
    address = home.replace("http://", "ws://") + "/_stcore/stream"
    joined = await stack.enter_async_context(
        connect(address, max_size=None, subprotocols=["streamlit"])  # type: ignore[list-item]
    )
    client = made(joined, *where)
    _, came = await client.run()
    return client, came
