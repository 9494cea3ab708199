"""A table to read: its rows lead nowhere, so none of them can be picked."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards.components.columns import usual_columns
from dashboards.components.picking_table import HEIGHT_MAX_PX, ROW_PX


def plain_table(
    table: pl.DataFrame,
    *,
    key: str,
    alt: str,
    columns: Mapping[str, Any] | None = None,
    height_max_px: int = HEIGHT_MAX_PX,
) -> None:
    """Draws the table."""
    height = min(height_max_px, ROW_PX * (table.height + 1) + 3)
    config = {**usual_columns(table), **(columns or {})}
    st.dataframe(table, key=key, alt=alt, hide_index=True, height=height, column_config=config)
