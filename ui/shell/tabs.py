"""Open tabs of sign-ins that have ended: each is run once more, and shows the sign-in page.

Nothing could be read or done in them anyway: every run and every action asks the registry. But what
they had drawn would stand on the screen until somebody touched it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from streamlit import runtime
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

from cases import sign_in
from cases.database import Database
from trail.errors import BacktrailError
from ui.shell import provider

WATCH_SECONDS = 3.0
"""How often it is asked whether sign-ins with open tabs hold: other replicas end them too."""


async def watch(database: Callable[[], Database]) -> None:
    """For as long as the server runs: has the tabs of ended sign-ins run, each once."""
    told: set[str] = set()
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        opened = _opened()
        told &= {session.id for session in opened}
        waiting = [session for session in opened if session.id not in told]
        ids = sorted({_sign_in_of(session) for session in waiting})
        if not ids:
            continue
        with suppress(BacktrailError, SQLAlchemyError):  # without the registry no page runs
            gone = await asyncio.to_thread(lambda: sign_in.ended(database(), ids))  # noqa: B023
            told |= end(gone)


def end(sign_ins: Collection[str]) -> set[str]:
    """Runs the tabs of these sign-ins in this process once more; the ids of their sessions."""
    found = [session for session in _opened() if _sign_in_of(session) in sign_ins]
    for session in found:
        asked = ClientState()
        asked.CopyFrom(session._client_state)  # its page and address as they were
        asked.fragment_id = ""
        session.request_rerun(asked)
    return {session.id for session in found}


def _opened() -> list[AppSession]:
    if not runtime.exists():
        return []
    sessions = runtime.get_instance()._session_mgr.list_active_sessions()
    return [one.session for one in sessions if _sign_in_of(one.session)]


def _sign_in_of(session: AppSession) -> str:
    return str(session._user_info.get(provider.CLAIM) or "")
