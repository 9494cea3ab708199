"""The waterfall: a trace as a tree of rows beside a time axis."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.span_tree import SpanTree

HEIGHT_MAX_PX = 620
HEIGHT_MIN_PX = 96
ROW_PX = 24
EVENTS_PER_SPAN_MAX = 50  # ticks drawn on one bar; the panel lists all of them
NAME_LENGTH_MAX = 300  # characters of a span's name sent to the tree; the panel shows all

# Okabe-Ito and Tol muted without the colours that mean something: vermilion is an error,
# orange a retry. The same order everywhere, so a service keeps its colour.
SERVICE_COLORS = (
    "#0072B2",
    "#44AA99",
    "#CC79A7",
    "#56B4E9",
    "#999933",
    "#882255",
    "#6A8BB5",
    "#117733",
    "#AA4499",
    "#B3A44A",
)

_HERE = Path(__file__).parent
_HTML = """
<div class="waterfall">
  <div class="tools">
    <input type="search" placeholder="Find service, operation or span id"
           aria-label="Find a span" maxlength="200" autocomplete="off">
    <button type="button" class="errors" aria-pressed="false">✖ Errors only</button>
    <button type="button" class="next" title="Next failed span (e)">Next error ↓</button>
    <button type="button" class="critical" aria-pressed="false">Critical path</button>
    <button type="button" class="fold">Fold / unfold</button>
    <button type="button" class="unzoom" hidden>Reset zoom</button>
    <span class="count" role="status"></span>
  </div>
  <canvas aria-hidden="true" title="Drag to zoom into a time range"></canvas>
  <div class="head">
    <div class="left">Service and operation
      <span class="divider" title="Drag to resize"></span></div>
    <div class="axis" title="Drag to zoom into a time range"></div>
  </div>
  <div class="viewport" tabindex="0" role="tree" aria-label="Spans of this flow">
    <div class="none" hidden>No span matches. Press Esc to clear the filters.</div>
    <div class="pad"></div>
  </div>
  <div class="legend">
    <span><b style="color:#D55E00">✖</b> failed</span>
    <span><b>▁</b> critical path</span>
    <span><b>▨</b> compensation</span>
    <span><b>│</b> event</span>
    <span><kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>←</kbd> <kbd>→</kbd> fold · <kbd>Enter</kbd> select
      · <kbd>z</kbd> zoom to it · <kbd>e</kbd> next error
      · <kbd>/</kbd> find · <kbd>Esc</kbd> clear</span>
  </div>
</div>
"""

_mount = st.components.v2.component(
    "retrospan_waterfall",
    html=_HTML,
    css=(_HERE / "waterfall.css").read_text(encoding="utf-8"),
    js="\n".join(
        (_HERE / name).read_text(encoding="utf-8") for name in ("waterfall_rows.js", "waterfall.js")
    ),
)


def waterfall(
    tree: SpanTree, *, key: str, version: str, selected: int | None, on_select: Callable[[], None]
) -> None:
    """Draws the tree. `on_select` runs before the page does; `picked(key)` tells which span."""
    height = max(HEIGHT_MIN_PX, min(HEIGHT_MAX_PX, len(tree.rows) * ROW_PX))
    data = {
        **columns(tree),
        "colors": list(SERVICE_COLORS),
        "selected": -1 if selected is None else selected,
        "height_px": height,
        "version": version,
    }
    _mount(key=key, data=data, height="content", on_select_change=on_select)


def picked(key: str) -> tuple[str, str] | None:
    """Trace and span id of the row just selected; for use inside `on_select`."""
    state = st.session_state.get(key)
    value = getattr(state, "select", None)
    if not isinstance(value, str) or "/" not in value:
        return None
    span_id, trace_id = value.split("/", 1)
    return trace_id, span_id


def columns(tree: SpanTree) -> dict[str, Any]:
    """The tree as lists, times in milliseconds from its start: small on the wire."""
    service = {name: number for number, name in enumerate(tree.services)}

    def ms(time_ns: int) -> float:
        return round((time_ns - tree.start_ns) / 1e6, 4)

    spans = [row.span for row in tree.rows]
    return {
        "cols": {
            "id": [f"{span.span_id}/{span.trace_id}" for span in spans],
            "depth": [row.depth for row in tree.rows],
            "service": [service[span.service] for span in spans],
            "name": [span.name[:NAME_LENGTH_MAX] for span in spans],
            "start": [ms(span.start_ns) for span in spans],
            "dur": [_duration_ms(span.start_ns, span.end_ns, tree.end_ns) for span in spans],
            "flags": [int(row.flags) for row in tree.rows],
        },
        "services": list(tree.services),
        "total_ms": ms(tree.end_ns),
        "tags": {
            str(number): [[tag.look, tag.text] for tag in row.tags]
            for number, row in enumerate(tree.rows)
            if row.tags
        },
        "events": {
            str(number): [ms(event.time_ns) for event in span.events[:EVENTS_PER_SPAN_MAX]]
            for number, span in enumerate(spans)
            if span.events
        },
    }


def _duration_ms(start_ns: int, end_ns: int | None, flow_end_ns: int) -> float:
    """An unfinished span is drawn up to the end of what was recorded."""
    until = flow_end_ns if end_ns is None else end_ns
    return round(max(0, until - start_ns) / 1e6, 4)
