"""The identity provider, as Streamlit's `secrets.toml` names it under `[auth]`.

Where that section is, people sign in, and local users are off. What Streamlit keeps of it is read
through Streamlit's own functions, whose version is pinned.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from streamlit import config
from streamlit.auth_util import get_redirect_uri, get_secrets_auth_section, is_authlib_installed
from streamlit.runtime.secrets import AttrDict

from cases.errors import SettingRefused
from cases.roles import ROLES_SETTING, sign_in_settings

CLAIM = "backtrail_sign_in"
"""The one claim of `st.user` that is asked: the id of a sign-in, put there by `ui.shell.door`."""
DEFAULT = "default"
CALLBACK = "/oauth2callback"
OUTCOME, FAILED, DENIED = "sign-in", "failed", "denied"
"""Parameter of the first page's address that says how signing in ended, where it did not succeed;
anybody can make a link with it, which says no more than that."""
SHORTEST_SECRET = 32


_kept: Mapping[str, Any] = {}


def _section() -> Mapping[str, Any]:
    """The `[auth]` section. Once it was there it stays: a server that lost its secrets file while
    it runs must not become one where names are chosen."""
    global _kept
    if not _kept:
        _kept = get_secrets_auth_section().to_dict()
    return _kept


def is_on() -> bool:
    """Whether people sign in."""
    return bool(_section())


def names() -> list[str]:
    """The providers to choose from, `default` for the one that has no name of its own."""
    section = _section()
    own = [DEFAULT] if section.get("server_metadata_url") else []
    return own + [
        name
        for name, value in section.items()
        if isinstance(value, Mapping) and value.get("server_metadata_url")
    ]


def address() -> str:
    """Where the dashboard is reached: scheme, host and port of the redirect address."""
    parts = urlsplit(_redirect())
    return f"{parts.scheme}://{parts.netloc}"


def _redirect() -> str:
    return get_redirect_uri(AttrDict(_section())) or ""


def by_tls() -> bool:
    """Whether browsers come by TLS. The setting says so; no header of a request can."""
    return address().startswith("https://")


def refuse_unready() -> None:
    """Raises `SettingRefused` when sign-in is on and could not keep what it promises."""
    if not is_on():
        return
    section, redirect = _section(), _redirect()
    parts = urlsplit(redirect)
    problem = None
    if not is_authlib_installed():
        problem = "sign-in needs Authlib: install requirements.txt again"
    elif not names():
        problem = "[auth] names no provider: it needs client_id, client_secret, server_metadata_url"
    elif not redirect.endswith(CALLBACK):
        problem = f"redirect_uri has to be the dashboard's address and {CALLBACK}"
    elif parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        problem = "redirect_uri has to begin with https://, or a cookie could be read on its way"
    elif len(str(section.get("cookie_secret", ""))) < SHORTEST_SECRET:
        problem = f"cookie_secret needs {SHORTEST_SECRET} random characters or more"
    elif config.get_option("server.trustedUserHeaders"):
        problem = "server.trustedUserHeaders would let a header say who somebody is: take it out"
    if problem is not None:
        raise SettingRefused(f"Sign-in cannot be offered: {problem}.")
    if not sign_in_settings().roles:
        raise SettingRefused(
            f"Sign-in cannot be offered: {ROLES_SETTING} gives nobody a role. Write for example"
            f' {ROLES_SETTING}="lead=security-leads; analyst=security".'
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
