"""What a user sees: Streamlit pages over the store.

In: a store path. Out: pages on loopback. Start reading at `app.py`, then `views/`.
"""
