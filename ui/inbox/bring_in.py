"""Alerts into the inbox: pasted, from files or a folder, from the demo, from the logs."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from cases.database import Database
from trail.errors import BacktrailError
from ui.inbox import background
from ui.kit import boxes, text
from ui.kit.markup import draw, el
from ui.kit.pieces import Tone, link, notes, notice
from ui.parts.own_files import of_this_machine
from ui.shell import data, load, session
from ui.shell.read_apart import HERE
from ui.shell.session import User

SAID = "what-came-in"
TAKEN = "how-often-taken-in"
"""Session state key: how often what was given was taken in."""


def begin(database: Database, user: User) -> None:
    """The empty inbox: what it is for, and every way to fill it."""
    draw(
        "inbox-empty",
        el(
            "p",
            "sentence",
            "Alerts wait here until someone takes them into a case. Their five answers are worked "
            "out ahead, so that opening one is instant.",
        ),
    )
    own, found, demo = st.columns(3, gap="medium")
    with own, st.container(border=True, height="stretch"):
        draw("begin-files", el("h3", "panel-title", "Alerts you have"))
        _given(database, user)
    with found, st.container(border=True, height="stretch"):
        draw(
            "begin-found",
            el("h3", "panel-title", "Alerts from your logs"),
            el(
                "p",
                "",
                "No GuardDuty? Detections over the index look for sign-ins without MFA, root use, "
                "tampering with trails, roles tried one after the other, and more.",
            ),
        )
        _detect(primary=has_index())
    with demo, st.container(border=True, height="stretch"):
        draw(
            "begin-demo",
            el("h3", "panel-title", "Alerts of the demo company"),
            el("p", "", "What its detectors said about the attacks in the demo's logs."),
        )
        _demo(database, user)


def more(database: Database, user: User) -> None:
    """The same ways behind one button."""
    with (
        st.popover("Add alerts", icon=":material/add:", width="stretch"),
        st.container(key="add-alerts"),
    ):
        _given(database, user)
        _detect()
        if data.stories():
            _demo(database, user)


def progress() -> None:
    """How far each running job is. Drawn by a fragment, again and again."""
    for number, job in enumerate(background.jobs()):
        if job.running:
            said = job.last()
            draw(
                f"job-{number}",
                el(
                    "p",
                    "row small",
                    el("strong", "", str(said.get("stage") or job.what)),
                    el("span", "mute", str(said.get("note") or "starting")),
                ),
            )
            st.progress(min(1.0, max(0.0, float(said.get("part") or 0.0))))


def say_what_came() -> None:
    """What the last action or job brought, once."""
    said = st.session_state.pop(SAID, None)
    if said is not None:
        draw("inbox-said", notice(said[0], tone=said[1]))
    for number, job in enumerate(list(background.jobs())):
        if job.running:
            continue
        ended = job.last()
        words, tone, lines = _ending(job.what, ended)
        if words is None:
            background.dismiss(job)
            continue
        draw(f"job-ended-{number}", notice(words, notes(lines), tone=tone))
        if st.button("Dismiss", key=f"dismiss-{job.log.name}"):
            session.action("bring alerts in")
            background.dismiss(job)
            st.rerun()


def _ending(what: str, said: dict[str, Any]) -> tuple[str | None, Tone, list[str]]:
    if "error" in said:
        return f"{what} did not work.", "bad", [str(said["error"])]
    problems = [str(one) for one in said.get("problems") or ()]
    if what == "Answering ahead" and not problems:
        return None, "mute", []
    alerts, new = int(said.get("alerts") or 0), int(said.get("new") or 0)
    came = load.Arrived(alerts, new).sentence() if alerts else "No alert was found."
    if said.get("nothing_new"):
        came = "No day is new or has changed since the last run."
    if problems:
        return f"{what}: {came} Not everything could be used:", "warn", problems
    return f"{what}: {came}", "good", []


def _given(database: Database, user: User) -> None:
    # Boxes with new keys are empty: once all was taken in, and not where something was refused.
    taken = st.session_state.get(TAKEN) or ""
    with st.form("inbox-paste", border=False):
        pasted = boxes.paste("Paste one or many", height=90, key=f"inbox-paste-box{taken}")
        files = st.file_uploader(
            "Files", accept_multiple_files=True, max_upload_size=50, key=f"inbox-files{taken}"
        )
        folder = ""
        if user.can("bring in alerts of this machine"):
            folder = boxes.line("or a folder on this machine", key=f"inbox-folder{taken}")
        sent = st.form_submit_button("Take them in", type="primary", key="inbox-take")
    if not sent or not (pasted.strip() or files or folder.strip()):
        return
    found = of_this_machine(folder)
    if folder.strip() and found is None:
        draw(
            "no-such-folder",
            notice(
                "There is no such folder or file.",
                "Write its path as this machine knows it.",
                tone="warn",
            ),
        )
        return
    if len(pasted) > HERE:  # a job's work, as files are
        session.action("bring alerts in")
        kept = background.work_folder() / f"paste-{time.time_ns()}"
        kept.write_text(pasted, encoding="utf-8", errors="surrogatepass")
        background.take_in_uploads("Reading the paste", [str(kept)])
    elif pasted.strip():
        try:
            arrived = load.receive_text(database, user.name, pasted)
        except BacktrailError as error:
            text.say_problem("paste-problem", "No alert was taken in.", error, tone="warn")
            return
        st.session_state[SAID] = (arrived.sentence(), "good")
    if found:
        background.take_in_folder(found)
    if files:
        background.take_in_uploads("Reading the files", _kept(files))
    st.session_state[TAKEN] = int(taken or 0) + 1
    st.rerun()


def _kept(files: list[Any]) -> list[str]:
    """The uploaded files on disk, under names of ours."""
    session.action("bring alerts in")
    folder = background.work_folder()
    paths = []
    for number, file in enumerate(files):
        path = folder / f"upload-{time.time_ns()}-{number}"
        path.write_bytes(file.getvalue())
        paths.append(str(path))
    return paths


def _detect(*, primary: bool = False) -> None:
    if st.button(
        "Find alerts in my logs",
        type="primary" if primary else "secondary",
        icon=":material/search_insights:",
        key="inbox-detect",
        disabled=not has_index(),
        help=None if has_index() else "Index some logs first.",
    ):
        background.detect()
        st.rerun()


def _demo(database: Database, user: User) -> None:
    if not data.stories():
        draw(
            "no-demo",
            el("p", "mute small", "Generate the demo on the ", link("index page", "index"), "."),
        )
        return
    if st.button("Take in the demo's alerts", icon=":material/inbox:", key="inbox-demo"):
        arrived = load.receive_demo(database, user.name)
        st.session_state[SAID] = (arrived.sentence(), "good")
        st.rerun()


def has_index() -> bool:
    try:
        return not data.open_index().summary().is_empty
    except BacktrailError:
        return False
