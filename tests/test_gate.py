"""Which requests the gate lets through: by host, Origin, and what the browser says of them."""

from __future__ import annotations

from typing import Any

import pytest

from ui.shell.gate import (
    Gate,
    ServerRefused,
    Site,
    check_address,
    configured_sites,
    is_loopback,
    local_sites,
)

PORT = 8501
OWN = f"127.0.0.1:{PORT}"


async def _nothing(*arguments: Any) -> None:
    raise AssertionError("only `refusal` is tried here")


def _refused(
    headers: dict[str, str] | list[tuple[str, str]],
    *,
    server: tuple[str, int | None] = ("127.0.0.1", PORT),
    kind: str = "http",
    method: str = "GET",
    hosts: str = "",
    sign_in: bool = False,
    scheme: str = "http",
) -> str | None:
    """The reason why a request with these headers is refused."""
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    scope = {
        "type": kind,
        "method": method,
        "path": "/_stcore/stream" if kind == "websocket" else "/",
        "server": server,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs],
    }
    gate = Gate(_nothing, configured_sites(hosts), sign_in, scheme)
    refusal = gate.refusal(scope)
    return refusal.reason if refusal else None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (OWN, None),
        ("localhost:8501", None),
        ("LOCALHOST:8501", None),
        ("[::1]:8501", None),
        ("evil.example:8501", "host"),
        ("evil.example", "host"),
        ("127.0.0.1", "host"),  # port 80
        ("127.0.0.1:8502", "host"),
        ("localhost:85010", "host"),
        ("localhost.:8501", "host"),
        ("127.0.0.1.evil.example:8501", "host"),
        ("evil.example@127.0.0.1:8501", "host"),
        ("127.0.0.1:8501/", "host"),
        ("0.0.0.0:8501", "host"),
        ("127.1:8501", "host"),
        ("", "host"),
    ],
)
def test_only_our_own_host_and_port(kind: str, host: str, reason: str | None) -> None:
    assert _refused({"host": host}, kind=kind) == reason


def test_one_host_is_named_and_no_more() -> None:
    assert _refused({}) == "host"
    assert _refused([("host", OWN), ("host", "evil.example")]) == "host"
    assert _refused([("host", OWN), ("host", OWN)]) == "host"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (f"http://{OWN}", None),
        (f"HTTP://{OWN}", None),
        ("http://localhost:8501", "origin"),  # ours too, but not the page that asks
        (f"https://{OWN}", "origin"),
        ("http://127.0.0.1:8502", "origin"),
        ("http://127.0.0.1", "origin"),
        ("https://evil.example", "origin"),
        ("null", "origin"),
        ("", "origin"),
        ("file://", "origin"),
        (f"http://{OWN}.evil.example", "origin"),
        (f"http://evil.example@{OWN}", "origin"),
    ],
)
def test_only_our_own_origin(kind: str, origin: str, reason: str | None) -> None:
    assert _refused({"host": OWN, "origin": origin}, kind=kind) == reason


def test_two_origins_are_both_ours_or_refused() -> None:
    pairs = [("host", OWN), ("origin", f"http://{OWN}"), ("origin", "https://evil.example")]
    assert _refused(pairs) == "origin"


@pytest.mark.parametrize(
    ("site", "mode", "where", "method", "reason"),
    [
        ("same-origin", "cors", "empty", "GET", None),
        ("none", "navigate", "document", "GET", None),
        ("cross-site", "navigate", "document", "GET", None),  # a link in a ticket
        ("same-site", "navigate", "document", "GET", None),
        ("cross-site", "navigate", "document", "POST", "fetch site"),
        ("cross-site", "navigate", "iframe", "GET", "fetch site"),
        ("same-origin", "navigate", "iframe", "GET", "fetch site"),
        ("none", "navigate", "object", "GET", "fetch site"),
        ("cross-site", "no-cors", "script", "GET", "fetch site"),
        ("same-site", "no-cors", "image", "GET", "fetch site"),  # another port of localhost
        ("cross-site", "no-cors", "empty", "GET", "fetch site"),
        ("new-word", "no-cors", "empty", "GET", "fetch site"),
    ],
)
def test_other_pages_may_link_to_us_and_nothing_else(
    site: str, mode: str, where: str, method: str, reason: str | None
) -> None:
    headers = {
        "host": OWN,
        "sec-fetch-site": site,
        "sec-fetch-mode": mode,
        "sec-fetch-dest": where,
    }
    assert _refused(headers, method=method) == reason


