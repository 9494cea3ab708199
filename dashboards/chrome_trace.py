"""A flow as a Chrome trace, which ui.perfetto.dev, speedscope and chrome://tracing open.

Format: Trace Event Format (Google, 2016): complete events `X` in microseconds; one process per
service, one thread per lane of spans that nest.
"""

import json
from collections.abc import Sequence

from dashboards.wording import plain
from store.model import JsonValue, Span


def chrome_trace(spans: Sequence[Span]) -> str:
    """The JSON text. A span without an end lasts as long as the data and says `unfinished`."""
    services = sorted({span.service for span in spans})
    process = {name: number for number, name in enumerate(services, 1)}
    last_ns = max((max(span.start_ns, span.end_ns or 0) for span in spans), default=0)
    events: list[JsonValue] = [
        {"ph": "M", "name": "process_name", "pid": process[name], "tid": 0, "args": {"name": name}}
        for name in services
    ]
    lanes: dict[str, list[list[int]]] = {name: [] for name in services}
    ordered = sorted(spans, key=lambda one: (one.start_ns, -_end(one, last_ns), one.span_id))
    for span in ordered:
        end_ns = _end(span, last_ns)
        lane = _lane(lanes[span.service], span.start_ns, end_ns)
        events.append(
            {
                "ph": "X",
                "name": span.name,
                "cat": span.kind,
                "pid": process[span.service],
                "tid": lane,
                "ts": span.start_ns / 1000,
                "dur": (end_ns - span.start_ns) / 1000,
                "args": _arguments(span),
            }
        )
    document = {"displayTimeUnit": "ms", "traceEvents": events}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"


def _end(span: Span, last_ns: int) -> int:
    return last_ns if span.end_ns is None else max(span.start_ns, span.end_ns)


def _lane(lanes: list[list[int]], start_ns: int, end_ns: int) -> int:
    """The first lane where the span follows or lies within what is open."""
    for number, open_ends in enumerate(lanes):
        while open_ends and open_ends[-1] <= start_ns:
            open_ends.pop()
        if not open_ends or open_ends[-1] >= end_ns:
            open_ends.append(end_ns)
            return number + 1
    lanes.append([end_ns])
    return len(lanes)


def _arguments(span: Span) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "status": span.status,
    }
    if span.parent_span_id:
        told["parent_span_id"] = span.parent_span_id
    if span.status_message:
        told["status_message"] = span.status_message
    if span.end_ns is None:
        told["unfinished"] = True
    told["attributes"] = {
        name: value if isinstance(value, str | bool | int) else str(plain(value))
        for name, value in sorted(span.attributes.items())
    }
    return told
