"""Keeps the libraries out of Python's garbage collection, which halts every session at once.

A server with pandas, Arrow and Streamlit loaded has half a million objects that will never be
garbage. Walking them takes 60 ms and more; Streamlit would do it after every rerun
(`postScriptGC`, off in our settings), and Python itself still does now and then.
"""

from __future__ import annotations

import gc
import sys

_modules = 0


def spare_the_libraries() -> None:
    """Sets aside what is loaded, each time that a page has loaded more: a few times per server."""
    global _modules
    if len(sys.modules) > _modules:
        _modules = len(sys.modules)
        gc.collect()
        gc.freeze()
