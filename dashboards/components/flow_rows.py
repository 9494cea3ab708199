"""A short table of flows whose rows open them."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from dashboards import data, links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.markup import worded
from dashboards.scope import Scope
from dashboards.wording import clean, duration_text, plural, time_text

ROWS_MAX = 500


def flow_rows(flow_ids: Sequence[str], *, key: str, alt: str) -> None:
    """The flows that are named, the latest last; the last ones when they are many."""
    if not flow_ids:
        st.text("None of them lies in this selection.")
        return
    shown = data.overview(Scope(), flow_ids[-ROWS_MAX:]).flows
    cut = f"; the latest {shown.height:,} are listed" if shown.height < len(flow_ids) else ""
    st.caption(f"{plural(len(flow_ids), 'flow')}{cut}. Select a row to open the flow.")
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
