"""The flow's steps, and the path its compensations took."""

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.picking_table import picking_table
from dashboards.flow_page import FlowPage
from dashboards.markup import worded
from dashboards.saga_path import saga_path
from dashboards.wording import amount_text, clean, duration_text
from store.conclusions import Step

TABLE_HEIGHT_MAX_PX = 560


def steps_tab(page: FlowPage) -> None:
    """A row opens the step's first attempt in the waterfall."""
    flow = page.flow
    if not flow.steps:
        st.text("No steps could be told apart in this flow; the waterfall shows its spans.")
        return
    names = {step.step_id: step.name for step in flow.steps}
    table = pl.DataFrame([_row(step, flow.start_ns, names) for step in flow.steps])
    st.caption(
        "Grades say how a role is known: 1 declared in the trace … 5 by name only. "
        "Select a row to see its span."
    )
    row = picking_table(
        table, key="step_table", alt="Steps of the flow", height_max_px=TABLE_HEIGHT_MAX_PX
    )
    if row is not None and flow.steps[row].attempts:
        first = flow.steps[row].attempts[0]
        links.show_span(first.trace_id, first.span_id)
        st.rerun()
    path = saga_path(flow.steps)
    if path is None:
        return
    st.subheader("Saga path")
    st.caption(
        "What was done, top to bottom; dashed arrows lead from a compensation to what it undid."
    )
    st.mermaid_chart(path, width="content", alt="Steps in order with their compensations")


def _row(step: Step, start_ns: int, names: dict[str, str]) -> dict[str, object]:
    took = step.end_ns - step.start_ns if step.end_ns is not None else None
    grade = f" (grade {step.role_grade})" if step.role_grade else ""
    last = step.attempts[-1] if step.attempts else None
    return {
        "step": clean(step.name),
        "kind": step.kind,
        "outcome": worded(step.outcome),
        "attempts": len(step.attempts),
        "last status": clean(last.status) if last else "",
        "role": f"{step.role}{grade}" if step.role else "",
        "undoes": clean(names.get(step.compensates or "", "")),
        "at": f"+{duration_text(step.start_ns - start_ns)}",
        "took": duration_text(took),
        "service": clean(step.service),
        "callee": clean(step.callee),
        "operation": clean(step.operation),
        "amount": amount_text(step.amount, step.currency) if step.amount is not None else "",
        "key": clean(step.key),
    }
