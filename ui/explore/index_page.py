"""The index page: coverage, rejects, freshness, and adding a folder, files or the demo."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from trail.errors import BacktrailError, IndexMissing
from trail.index.passed_over import what_to_do
from trail.private import private_folder
from trail.store import DuckStore
from ui.kit import boxes, charts, phrases, text
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import fact, link, notice, title_of
from ui.parts import frames
from ui.parts.own_files import of_this_machine
from ui.shell import data, jobs, session
from ui.shell.session import User

PLACES = 30
MOST = 1_000
"""Rows of a table of the index."""


def show(user: User) -> None:
    draw("index-title", title_of("Event index"))
    _follow_job()
    try:
        store = data.open_index()
        is_empty = store.summary().is_empty
    except IndexMissing:
        is_empty = True
    except BacktrailError as error:
        text.say_problem("index-problem", "The index cannot be opened.", error)
        return
    if is_empty:
        job = jobs.current()
        if job is None or not job.running:
            _begin(user)
        return
    try:
        draw("index-facts", _facts(store))
        with st.container(border=True):
            _coverage(store, user)
        _add(user)
        _rejects(store, user)
    except BacktrailError as error:
        text.say_problem("index-problem", "The index cannot be read.", error)


def _begin(user: User) -> None:
    """The empty state: what an index is, and the two ways to have one."""
    own, demo = st.columns(2, gap="medium")
    with demo, st.container(border=True, height="stretch"):
        draw(
            "begin-demo",
            el(
                "div",
                "stack",
                el("h3", "panel-title", "Look around in a demo company"),
                el(
                    "p",
                    "",
                    "Thirty days of a small company's CloudTrail, about 200,000 events made up "
                    "from a seed, with attacks in it and the alerts they raise. It takes about a "
                    "minute and needs no AWS account.",
                ),
            ),
        )
        _demo_button(user, "Generate the demo", primary=True)
    with own, st.container(border=True, height="stretch"):
        draw(
            "begin-own",
            el(
                "div",
                "stack",
                el("h3", "panel-title", "Index your own logs"),
                el(
                    "p",
                    "",
                    "Point it at a folder of CloudTrail files, as they lie in S3: gzip or plain, "
                    "any depth. The files are read where they are and never changed.",
                ),
            ),
        )
        _add_forms(user)


def _facts(store: DuckStore) -> Node:
    summary, totals = store.summary(), store.totals()
    return el(
        "section",
        "alert",
        el(
            "div",
            "facts",
            fact("Events", phrases.number(summary.events)),
            fact("First (UTC)", phrases.when(summary.first)),
            fact("Last (UTC)", phrases.when(summary.last)),
            fact("Newest event is", _age(summary.last)),
            fact("Accounts", phrases.number(len(summary.accounts))),
            fact("Regions", phrases.number(len(summary.regions))),
            fact("Files", phrases.number(totals.get("files"))),
            fact("Skipped files", phrases.number(totals.get("skipped_files"))),
            fact("Duplicates", phrases.number(totals.get("duplicates"))),
            fact("Rejected", phrases.number(totals.get("rejected"))),
        ),
        el("p", "mute small", summary.records.equation) if summary.records else None,
        el("p", "mute small", "Kept in ", el("code", "", str(data.index_dir()))),
    )


def _age(last: datetime | None) -> str:
    if last is None:
        return "–"
    hours = (datetime.now(UTC) - last).total_seconds() / 3600
    if hours < 0:
        return "ahead of this clock"
    if hours < 48:
        return f"{hours:.0f} h old"
    return phrases.count(int(hours // 24), "day") + " old"


def _coverage(store: DuckStore, user: User) -> None:
    shown = data.kept(store.version(), "coverage", lambda: _held(store))
    draw(
        "coverage-title",
        el(
            "div",
            "row",
            el("h3", "panel-title", "Coverage"),
            el(
                "span",
                "mute small",
                "events per day, account and region; days without logs are hatched",
            ),
        ),
        el("p", "mute small", f"The busiest {PLACES} of {shown.places} places.")
        if shown.places > PLACES
        else None,
    )
    st.vega_lite_chart(
        shown.spec,
        key="coverage-map",
        width="stretch",
        alt="Events per day, account and region. The table below has the same numbers.",
    )
    with st.expander("The same as a table", key="coverage-as-table"):
        frames.show(
            shown.frame,
            "coverage",
            "Coverage per account and region",
            user,
            "export tables of the index",
        )


@dataclass(frozen=True)
class _Held:
    """The coverage of the busiest of so many places, as a map and as a table."""

    spec: charts.Spec
    frame: frames.Frame
    places: int


def _held(store: DuckStore) -> _Held:
    by_place: dict[str, dict[date, int]] = {}
    for cell in store.coverage_by_day():
        place = f"{cell.account or 'no account'} {cell.region or 'no region'}"
        days = by_place.setdefault(place, {})
        days[cell.day] = days.get(cell.day, 0) + cell.events
    busiest = sorted(by_place, key=lambda place: -sum(by_place[place].values()))[:PLACES]
    all_days = {day for place in busiest for day in by_place[place]}
    spec = charts.coverage_map(
        [
            (day, charts.chart_name(place), events)
            for place in busiest
            for day, events in sorted(by_place[place].items())
        ]
    )
    frame = frames.frame_of(
        {
            "Account and region": busiest,
            "Days with events": [len(by_place[place]) for place in busiest],
            "Days without": [len(all_days) - len(by_place[place]) for place in busiest],
            "Events": [sum(by_place[place].values()) for place in busiest],
            "First day": [min(by_place[place]) for place in busiest],
            "Last day": [max(by_place[place]) for place in busiest],
        }
    )
    return _Held(spec, frame, len(by_place))


def _add(user: User) -> None:
    with st.container(border=True):
        draw("add-title", el("h3", "panel-title", "Add logs"))
        left, right = st.columns([3, 1], gap="large")
        with left:
            _add_forms(user)
        if user.can("make the demo"):
            with right:
                draw(
                    "add-demo",
                    el("p", "mute small", "Or generate the demo company's days and add them."),
                )
                _demo_button(user, "Generate the demo")


def _add_forms(user: User) -> None:
    if user.can("add logs of this machine"):
        _add_folder()
    if user.can("add uploaded logs"):
        _add_files()


def _add_folder() -> None:
    with st.form("add-folder", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        folder = boxes.line("Folder or file on this machine", place=left, key="folder")
        if right.form_submit_button("Add folder", width="stretch", key="add-folder-send"):
            path = of_this_machine(folder)
            if path is None:
                draw(
                    "no-folder",
                    notice(
                        "There is no such folder or file.",
                        "Write its path as this machine knows it, then add it again.",
                        tone="warn",
                    ),
                )
            else:
                jobs.add_folder(path)
                st.rerun()


def _add_files() -> None:
    with st.form("add-files", border=False, clear_on_submit=True):
        uploads = st.file_uploader("Or upload log files", accept_multiple_files=True, key="uploads")
        if st.form_submit_button("Add files", key="add-files-send") and uploads:
            jobs.add_uploads(_kept(uploads))
            st.rerun()


def _kept(uploads: list[st.runtime.uploaded_file_manager.UploadedFile]) -> Path:
    """The folder that the uploads were written to: raw records are re-read from there later."""
    session.action("add uploaded logs")
    folder = data.index_dir().resolve().parent / "uploads" / str(time.time_ns())
    private_folder(folder)
    for number, upload in enumerate(uploads):
        # The browser chose the name: only its last part is used, below a number of ours.
        name = Path(upload.name.replace("\\", "/")).name.lstrip(".") or "log"
        (folder / f"{number:03}-{name[-120:]}").write_bytes(upload.getvalue())
    return folder


def _demo_button(user: User, words: str, *, primary: bool = False) -> None:
    if user.can("make the demo") and st.button(
        words, type="primary" if primary else "secondary", key="make-demo"
    ):
        jobs.start_demo()
        st.rerun()


def _follow_job() -> None:
    job = jobs.current()
    if job is None:
        return
    if job.running:
        session.fragment("index", _progress, 0.7)
        return
    said = job.last()
    jobs.forget()
    if "error" in said:
        draw("job-failed", notice("The logs could not be added.", str(said["error"]), tone="bad"))
        return
    stories = data.stories()
    events, rejected, skipped = (int(said.get(n, 0)) for n in ("events", "rejected", "skipped"))
    advice = what_to_do(
        events=events, duplicates=int(said["duplicates"]), files=int(said["files"]),
        unchanged=int(said["unchanged"]), rejected=rejected, skipped=skipped,
    )  # fmt: skip
    reasons = [str(line) for line in said.get("passed_over", [])]
    draw(
        "job-done",
        notice(
            _outcome(events, rejected, skipped),
            f"{phrases.count(int(said['events']), 'event')} added from "
            f"{phrases.count(int(said['files']), 'file')};"
            f" {phrases.count(int(said['duplicates']), 'duplicate')}, "
            f"{said['rejected']:,} rejected,"
            f" {skipped:,} skipped, {phrases.count(int(said['unchanged']), 'file')} unchanged.",
            *(el("span", "small", line) for line in reasons),
            el("span", "", advice) if advice else None,
            el("span", "", link("Open an alert", "triage"))
            if stories
            else el("span", "", link("Triage an alert", "triage")),
            tone="good" if advice is None else "warn",
        ),
    )


def _outcome(events: int, rejected: int, skipped: int) -> str:
    """What became of a job, in a few words: "Done." only where nothing is left to be said."""
    if events == 0:
        return "No events were added."
    if rejected:
        return "Added, but some could not be read."
    return "Added; some files are no CloudTrail." if skipped else "Done."


def _progress() -> None:
    job = jobs.current()
    if job is None or not job.running:
        st.rerun()
    said = job.last()
    part = said.get("part", 0.0)
    st.progress(min(1.0, max(0.0, float(part))))
    draw(
        "job-progress",
        el(
            "p",
            "",
            el("strong", "", f"{said.get('stage', job.what)} "),
            el("span", "mute", str(said.get("note", "starting"))),
        ),
    )


def _rejects(store: DuckStore, user: User) -> None:
    """What could not be read, and what was skipped, each as a table to look through."""
    rejects = store.rejects()
    with st.container(border=True):
        draw(
            "rejects",
            el("h3", "panel-title", "Rejected records"),
            el("p", "mute small", f"{phrases.count(len(rejects), 'record')} could not be read.")
            if rejects
            else el("p", "mute", "None: every record of every file could be read."),
        )
        if rejects:
            columns: dict[str, list[Any]] = {
                "File": [reject.path for reject in rejects],
                "Where": [reject.position for reject in rejects],
                "Why": [reject.reason for reject in rejects],
            }
            _listed(user, "rejects", "Rejected records", columns)
        if skips := store.skips():
            draw(
                "skips",
                el("p", "mute small", f"{phrases.count(len(skips), 'file')} skipped: no events."),
            )
            skipped: dict[str, list[Any]] = {
                "File": [path for path, _ in skips],
                "Why": [why for _, why in skips],
            }
            _listed(user, "skips", "Skipped files", skipped)
        if found := store.skipped_records():
            count = sum(records for _, _, records in found)
            draw(
                "skipped-records",
                el(
                    "p",
                    "mute small",
                    f"{phrases.count(count, 'record')} skipped as no events, in files that hold "
                    "others.",
                ),
            )
            left_out: dict[str, list[Any]] = {
                "File": [path for path, _, _ in found],
                "Why": [why for _, why, _ in found],
                "Records": [records for _, _, records in found],
            }
            _listed(user, "skipped-records", "Skipped records", left_out)


def _listed(user: User, name: str, caption: str, columns: Mapping[str, Sequence[Any]]) -> None:
    known = len(next(iter(columns.values())))
    if known > MOST:
        draw(f"{name}-cut", el("p", "mute small", f"The first {MOST:,} of {known:,}."))
    shown = frames.frame_of({head: values[:MOST] for head, values in columns.items()})
    frames.show(shown, name, caption, user, "export tables of the index")
