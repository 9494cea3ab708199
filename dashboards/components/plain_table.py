"""A table to read: its rows lead nowhere, so none of them can be picked."""

import polars as pl
import streamlit as st

from dashboards.components.picking_table import HEIGHT_MAX_PX, ROW_PX


def plain_table(
    table: pl.DataFrame, *, key: str, alt: str, height_max_px: int = HEIGHT_MAX_PX
) -> None:
    """Draws the table."""
    height = min(height_max_px, ROW_PX * (table.height + 1) + 3)
    st.dataframe(table, key=key, alt=alt, hide_index=True, height=height)
