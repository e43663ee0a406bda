"""The dashboard: `streamlit run app.py`. Page settings, who is looking, and the way around."""

from __future__ import annotations

import streamlit as st

from ui.shell import frame, health, log, run, server, session

if __name__ == "__main__":  # a browser asks for a page
    with health.watched_run(), log.page_run(run.session_tag()) as line:
        page = frame.enter()
        line["page"] = page.url_path or "home"
        session.admit(page)  # a page that forgets to ask who is looking shows nobody anything
        page.run()
else:  # Streamlit starts, and looks in here for what to serve
    server.start()
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=server.routes(),
        middleware=server.middleware(),
    )
