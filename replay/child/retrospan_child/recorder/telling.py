"""Spans and log records of OpenTelemetry, where the code has it."""

from __future__ import annotations

import importlib
import time
from contextlib import contextmanager
from typing import Any, Iterator

NAME = "retrospan_child"


def tracer() -> Any:
    """OpenTelemetry's tracer; None where it is not installed."""
    try:
        return importlib.import_module("opentelemetry.trace").get_tracer(NAME)
    except ImportError:
        return None


@contextmanager
def span(name: str, attributes: dict[str, Any]) -> Iterator[Any]:
    """A span around what is done here; None where there is no OpenTelemetry."""
    made = tracer()
    if made is None:
        yield None
        return
    with made.start_as_current_span(name, attributes=attributes) as it:
        yield it


def drawn(kind: str, function: str, value: Any, index: int) -> None:
    """A log record of one draw, tied to the current span."""
    logs = importlib.import_module("opentelemetry._logs")
    attributes = {"kind": kind, "value": value, "index": index, "function": function}
    logs.get_logger(NAME).emit(
        timestamp=time.time_ns(),
        context=importlib.import_module("opentelemetry.context").get_current(),
        severity_text="INFO",
        body=f"{function} drew a {kind}",
        attributes=attributes,
        event_name="retrospan.effect",
    )
