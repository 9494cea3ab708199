"""Stores with a few records that differ from the plain in a word."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from store.lease import Store
from store.model import Batch, LogRecord, Span
from store.write import write_batch


def write(path: Path, **records: Sequence[Any]) -> Store:
    store = Store(path)
    batch = Batch(
        source="hand",
        content_sha256="0:0",
        reader="hand/1",
        rules_sha256="0",
        **records,  # type: ignore[arg-type]
    )
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    return store


def span(number: int, trace: int = 1, **fields: Any) -> Span:
    plain: dict[str, Any] = {
        "trace_id": f"{trace:032x}",
        "span_id": f"{number:016x}",
        "parent_span_id": None,
        "name": "pay",
        "kind": "client",
        "service": "unknown_service",
        "start_ns": number,
        "end_ns": number + 1,
    }
    return Span(**(plain | fields))


def log(time_ns: int, **fields: Any) -> LogRecord:
    plain: dict[str, Any] = {
        "time_ns": time_ns,
        "observed_ns": time_ns,
        "trace_id": None,
        "span_id": None,
        "severity_number": 9,
        "severity_text": "INFO",
        "event_name": "",
        "body": f"at {time_ns}",
        "service": "unknown_service",
    }
    return LogRecord(**(plain | fields))
