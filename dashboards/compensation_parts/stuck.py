"""Flows that did not come to rest, the worst first, and the way of one of them."""

from decimal import Decimal

import polars as pl
import streamlit as st

from analyzer.sagas.conservation import balances
from dashboards import data, links
from dashboards.compensation_parts.read import Undone, one
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.data import Overview
from dashboards.flow_questions import effect_sums
from dashboards.incident_parts.head import sums
from dashboards.markup import heading, word_chip, worded
from dashboards.saga_path import saga_path
from dashboards.scope import Scope
from dashboards.wording import amount_text, clean, duration_text, plural, time_text

Stuck = tuple[Overview, pl.DataFrame]
"""The stuck flows that are shown, and the sums of what is left standing in all of scope."""


def ask_stuck(found: Undone, scope: Scope) -> Stuck | None:
    """What the table shows; None where nothing is stuck."""
    return (data.overview(scope, found.stuck), effect_sums(scope)) if found.stuck else None


def stuck_part(found: Undone, stuck: Stuck | None, last_ns: int | None) -> None:
    """A table whose rows show a flow's path on this page."""
    if stuck is None:
        st.text(
            f"None of {plural(found.flows, 'flow')} with a saga is known to be stuck: none has "
            "effects left standing, all of them ended."
        )
        return
    overview, left = stuck
    shown = overview.flows.sort(["effects", "start_ns", "flow_id"], descending=[True, False, False])
    cut = f"; the {shown.height:,} with most are listed" if shown.height < found.stuck_flows else ""
    st.caption(
        f"{plural(found.stuck_flows, 'flow')}, {plural(found.stuck_effects, 'effect')} never "
        f"undone, or undone and not due: {sums(left)}{cut}. Select a row to see its path below."
    )
    table = pl.DataFrame([_row(row, overview, last_ns) for row in shown.iter_rows(named=True)])
    row = picking_table(table, key="stuck_flows", alt="Stuck flows, most effects left first")
    if row is not None:
        links.open_view("compensation", flow=shown["flow_id"][row])
    exports(table, "stuck-flows")


def _row(row: dict[str, object], overview: Overview, last_ns: int | None) -> dict[str, object]:
    flow_id, problems = row["flow_id"], row["problems"]
    own = overview.effects.filter(pl.col("flow_id") == flow_id)
    start_ns = int(str(row["start_ns"]))
    age = last_ns - start_ns if last_ns is not None else None
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
    with st.container(horizontal=True, vertical_alignment="center"):
        links.trace_link("Open its trace", flow=flow_id)
        links.replay_link("Replay, what if", flow=flow_id)
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
