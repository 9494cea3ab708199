"""Jaeger documents that tests read."""

from typing import Any

from ingest.reader import Item
from store.model import Span

START = 1_485_467_191_639_875
TRACE = "2be38093ead7a083"


def a_span(**changes: Any) -> dict[str, Any]:
    return {
        "traceID": TRACE,
        "spanID": "7",
        "operationName": "charge",
        "references": [],
        "startTime": START,
        "duration": 5,
        "tags": [],
        "logs": [],
        "processID": "p1",
        **changes,
    }


def answer(*spans: Any) -> dict[str, Any]:
    processes = {"p1": {"serviceName": "pay", "tags": [tag("hostname", "string", "h")]}}
    return {"data": [{"traceID": TRACE, "spans": list(spans), "processes": processes}]}


def tag(key: str, kind: str, value: object) -> dict[str, object]:
    return {"key": key, "type": kind, "value": value}


def reference(kind: str, span: str, trace: str = TRACE) -> dict[str, str]:
    return {"refType": kind, "traceID": trace, "spanID": span}


def kept(items: list[Item]) -> list[str]:
    return [
        item.span_id if isinstance(item, Span) else getattr(item, "record", "") for item in items
    ]
