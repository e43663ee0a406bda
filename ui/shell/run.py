"""What one run of a page may know of itself, from Streamlit's inside."""

from __future__ import annotations

import hashlib

from streamlit.runtime.scriptrunner import get_script_run_ctx


def main_script() -> str:
    """The script that Streamlit runs; empty outside of a run."""
    context = get_script_run_ctx()
    return context.main_script_path if context else ""


def session_tag() -> str:
    """The same for all runs of one browser tab. Not its id, with which one could join it."""
    context = get_script_run_ctx()
    return hashlib.sha256(context.session_id.encode()).hexdigest()[:10] if context else ""
