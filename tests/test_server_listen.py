"""An address where nothing can listen is a sentence, before any server is started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.a_dashboard import ROOT

AND_SIGN_IN = "without sign-in whoever reaches it sees everything"


def listen(*options: str, **environment: str) -> tuple[int, str]:
    """The exit code and all that was said."""
    done = subprocess.run(
        [sys.executable, "-m", "ui.shell.listen", *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("127.0.0.300", "no name service of this machine knows that name"),
        ("nobody.invalid", "no name service of this machine knows that name"),
        ("192.0.2.1", "this machine has no such address"),
        ("[::1]", "write an IPv6 address without brackets"),
        ("127.0.0.1:8501", "A port is a setting of its own"),
        ("0.0.0.0", AND_SIGN_IN),
    ],
)
def test_a_bad_address_is_a_sentence_and_no_traceback(address: str, says: str) -> None:
    code, said = listen("--server.address", address)
    assert code == 1
    assert f"Backtrail cannot listen at {address}: " in said or says == AND_SIGN_IN
    assert says in said
    assert "Traceback" not in said


def test_the_environment_counts_as_it_does_for_streamlit() -> None:
    code, said = listen(STREAMLIT_SERVER_ADDRESS="nobody.invalid")
    assert (code, "no name service" in said) == (1, True)
    code, said = listen("--nonsense")
    assert (code, "No such option" in said) == (2, True)
