"""What somebody sees who is not signed in, has no role, or has the wrong one for a page."""

from __future__ import annotations

import streamlit as st

from cases.errors import SignedOut
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import notice, title_of
from ui.shell import provider, who
from ui.shell.people import SHEET, label


def ask(why: SignedOut) -> None:
    """The first screen: one button for each provider."""
    draw(
        "sign-in",
        title_of("Sign in to Backtrail"),
        el("p", "sentence", str(why).replace(" Sign in again.", "") if _had_one() else _WELCOME),
        _how_it_ended(),
    )
    for name in provider.names():
        words = "Sign in" if name == provider.DEFAULT else f"Sign in with {_plain(name)}"
        if st.button(words, type="primary", key=f"sign-in-{name}"):
            st.login(None if name == provider.DEFAULT else name)


_WELCOME = "What is behind this page is for people who have a role in it."


_ENDINGS = {
    provider.DENIED: "Your identity provider refused, or you declined there. Sign in again with an"
    " account that is allowed to use Backtrail, or ask whoever runs the provider to allow yours.",
    provider.FAILED: "The way back from your identity provider was too old, was used before or"
    " began in another browser, or the provider's answer did not hold. Sign in again. If it stays"
    " so, whoever runs Backtrail finds the reason in its log.",
}


def _how_it_ended() -> Node | None:
    """That signing in failed, and what to do; None where nobody has tried."""
    found = _ENDINGS.get(st.query_params.get(provider.OUTCOME, ""))
    return None if found is None else notice("Signing in failed.", found, tone="warn")


def _had_one() -> bool:
    return provider.CLAIM in st.user


def say_no_role(user: who.User) -> None:
    """One page for whoever the provider knows and nobody gave a role."""
    draw(
        "no-role",
        title_of("You have no role in Backtrail"),
        el(
            "p",
            "sentence",
            f"You are signed in as {_shown(user)}. That account is in none of the groups that have"
            " a role here, or a lead has put it out of action. Ask whoever runs Backtrail, then"
            " sign in again.",
        ),
    )
    sign_out_button()


def say_closed(user: who.User) -> None:
    """The page's one sentence for a role that it is not open to."""
    draw(
        "page-closed",
        title_of("This page is not open to your role"),
        el(
            "p",
            "sentence",
            f"{_shown(user)} is {'an' if user.role == 'analyst' else 'a'} {user.role} here."
            " Ask whoever runs Backtrail for access.",
        ),
    )


def menu(user: who.User) -> None:
    """Who is signed in, at the top of every page, and signing out."""
    with st.container(key="who-menu"):
        st.html(SHEET)
        drawer = st.popover(
            label(user.name, user.role or "no role"),
            icon=":material/person:",
            key="who",
            on_change="rerun",
        )
        if drawer.open:
            with drawer:
                draw("who-is-it", el("p", "small", _shown(user)))
                sign_out_button()


def sign_out_button() -> None:
    if st.button("Sign out", icon=":material/logout:", key="sign-out"):
        who.sign_out()


def _shown(user: who.User) -> str:
    email = user.actor.email
    return f"{user.name} ({email})" if email and email not in user.name else user.name


def _plain(name: str) -> str:
    """A button's label is Markdown; a provider's name in the settings is one word."""
    return "".join(one for one in name if one.isalnum() or one in " -").capitalize()
