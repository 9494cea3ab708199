"""A short table of flows whose rows open them."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.markup import worded
from dashboards.wording import clean, duration_text, plural, time_text

ROWS_MAX = 500


def flow_rows(flows: pl.DataFrame, flow_ids: Sequence[str], *, key: str, alt: str) -> None:
    """Those of the flows that are named, the first ones when they are many."""
    chosen = flows.filter(pl.col("flow_id").is_in(list(flow_ids)))
    if chosen.is_empty():
        st.text("None of them lies in this selection.")
        return
    shown = chosen.head(ROWS_MAX)
    cut = f"; the latest {shown.height:,} are listed" if shown.height < chosen.height else ""
    st.caption(f"{plural(chosen.height, 'flow')}{cut}. Select a row to open the flow.")
    table = pl.DataFrame([_row(row) for row in shown.iter_rows(named=True)])
    row = picking_table(table, key=key, alt=alt, height_max_px=420)
    if row is not None:
        links.open_trace(shown["flow_id"][row])
    exports(table, key.replace("_", "-"))


def _row(row: dict[str, object]) -> dict[str, object]:
    problems, effects = row["problems"], row["effects"]
    took = row["duration_ns"]
    return {
        "flow": row["flow_id"],
        "name": clean(str(row["name"])),
        "version": clean(str(row["version"] or "–")),
        "began": time_text(int(str(row["start_ns"]))),
        "took": duration_text(took if isinstance(took, int) else None),
        "ended": worded(str(row["outcome"])),
        "saga": worded(str(row["verdict"])) if row["verdict"] else "no saga",
        "effects left": effects,
        "problems": ", ".join(map(str, problems)) if isinstance(problems, list) else "",
    }
