"""What the pages draw with: the only place besides `app.py` and `pages/` that knows Streamlit."""
