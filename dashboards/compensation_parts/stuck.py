"""Flows that did not come to rest, the worst first, and the way of one of them."""

from decimal import Decimal

import polars as pl
import streamlit as st

from analyzer.sagas.conservation import balances
from dashboards import links
from dashboards.compensation_parts.read import one
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.data import Overview
from dashboards.incident_parts.head import sums
from dashboards.markup import heading, word_chip, worded
from dashboards.saga_path import saga_path
from dashboards.wording import amount_text, clean, duration_text, plural, time_text

ROWS_MAX = 500
STUCK = ("compensation_failed", "partially_compensated", "in_progress", "unknown")


def stuck_flows(overview: Overview, flow_ids: list[str]) -> pl.DataFrame:
    """Flows with effects left standing or that never ended, the most left first."""
    sagas = overview.flows.filter(pl.col("flow_id").is_in(flow_ids))
    hurt = (pl.col("effects") > 0) | pl.col("outcome").is_in(list(STUCK))
    return sagas.filter(hurt).sort(
        ["effects", "start_ns", "flow_id"], descending=[True, False, False]
    )


def stuck_part(overview: Overview, flow_ids: list[str]) -> None:
    """A table whose rows show a flow's path on this page."""
    found = stuck_flows(overview, flow_ids)
    if found.is_empty():
        st.text(
            f"None of {plural(len(flow_ids), 'flow')} with a saga is known to be stuck: none has "
            "effects left standing, all of them ended."
        )
        return
    shown = found.head(ROWS_MAX)
    effects = overview.effects.join(found, on="flow_id", how="semi")
    st.caption(
        f"{plural(found.height, 'flow')}, {plural(int(found['effects'].sum()), 'effect')} left "
        f"standing: {sums(effects)}. Select a row to see its path below."
    )
    table = pl.DataFrame([_row(row, overview) for row in shown.iter_rows(named=True)])
    row = picking_table(table, key="stuck_flows", alt="Stuck flows, most effects left first")
    if row is not None:
        links.open_view("compensation", flow=shown["flow_id"][row])
    exports(table, "stuck-flows")


def _row(row: dict[str, object], overview: Overview) -> dict[str, object]:
    flow_id, problems = row["flow_id"], row["problems"]
    own = overview.effects.filter(pl.col("flow_id") == flow_id)
    start_ns = int(str(row["start_ns"]))
    age = overview.last_ns - start_ns if overview.last_ns is not None else None
    return {
        "flow": flow_id,
        "name": clean(str(row["name"])),
        "ended": worded(str(row["outcome"])),
        "effects left": row["effects"],
        "amounts": sums(own) if row["effects"] else "–",
        "standing at least": duration_text(age),
        "began": time_text(start_ns, digits=0),
        "saga": worded(str(row["verdict"])) if row["verdict"] else "not checked",
        "problems": ", ".join(map(str, problems)) if isinstance(problems, list) else "",
    }


def path_part(flow_id: str) -> None:
    """The steps of one flow in order, what undoes what, and its accounts."""
    flow, sagas = one(flow_id)
    st.html(heading(flow.flow_id, above=f"path of one flow, {flow.name}", size_rem="1.15"))
    worst = [word_chip(saga.verdict, label="saga:") for saga in sagas]
    st.html(word_chip(flow.outcome, label="outcome:") + "".join(worst))
    with st.container(horizontal=True):
        links.trace_link("Open its trace", flow=flow_id)
        links.view_link("compensation", "Close")
    drawing = saga_path(flow.steps)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if drawing is None:
            st.text("No compensation ran, or the path is too long to draw: see its trace.")
        else:
            st.mermaid_chart(drawing, alt=f"Steps and compensations of {clean(flow_id)}")
    with right:
        _accounts(flow_id)
        said = [
            f"{check.check}: {check.message}"
            for saga in sagas
            for check in saga.checks
            if check.verdict in ("violation", "suspected")
        ]
        for text in said[:8]:
            st.text(clean(text))


def _accounts(flow_id: str) -> None:
    flow, _ = one(flow_id)
    rows = [
        {
            "resource": clean(it.resource or "not named"),
            "made": _sum(it.made, it.currency, it.counted),
            "undone": _sum(it.undone, it.currency, it.counted),
            "left": f"? {clean(it.unknown)}"
            if it.unknown
            else _sum(it.left, it.currency, it.counted),
        }
        for it in balances(flow)
    ]
    if rows:
        st.caption("Accounts of this flow: what is left must be zero.")
        plain_table(pl.DataFrame(rows), key="flow_accounts", alt="Accounts of the flow")


def _sum(amount: Decimal | None, currency: str | None, counted: bool) -> str:
    if amount is None:
        return "–"
    return f"{amount} ×" if counted else amount_text(amount, currency)
