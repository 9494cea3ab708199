"""The flow as a file for other programs, made from what the page already holds."""

import json
from collections.abc import Callable

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.chrome_trace import chrome_trace
from dashboards.components.exports import as_csv
from dashboards.flow_page import FlowPage
from dashboards.wording import plain
from retrospan.canonical import pretty
from retrospan.documents import flow_document
from retrospan.export.otlp import logs_document, spans_document

JSON_TYPE = "application/json"
NAME_LENGTH_MAX = 60


def save_as(page: FlowPage) -> None:
    """Five buttons; a file is made when its button is pressed."""
    st.subheader("Save as")
    name = file_stem(page.flow.flow_id)
    files: list[tuple[str, str, str, Callable[[], str]]] = [
        ("OTLP (JSON lines)", f"{name}.otlp.jsonl", "application/x-ndjson", lambda: otlp(page)),
        ("Chrome trace", f"{name}.chrome.json", JSON_TYPE, lambda: chrome_trace(page.spans)),
        ("Spans as CSV", f"{name}.csv", "text/csv", lambda: as_csv(span_table(page))),
        ("Flow as JSON", f"{name}.json", JSON_TYPE, lambda: flow_json(page)),
    ]
    with st.container(horizontal=True, gap="small"):
        for label, file_name, mime, make in files:
            st.download_button(
                label, data=make, file_name=file_name, mime=mime, key=f"save-{label}",
                on_click="ignore",
            )  # fmt: skip
    st.caption("A Chrome trace opens in ui.perfetto.dev, speedscope and chrome://tracing.")
    links.as_command("export", "otlp", "--flow", page.flow.flow_id, "-o", f"{name}.jsonl")


def otlp(page: FlowPage) -> str:
    """Two lines of OTLP/JSON: spans, then logs."""
    documents = [spans_document(page.spans)]
    documents += [logs_document(page.logs)] if page.logs else []
    return "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in documents)


def flow_json(page: FlowPage) -> str:
    """`retrospan.flow/1`, as `flows show --json` writes it."""
    return pretty(flow_document(page.flow)) + "\n"


def span_table(page: FlowPage) -> pl.DataFrame:
    """One row per span, every time in nanoseconds."""
    return pl.DataFrame(
        [
            {
                "trace_id": span.trace_id,
                "span_id": span.span_id,
                "parent_span_id": span.parent_span_id or "",
                "service": span.service,
                "name": span.name,
                "kind": span.kind,
                "start_ns": span.start_ns,
                "end_ns": span.end_ns,
                "status": span.status,
                "status_message": span.status_message,
                "attributes": json.dumps(
                    plain(dict(span.attributes)), ensure_ascii=False, sort_keys=True
                ),
            }
            for span in page.spans
        ]
    )


def file_stem(flow_id: str) -> str:
    """A file name of what is harmless in a flow's id."""
    kept = "".join(
        one if one.isascii() and (one.isalnum() or one in "-_") else "-" for one in flow_id
    )
    return kept.strip("-")[:NAME_LENGTH_MAX] or "flow"
