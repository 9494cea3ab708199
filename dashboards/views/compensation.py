"""Compensation: do our undo paths work?"""

import polars as pl
import streamlit as st

from dashboards import data, links, screens
from dashboards.compensation_parts.numbers import cards, checks_table, invariants
from dashboards.compensation_parts.read import Undone, one, undone
from dashboards.compensation_parts.sankey import ways_chart
from dashboards.compensation_parts.stuck import Stuck, ask_stuck, path_part, stuck_part
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.data import Holdings
from dashboards.markup import worded
from dashboards.pages import PageFacts
from dashboards.scope import Scope
from dashboards.scoped import scoped
from dashboards.wording import clean, duration_text, plural

PAGE = PageFacts(title="Compensation", section="Explore", order=70, url_path="compensation")
PATHS_MAX = 40


def render() -> None:
    """The page; `?flow=ID` shows the path of one flow."""
    start = scoped("Compensation", "Do our undo paths work?", None, ask=_ask)
    if start is None:
        return
    holdings, scope = start
    whole = data.flow_count(scope)
    found, stuck = _ask(holdings, scope)
    if not found.flows:
        _no_sagas(whole)
        return
    st.caption(f"{found.flows:,} of {plural(whole, 'flow')} have a saga.")
    cards(found)
    st.subheader("Stuck first")
    stuck_part(found, stuck, holdings.last_ns)
    wanted = st.query_params.get("flow")
    if wanted:
        with st.container(border=True):
            path_part(wanted)
    st.subheader("What must come to zero")
    invariants(found.measures)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("Where sagas end")
        ways_chart(found.measures.ways)
        _ways(found)
    with right:
        st.subheader("Compensation paths")
        _paths(found)
    st.subheader("Steps that must be undone")
    _steps(found)
    st.subheader("Checks")
    checks_table(found.measures)
    with st.expander("From the command line"):
        links.as_command("sagas", "list", *scope.as_options(), "--json")
        links.as_command("sagas", "list", *scope.as_options(), "--residual", "--format", "csv")


def _ask(holdings: Holdings, scope: Scope) -> tuple[Undone, Stuck | None]:
    del holdings
    wanted = st.query_params.get("flow")
    if wanted:
        one(wanted)
    found = undone(scope)
    return found, ask_stuck(found, scope)


def _no_sagas(flows: int) -> None:
    st.text(f"None of {plural(flows, 'flow')} has a step with a saga role.")
    st.text(
        "A step gets its role from retrospan.saga.role, a link from the compensation to its step, "
        "or a declaration:"
    )
    links.as_command("quality", "report")


def _ways(found: Undone) -> None:
    ways = found.measures.ways
    if not ways:
        return
    table = pl.DataFrame(
        [
            {
                "flow": clean(way.name),
                "given up at": clean(way.at),
                "ended": worded(way.outcome),
                "flows": flows,
            }
            for way, flows in ways
        ]
    )
    st.caption("The same as a table. Select a row to see flows of that kind with that end.")
    row = picking_table(table, key="saga_ways", alt="Where sagas end", height_max_px=240)
    if row is not None:
        links.open_flows(outcome=ways[row][0].outcome, kind=ways[row][0].name)


def _paths(found: Undone) -> None:
    paths = found.measures.paths
    if not paths:
        st.text("No compensation ran.")
        return
    table = pl.DataFrame(
        [
            {"flows": it.flows, "in this order": " → ".join(map(clean, it.path))}
            for it in paths[:PATHS_MAX]
        ]
    )
    st.caption(
        "In order of start. After a name, ! says that this compensation failed, ? that nobody "
        "knows whether it worked."
    )
    plain_table(table, key="saga_paths", alt="Compensation paths by frequency")


def _steps(found: Undone) -> None:
    if not found.measures.steps:
        st.text("No step has the role of one that can be undone.")
        return
    table = pl.DataFrame(
        [
            {
                "service": clean(row.service),
                "step": clean(row.name),
                "at": clean(row.callee or "–"),
                "executed": row.executed,
                "to undo": row.done,
                "✔ undone": row.undone,
                "✖ compensation failed": row.failed,
                "? no compensation seen": row.without,
                "tries per compensation": f"{row.tries / row.compensations:.2f}"
                if row.compensations
                else "–",
                "p95 of compensation": duration_text(row.p95_ns),
            }
            for row in found.measures.steps
        ]
    )
    st.caption(
        "To undo: it completed in a flow that was given up. Not seen is not never: the checks "
        "below say where the data would have shown it. Select a row to see flows that call it."
    )
    row = picking_table(table, key="saga_steps", alt="Compensatable steps", height_max_px=420)
    if row is not None:
        step = found.measures.steps[row]
        links.open_flows(caller=step.service, callee=step.callee)
    exports(table, "compensatable-steps")


if __name__ == "__main__":
    screens.guarded(render)
