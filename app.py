"""The dashboard: `streamlit run app.py`. Page settings, who is looking, and the way around."""

from __future__ import annotations

from ui import frame, session

session.current_user()  # a sign-in goes here; each page checks for itself what it may show
frame.enter().run()
