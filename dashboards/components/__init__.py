"""Pieces of a page that Streamlit does not have: the waterfall, the outcome chart."""
