"""The fixture that sets this process's AWS settings to a server of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.an_s3 import SETTINGS, AnS3, an_s3


@pytest.fixture(scope="session")
def s3_server() -> Iterator[AnS3]:
    with an_s3() as server:
        yield server


@pytest.fixture
def s3(s3_server: AnS3, monkeypatch: pytest.MonkeyPatch) -> AnS3:
    """The server, empty, and this process's AWS settings set to it."""
    s3_server.reset()
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BACKTRAIL_AWS", "on")
    return s3_server
