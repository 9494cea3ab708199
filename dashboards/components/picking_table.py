"""A table whose rows lead somewhere: a click on a row or cell picks it."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards.components.columns import usual_columns
from dashboards.components.picks import followed, pick_key

ROW_PX = 35
HEIGHT_MAX_PX = 340


def picking_table(
    table: pl.DataFrame,
    *,
    key: str,
    alt: str,
    columns: Mapping[str, Any] | None = None,
    height_max_px: int = HEIGHT_MAX_PX,
) -> int | None:
    """Draws the table, returns the number of the row just picked; the next run has none picked."""
    state = st.dataframe(
        table,
        key=pick_key(key),
        alt=alt,
        hide_index=True,
        height=min(height_max_px, ROW_PX * (table.height + 1) + 3),
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        column_config={**usual_columns(table), **(columns or {})},
    )
    row = picked_row(state)
    if row is not None:
        followed(key)
    return row


def picked_row(state: Any) -> int | None:
    """Row of a selection, whether a whole row or one cell of it was clicked."""
    selection = state.get("selection", {})
    rows, cells = selection.get("rows", []), selection.get("cells", [])
    if rows:
        return int(rows[0])
    return int(cells[0][0]) if cells else None
