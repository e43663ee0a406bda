"""The lead's page: what waits for review, how the team does, who is who, what history says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from cases.database import Database
from ui.cases import history_view, metrics_view, people_view, review_queue
from ui.kit import links
from ui.kit.dress import dress, heading, tabs
from ui.kit.markup import draw
from ui.shell import permissions
from ui.shell.session import User

VIEWS: Mapping[str, tuple[str, Callable[[Database, User], None]]] = {
    "queue": ("For review", review_queue.show),
    "metrics": ("Metrics", metrics_view.show),
    "people": ("People", people_view.show),
    "history": ("History", history_view.show),
}


def show(database: Database, user: User) -> None:
    """The views that are open to the user; another one's address shows the first of these."""
    dress()
    opened = {name: view for name, view in VIEWS.items() if user.may(permissions.VIEWS[name])}
    asked = st.query_params.get("view", "queue")
    view = asked if asked in opened else next(iter(opened))
    draw(
        "review-views",
        heading("Review"),
        tabs(
            "Views",
            [
                (
                    words,
                    links.address("review", {"view": name}),
                    review_queue.waiting(database) if name == "queue" else None,
                    name == view,
                )
                for name, (words, _) in opened.items()
            ],
        ),
    )
    opened[view][1](database, user)