def test_the_port_of_the_scheme_is_left_out() -> None:
    assert _refused({"host": "localhost"}, server=("127.0.0.1", 80)) is None
    assert _refused({"host": "localhost"}, server=("127.0.0.1", 443), scheme="https") is None
    assert _refused({"host": "localhost"}, server=("127.0.0.1", 443)) == "host"


def test_another_loopback_address_answers_to_itself() -> None:
    assert _refused({"host": "127.0.0.2:8501"}, server=("127.0.0.2", PORT)) is None
    assert _refused({"host": "127.0.0.2:8501"}) == "host"


@pytest.mark.parametrize("server", [("192.0.2.7", PORT), ("::", PORT), ("", None)])
def test_without_sign_in_nobody_else_s_machine_is_answered(server: tuple[str, int | None]) -> None:
    assert _refused({"host": OWN}, server=server) == "not loopback"


def test_a_deployment_answers_to_its_names() -> None:
    hosts = "backtrail.example.org, http://backtrail.internal:8080"
    at = {"server": ("192.0.2.7", PORT), "hosts": hosts, "sign_in": True}
    own = {"host": "backtrail.example.org"}
    assert _refused(own, **at) is None  # type: ignore[arg-type]
    assert _refused({**own, "origin": "https://backtrail.example.org"}, **at) is None  # type: ignore[arg-type]
    assert _refused({**own, "origin": "http://backtrail.example.org"}, **at) == "origin"  # type: ignore[arg-type]
    internal = {"host": "backtrail.internal:8080", "origin": "http://backtrail.internal:8080"}
    assert _refused(internal, **at) is None  # type: ignore[arg-type]
    assert _refused({"host": "backtrail.example.org:8080"}, **at) == "host"  # type: ignore[arg-type]
    assert _refused({"host": OWN}, **at) == "host"  # type: ignore[arg-type] # from afar


@pytest.mark.parametrize(
    ("setting", "sites"),
    [
        ("", ()),
        ("a.example", (Site("https", "a.example"),)),
        ("A.example:443 b:8443", (Site("https", "a.example"), Site("https", "b:8443"))),
        ("http://c:80/,", (Site("http", "c"),)),
        ("https://[2001:db8::1]:9", (Site("https", "[2001:db8::1]:9"),)),
    ],
)
def test_hosts_as_they_are_written(setting: str, sites: tuple[Site, ...]) -> None:
    assert configured_sites(setting) == sites


@pytest.mark.parametrize(
    "setting", ["*", "*.example", "https://a/b", "a:x", "a:99999", "ftp://a", "a@b", "ä.example"]
)
def test_hosts_that_are_none_are_refused(setting: str) -> None:
    with pytest.raises(ServerRefused, match="BACKTRAIL_HOSTS"):
        configured_sites(setting)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("::ffff:10.0.0.1", False),
        ("", False), ("example.org", False),
    ],
)  # fmt: skip
def test_loopback(address: str, own: bool) -> None:
    assert is_loopback(address) is own


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.0.2.7", "box", "unix:///x"])
def test_no_open_address_without_sign_in(address: str | None) -> None:
    with pytest.raises(ServerRefused, match="sign-in"):
        check_address(address, sign_in=False)
    check_address(address, sign_in=True)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("[::1]", "at [::1]: write an IPv6 address without brackets, --server.address ::1"),
        ("127.0.0.1:80", "A port is a setting of its own, --server.port"),
    ],
)
def test_what_is_no_address_is_told_in_words(address: str, why: str) -> None:
    for sign_in in (True, False):
        with pytest.raises(ServerRefused) as refused:
            check_address(address, sign_in=sign_in)
        assert why in str(refused.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_sign_in(address: str) -> None:
    check_address(address, sign_in=False)


def test_what_a_browser_here_may_call_us() -> None:
    hosts = [site.host for site in local_sites("::1", 8501)]
    assert hosts == ["localhost:8501", "127.0.0.1:8501", "[::1]:8501"]
