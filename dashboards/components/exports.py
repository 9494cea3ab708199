"""A table of a page as a file: CSV without formulas, or JSON."""

import csv
import io
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import streamlit as st

from retrospan.text import csv_cell


def exports(table: pl.DataFrame, name: str) -> None:
    """Two buttons that save all rows of the table under the name, as seen on the page."""
    with st.container(horizontal=True, gap="small"):
        for label, suffix, mime, text in (
            ("Save CSV", "csv", "text/csv", as_csv),
            ("Save JSON", "json", "application/json", as_json),
        ):
            st.download_button(
                label,
                data=text(table),
                file_name=f"{name}.{suffix}",
                mime=mime,
                key=f"export-{name}-{suffix}",
                on_click="ignore",
                type="tertiary",
            )


def as_csv(table: pl.DataFrame) -> str:
    """One line per row; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(csv_cell, table.columns))
    for row in table.iter_rows():
        cells = ("; ".join(map(str, it)) if isinstance(it, list) else it for it in row)
        writer.writerow(map(csv_cell, cells))
    return text.getvalue()


def as_json(table: pl.DataFrame) -> str:
    """A list of rows with sorted keys; exact numbers as text."""
    rows = list(table.iter_rows(named=True))
    return json.dumps(rows, sort_keys=True, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, Decimal | Fraction):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
