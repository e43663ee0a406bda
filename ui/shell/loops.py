"""Has sessions hold no files of their own: not while a tab is open, nor for two minutes after.

Streamlit makes an asyncio event loop for each session, for libraries that a page's script may use.
Three files each, kept until long after the tab was closed: 80 page loads were the 256 files that a
process may have on some machines. None of our scripts needs one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from streamlit.runtime import app_session


class LoopOnDemand(asyncio.AbstractEventLoop):
    """An event loop that is made when something is first asked of it."""

    def __init__(self) -> None:
        self._made: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def is_closed(self) -> bool:
        return self._closed

    def is_running(self) -> bool:
        return self._made is not None and self._made.is_running()

    def close(self) -> None:
        if self._made is not None:
            self._made.close()
        self._closed = True

    async def shutdown_asyncgens(self) -> None:
        if self._made is not None:
            await self._made.shutdown_asyncgens()

    async def shutdown_default_executor(self) -> None:
        if self._made is not None:
            await self._made.shutdown_default_executor()

    def run_until_complete(self, future: Any) -> Any:
        return self._real().run_until_complete(future)

    def _real(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if self._made is None:
            self._made = asyncio.new_event_loop()
        return self._made


def _asked_of_the_real_one(name: str) -> Callable[..., Any]:
    def ask(self: LoopOnDemand, *arguments: Any, **named: Any) -> Any:
        return getattr(self._real(), name)(*arguments, **named)

    return ask


for _name, _there in vars(asyncio.AbstractEventLoop).items():
    if callable(_there) and not _name.startswith("__") and _name not in vars(LoopOnDemand):
        setattr(LoopOnDemand, _name, _asked_of_the_real_one(_name))


def make_on_demand() -> None:
    """For every session from now on. Streamlit's module is given an `asyncio` of its own."""
    if app_session.asyncio is asyncio:
        app_session.asyncio = SimpleNamespace(  # type: ignore[assignment] # not for type checkers
            **(vars(asyncio) | {"new_event_loop": LoopOnDemand})
        )
