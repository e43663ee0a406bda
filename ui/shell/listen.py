"""`python -m ui.shell.listen [options of streamlit run]`: the dashboard, where it can listen.

Streamlit binds its address before any code of ours runs, and ends with a traceback where it cannot.
The front door asks here first, by the same settings: options, environment, config.toml.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Sequence

import click
from streamlit import config
from streamlit.web import bootstrap
from streamlit.web.cli import main_run

from ui.shell import provider
from ui.shell.gate import ServerRefused, check_address, no_address


def main(arguments: Sequence[str] | None = None) -> int:
    """Never returns where the dashboard starts; 1 after a sentence about what is wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = main_run.make_context("streamlit run", ["app.py", *given]).params
    except click.ClickException as error:
        error.show()
        return error.exit_code
    bootstrap.load_config_options({n: v for n, v in options.items() if n not in ("target", "args")})
    address: str | None = config.get_option("server.address")
    try:
        if address and no_address(address) is None:
            _try(address)
        check_address(address, sign_in=provider.is_on())
    except ServerRefused as error:
        print(f"backtrail: {error}", file=sys.stderr)
        return 1
    program = [sys.executable, "-m", "streamlit", "run", "app.py", *given]
    return os.execv(program[0], program)  # noqa: S606 # our own program, without a shell


def _try(address: str) -> None:
    """Raises `ServerRefused` where nothing can listen at the address, whatever the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET  # as Streamlit chooses it
    try:
        with socket.socket(family) as tried:
            tried.bind((address, 0))
    except OSError as error:
        raise ServerRefused(f"Backtrail cannot listen at {address}: {_why(error)}") from None


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return (
            "no name service of this machine knows that name. Check its spelling, or write the"
            " address itself (--server.address 127.0.0.1)."
        )
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return (
            "this machine has no such address (`ip address` lists those that it has). Use"
            " --server.address 127.0.0.1."
        )
    return f"{error.strerror or error}. Use --server.address 127.0.0.1."


if __name__ == "__main__":
    raise SystemExit(main())
