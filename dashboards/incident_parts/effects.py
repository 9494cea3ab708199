"""What an incident left standing: the list that somebody works off.

Money went astray in two directions: what was never undone, and what was undone though it did not
stand. Who works the list off does opposite things about them, so each row says which it is.
"""

from functools import partial

import polars as pl
import streamlit as st

from dashboards import data, links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.wording import amount_text, clean, plural
from store.conclusions import Incident
from store.read import read_sagas

COLUMNS = (
    "flow", "what", "step", "at", "amount", "resource", "reference there", "idempotency key",
)  # fmt: skip
NEVER, EXCESS = "✖ never undone", "↩ undid what did not stand"


def effects_tab(incident: Incident) -> None:
    """One row per effect left standing, and the command that lists them all."""
    path = data.store_path()
    table = effects_of(str(path), data.stamp_of(path), tuple(incident.flow_ids))
    if table.is_empty():
        st.text(
            f"No effect is known to be left standing in {plural(len(incident.flow_ids), 'flow')}. "
            "What could not be told is on the Data quality page."
        )
    else:
        flows = table["flow"].n_unique()
        never = table.filter(pl.col("what") == NEVER).height
        st.caption(
            f"In {plural(flows, 'flow')} a person has to look: {plural(never, 'effect')} were "
            f"never undone, and {plural(table.height - never, 'compensation')} undid what did not "
            "stand. Select a row to open its flow."
        )
        row = picking_table(
            table, key="incident_effects", alt="Effects left standing", height_max_px=520
        )
        if row is not None:
            links.open_trace(table["flow"][row])
        exports(table, "effects-left-standing")
    with st.expander("From the command line"):
        links.as_command("sagas", "list", "--residual", "--format", "csv")


@st.cache_resource(max_entries=4, show_spinner="Reading effects …")
def effects_of(path: str, stamp: data.Stamp, flow_ids: tuple[str, ...]) -> pl.DataFrame:
    """Effects left standing of some flows, as rows of text, those never undone first."""
    del stamp  # only part of the key
    with data.one_lease():
        sagas = data.held("effects left", lambda session: read_sagas(session, list(flow_ids)), path)
        left = [saga.flow_id for saga in sagas if saga.residual_effects]
        question = partial(data.asked, name="undoing_steps", params={"flow_ids": left})
        undoing = frozenset(data.held("steps that undo", question, path).iter_rows())
    rows = [
        (
            saga.flow_id,
            EXCESS if (saga.flow_id, effect.step) in undoing else NEVER,
            clean(effect.step),
            clean(effect.callee),
            amount_text(effect.amount, effect.currency),
            clean(effect.resource or "–"),
            clean(effect.external_ref or "–"),
            clean(effect.idempotency_key or "–"),
        )
        for saga in sagas
        for effect in saga.residual_effects
    ]
    rows.sort(key=lambda row: row[1] == EXCESS)
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
