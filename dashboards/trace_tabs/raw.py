"""The rows themselves, for reading and for copying out."""

import json

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.plain_table import plain_table
from dashboards.flow_page import FlowPage
from dashboards.span_tree import SpanTree
from dashboards.trace_tabs.save_as import save_as
from dashboards.wording import body_text, clean, plain, time_text

SPAN_COUNT_MAX = 5_000
RAW_HEIGHT_PX = 480


def raw_tab(page: FlowPage, tree: SpanTree) -> None:
    """Spans, the flow as files, its input and output."""
    st.subheader(f"Spans ({len(tree.rows):,})")
    rows = [
        {
            "start (UTC)": time_text(row.span.start_ns, digits=9),
            "end (UTC)": time_text(row.span.end_ns, digits=9),
            "service": clean(row.span.service),
            "name": clean(row.span.name),
            "kind": row.span.kind,
            "status": row.span.status,
            "attributes": clean(json.dumps(plain(dict(row.span.attributes)), ensure_ascii=False)),
            "trace id": row.span.trace_id,
            "span id": row.span.span_id,
            "parent id": row.span.parent_span_id or "",
        }
        for row in tree.rows[:SPAN_COUNT_MAX]
    ]
    if len(rows) < len(tree.rows):
        st.caption(f"The first {len(rows):,}; the command below lists all.")
    plain_table(
        pl.DataFrame(rows), key="raw_spans", alt="Spans as recorded", height_max_px=RAW_HEIGHT_PX
    )
    save_as(page)
    left, right = st.columns(2)
    for column, title, value in (
        (left, "Input", page.flow.input),
        (right, "Output", page.flow.output),
    ):
        with column:
            st.subheader(title)
            if value is None:
                st.text("Not recorded.")
            else:
                st.code(body_text(value), language="json", wrap_lines=True)
    st.subheader("Why these traces belong together")
    for tie in page.flow.ties or ("one trace",):
        st.text(clean(tie))
    st.subheader("The same from the command line")
    links.as_command("flows", "show", page.flow.flow_id, "--json")
