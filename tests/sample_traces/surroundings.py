"""A service's surroundings without processes or sockets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN

from sample_traces.services.books import Book
from sample_traces.services.faults import Plan
from sample_traces.services.process import Host
from sample_traces.services.telemetry import Identity
from sample_traces.services.web import Request


class Silence:
    """Telemetry that goes nowhere, but remembers its log records."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def log(self, *_: object, **named: Any) -> None:
        """Keep what was said by name."""
        self.events.append(named)


def host(plan: Plan, name: str, version: str = "test", run_dir: Path = Path()) -> Host:
    """What `name` gets from its surroundings."""
    silence: Any = Silence()
    return Host(
        identity=Identity(name=name, version=version, region=None),
        plan=plan,
        book=Book(),
        telemetry=silence,
        ports={},
        policy=None,
        run_dir=run_dir,
    )


def request(body: Mapping[str, Any], key: str | None = None) -> Request:
    """A request without a span."""
    return Request(body=dict(body), key=key, span=INVALID_SPAN, context=Context())
