"""Replays of the whole selection, told as changes of how flows end."""

from collections import Counter

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.flow_filters import FlowFilters
from dashboards.markup import word_chip, worded
from dashboards.replays import BATCH_MAX, Replayed, replayed
from dashboards.scope import Scope
from dashboards.wording import plural, shortened
from store.errors import RetrospanError

REASON_LENGTH_MAX = 160


def batch_tab(found: pl.DataFrame, chosen: FlowFilters, scope: Scope) -> None:
    """The control replay of each flow: whether the recording, run again, does the same."""
    st.text(
        "Each flow is run again from its recording, by a program learnt from other flows. "
        "Nothing is called and nothing is stored."
    )
    latest = found.head(BATCH_MAX)
    if latest.height < found.height:
        st.caption(f"The latest {latest.height:,} of {found.height:,}; the command replays all.")
    ids = tuple(latest["flow_id"])
    asked = st.button(f"Replay {plural(len(ids), 'flow')}", key="batch-run", type="primary")
    if asked:
        st.session_state["batch-ids"] = ids
    if st.session_state.get("batch-ids") == ids:
        try:
            _result(replayed(ids, None, scope))
        except RetrospanError as error:
            st.warning(shortened(str(error), 400))
    more = chosen.beyond_batch_options() or len(scope.services) > 1
    known = "; it knows fewer filters than this page, and replays more flows" if more else ""
    st.caption(f"From the command line, results stored; with a what-if: --scenario FILE{known}")
    links.as_command("replay", "batch", *scope.as_options(), *chosen.as_batch_options())


def _result(run: Replayed) -> None:
    counted = Counter(one.verdict for one in run.results)
    words = ("identical", "equivalent", "diverged", "unreplayable")
    st.html(
        "".join(
            word_chip(word, label=f"{counted[word]:,} of {len(run.results):,}")
            for word in words
            if counted[word]
        )
    )
    rows = [
        {
            "flow_id": flow.flow_id,
            "flow": flow.name,
            "replay": worded(one.verdict),
            "recorded outcome": worded(flow.outcome),
            "replayed outcome": worded(one.outcome),
            "first divergence": one.divergences[0].kind.replace("_", " ")
            if one.divergences
            else "",
            "doubts": ", ".join(one.flags[:4]),
            "reason": shortened(one.reason, REASON_LENGTH_MAX),
        }
        for flow, one in zip(run.flows, run.results, strict=True)
    ]
    order = {worded(word): place for place, word in enumerate(reversed(words))}
    table = pl.DataFrame(rows).sort(
        pl.col("replay").replace_strict(order, default=0, return_dtype=pl.Int64), "flow_id"
    )
    st.caption("Those that differ first. Select a row to replay that flow alone, side by side.")
    row = picking_table(table, key="batch_table", alt="Replays of the selected flows")
    exports(table, "replays")
    if row is not None:
        links.open_replay(str(table["flow_id"][row]))
