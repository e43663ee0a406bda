"""The index and what was asked of it, kept between reruns.

What is kept is known by the alert and by what the index said to it, never by data frames: Streamlit
hashes large frames by samples. Sizes are bounded, since a server runs for weeks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from alerts.alert import Alert, Principal
from enrich import ask_all
from enrich.answer import Answer
from trail.errors import BacktrailError
from trail.index.catalog import default_index
from trail.index.index_version import index_of
from trail.store import DuckStore, IndexSummary, Store, noting, open_store
from ui.kit.keeping import ANY_VERSION, Keeper, digest_of
from ui.shell import session
from ui.shell.kept import answers_ahead

Made = TypeVar("Made")


@dataclass(frozen=True)
class Story:
    """An alert of the demo that a visitor can open with one click."""

    id: str
    title: str
    about: str
    path: Path


def index_dir() -> Path:
    return default_index()


def open_index() -> DuckStore:
    """The index, opened once per process. Raises `IndexMissing` or `IndexUnreadable`.

    Whatever is kept of its answers below is for those who may read logs, and they see the same:
    so this asks before, in every run, and nothing that is kept tells one role from another.
    """
    session.may_read()
    return _opened(str(index_dir().resolve()))


def index_id() -> str | None:
    """Which index that is, whose answers the pages show; None while there is none to be asked."""
    try:
        return index_of(open_index().version())
    except BacktrailError:
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(folder: str) -> DuckStore:
    return open_store(Path(folder))


def summary(store: Store) -> IndexSummary:
    """What is indexed at all."""
    return store.summary()


def answers(store: Store, alert: Alert, principal: Principal, received: Alert) -> list[Answer]:
    """The five answers, asked once while the index says the same, unless one failed."""
    return told(store, alert, principal, received)[1]


def told(
    store: Store, alert: Alert, principal: Principal, received: Alert
) -> tuple[str, list[Answer]]:
    """What the drawings of these answers are kept under (see `kept`), and the answers.

    `received` is the alert before the index completed it: what the inbox may hold answers to.
    Where a question failed, the next run asks again and draws anew: the disk, or whatever it was,
    may be back by then.
    """
    version = store.version()
    of_what = f"{version} {fingerprint(alert, principal)}"

    def ask() -> list[Answer]:
        return _answers(store, alert, principal, received, version)

    def has_failed(answers: list[Answer]) -> bool:
        return any(answer.status == "failed" for answer in answers)

    return kept_unless_failed(of_what, "answers", ask, has_failed)


def kept_unless_failed(
    of_what: str, name: str, make: Callable[[], Made], has_failed: Callable[[Made], bool]
) -> tuple[str, Made]:
    """What the drawings of it are kept under (see `kept`), and what `make` made.

    Where that has failed it is not kept, nor are its drawings: the next run makes it anew.
    """

    def ask() -> Made:
        made = make()
        if has_failed(made):
            raise _Failed(made)
        return made

    try:
        return of_what, kept(of_what, name, ask)
    except _Failed as error:
        return f"{of_what} {next(_failures)}", error.made


class _Failed(Exception):
    """What is not to be kept, since a part of it failed."""

    def __init__(self, made: Any) -> None:
        super().__init__("a part failed")
        self.made = made


_failures = count()


def _answers(
    store: Store, alert: Alert, principal: Principal, received: Alert, version: str
) -> list[Answer]:
    position = alert.principals.index(principal) if principal in alert.principals else None
    ahead = None
    if position is not None:
        ahead = answers_ahead(version, received, position)
    if ahead:
        noting.told("version", store.version)  # nobody knows any more what was asked for them
    return ahead or ask_all(alert, principal, store)


def kept(of_what: str, name: str, make: Callable[[], Made]) -> Made:
    """What `make` made of an answer, the first time: a table's elements, a chart's specification.

    `of_what` is `asked_of` of its question, or begins with the index's version as that does; of a
    newer version it is made again where the store would answer otherwise. So `make` may read the
    store and what `of_what` and `name` tell, and nothing else. Shared by all sessions: nobody may
    change it.
    """
    version, _, what = of_what.partition(" ")
    # What was noted asks the index of its folder again, and no other.
    return _drawings.get(version, f"{index_dir()} {what}", name, make)


def kept_by_content(content: object, name: str, make: Callable[[], Made]) -> Made:
    """What `make` made of some rows, the first time, whatever the index holds."""
    return _drawings.get(ANY_VERSION, digest_of(content), name, make)


# Streamlit's own caches take 0.2 ms a look, and a page looks a dozen times.
_drawings = Keeper(1024)


def forget() -> None:
    """Lets go of everything that is kept, as a new process would have nothing."""
    _drawings.clear()


def asked_of(store: Store, *asked: Alert | Principal) -> str:
    """The same for the same questions to the same index."""
    return f"{store.version()} {fingerprint(*asked)}"


def fingerprint(*asked: Alert | Principal) -> str:
    """The same for the same questions: everything that an enrichment may read."""
    return digest_of(asked)


def demo_dir() -> Path:
    """Where the demo's logs and alerts are written: beside the index."""
    return Path(os.environ.get("BACKTRAIL_DEMO") or index_dir().parent / "demo")


def stories() -> list[Story]:
    """The demo's alerts, if the demo was generated and they can be read; else none."""
    folder = demo_dir() / "alerts"
    try:
        listed = json.loads((demo_dir() / "alerts.json").read_text(encoding="utf-8"))
        return [
            Story(row["id"], row["title"], row["description"], folder / Path(row["file"]).name)
            for row in listed
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
