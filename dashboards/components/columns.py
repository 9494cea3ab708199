"""How tables show their columns, unless a page says otherwise."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards.moments import told_zones

LARGE = 1_000


def usual_columns(table: pl.DataFrame) -> Mapping[str, Any]:
    """Times with the reader's own zone at their head, large counts with separators."""
    large = {
        column.name: st.column_config.NumberColumn(format="localized")
        for column in table.iter_columns()
        if column.dtype.is_integer() and (column.abs() >= LARGE).any()
    }
    return {**told_zones(table), **large}
