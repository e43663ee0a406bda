"""The dashboard: `streamlit run app.py`. The server around it, and one run of a page inside it."""

from __future__ import annotations

import streamlit as st

from ui import frame, health, log, server

if __name__ == "__main__":  # a browser asks for a page
    with health.watched_run(), log.page_run(server.session_tag()) as line:
        page = frame.enter()
        line["page"] = page.url_path or "home"
        page.run()  # each page checks for itself what it may show, and to whom
else:  # Streamlit starts, and looks in here for what to serve
    server.start()
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=server.routes(),
        middleware=server.middleware(),
    )
