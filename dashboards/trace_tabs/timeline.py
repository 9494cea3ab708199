"""The waterfall beside the panel of the selected span."""

from functools import partial

import streamlit as st

from dashboards import links
from dashboards.components.waterfall import picked, waterfall
from dashboards.flow_page import FlowPage
from dashboards.span_tree import SpanTree
from dashboards.trace_tabs.span_panel import span_panel


def _key(flow_id: str) -> str:
    return f"waterfall-{flow_id}"


@st.fragment
def timeline_tab(page: FlowPage, tree: SpanTree) -> None:
    """A click on a span reruns this much only, and puts the span into the address."""
    if not tree.rows:
        st.text("No span of this flow is in the store. They may have been purged.")
        return
    key = _key(page.flow.flow_id)
    selected, automatic = _selected(tree)
    left, right = st.columns([7, 3], gap="small")
    with left:
        waterfall(
            tree,
            key=key,
            version=page.flow.flow_id,
            selected=selected,
            on_select=partial(_remember, key, len(page.flow.trace_ids) > 1),
        )
    with right:
        if selected is None:
            st.text("Select a span to see its attributes, bodies, checks and findings.")
        else:
            if automatic:
                st.caption("First failed span, chosen for you. Select another on the left.")
            span_panel(page, tree, tree.rows[selected])


def _selected(tree: SpanTree) -> tuple[int | None, bool]:
    """Row to show, and whether we chose it: the address names one, else the first error."""
    span_id = st.query_params.get("span")
    if not span_id:
        return tree.first_error(), True
    found = tree.find(span_id.lower(), st.query_params.get("trace"))
    if found is None:
        st.warning("The span in the address is not part of this flow; the link may be cut.")
    return found, False


def _remember(key: str, many_traces: bool) -> None:
    choice = picked(key)
    if choice is None:
        return
    trace_id, span_id = choice
    # Written at once, so that the browser's Back takes one click back.
    target = {"span": span_id}
    if "flow" in st.query_params:
        target["flow"] = st.query_params["flow"]
    if many_traces or "trace" in st.query_params:
        target["trace"] = trace_id
    st.query_params.from_dict(links.in_scope(**target))
