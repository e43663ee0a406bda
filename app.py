"""The dashboard: `streamlit run app.py`. Page settings, who is looking, and the way around."""

from __future__ import annotations

from ui import frame

frame.enter().run()  # each page checks for itself what it may show, and to whom
