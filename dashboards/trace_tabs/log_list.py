"""What the services wrote while the flow ran."""

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.address_filters import switched
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.flow_page import FlowPage
from dashboards.wording import clean, duration_text, time_text, value_text
from store.model import LogRecord

LOG_COUNT_MAX = 5_000
TABLE_HEIGHT_PX = 620
WARN = 13  # severity numbers of OpenTelemetry: 13 to 16 warn, 17 and above are errors
ERROR = 17


def logs_tab(page: FlowPage) -> None:
    """All records by time; a row opens its span."""
    if not page.logs:
        st.text("No log record carries a trace id of this flow.")
        return
    only = switched("Warnings and errors only", "bad")
    logs = [log for log in page.logs if not only or log.severity_number >= WARN]
    shown = logs[:LOG_COUNT_MAX]
    cut = f"; the first {len(shown):,} are shown" if len(shown) < len(logs) else ""
    st.caption(f"{len(logs):,} of {len(page.logs):,} records{cut}. Select a row to see its span.")
    if not shown:
        return
    table = pl.DataFrame([_row(log, page.flow.start_ns) for log in shown])
    row = picking_table(
        table, key="log_table", alt="Log records by time", height_max_px=TABLE_HEIGHT_PX
    )
    exports(table, "logs")
    if row is not None and shown[row].span_id:
        links.show_span(shown[row].trace_id, str(shown[row].span_id))
        st.rerun()


def _row(log: LogRecord, start_ns: int) -> dict[str, object]:
    number = log.severity_number
    mark = "✖ " if number >= ERROR else "◐ " if number >= WARN else ""
    return {
        "at": f"+{duration_text(log.time_ns - start_ns)}"
        if log.time_ns >= start_ns
        else duration_text(log.time_ns - start_ns),
        "severity": f"{mark}{clean(log.severity_text) or number}",
        "service": clean(log.service),
        "event": clean(log.event_name),
        "body": value_text(log.body) if log.body is not None else "",
        "time (UTC)": time_text(log.time_ns, digits=9),
        "span id": log.span_id or "",
    }
