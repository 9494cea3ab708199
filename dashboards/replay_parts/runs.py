"""All replays the store holds of the flows in scope, by how they were made and what was changed."""

from functools import partial

import polars as pl
import streamlit as st

from dashboards import data, links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.data import Stamp
from dashboards.replay_parts.stored import MODES
from dashboards.scope import Scope
from dashboards.wording import clean, plural


def runs_part(scope: Scope) -> None:
    """One row per way of replaying and what-if; a row opens one of its flows."""
    path = data.store_path()
    found = _runs(str(path), data.stamp_of(path), scope)
    st.subheader(f"Stored replays ({plural(found.height, 'run')})")
    if found.is_empty():
        st.text("None is stored of these flows. The command stores what it replays:")
        links.as_command("replay", "batch")
        return
    st.caption("Select a row to open one of its flows, one that went another way first.")
    table = pl.DataFrame([_row(row) for row in found.iter_rows(named=True)])
    row = picking_table(table, key="replay_runs", alt="Stored replays by what was different")
    exports(table, "replay-runs")
    if row is not None:
        links.open_replay(str(found["example"][row]))


def _row(row: dict[str, object]) -> dict[str, object]:
    what_if = row["scenario"] is not None
    return {
        "replayed": MODES.get(str(row["mode"]), clean(str(row["mode"]))),
        "with": clean(str(row["scenario"])) if what_if else "nothing changed",
        "flows": row["flows"],
        "✔ identical": row["identical"],
        "✔ equivalent": row["equivalent"],
        "✖ diverged": row["diverged"],
        "? not replayable": row["unreplayable"],
        "make a claim": f"{row['claims']:,} of {row['flows']:,}" if what_if else "–",
        "programs": row["programs"],
    }


@st.cache_resource(max_entries=16, show_spinner="Reading replays …")
def _runs(path: str, stamp: Stamp, scope: Scope) -> pl.DataFrame:
    del stamp  # only part of the key
    question = partial(data.asked, name="replays_within", params=data.params_of(scope))
    return data.held("stored replays", question, path)
