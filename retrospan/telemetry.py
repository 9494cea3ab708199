"""retrospan's own traces: one per command, with its phases, where a collector is named.

Off unless `OTEL_EXPORTER_OTLP_ENDPOINT` (or its form for traces) is set; then OTLP over HTTP as
protobuf, once, when the command ends. Spans carry names, versions and exit codes, never arguments,
paths or recorded data. The resource says `retrospan.self`, by which our receivers know and drop
them: retrospan never loads its own doing. A collector that does not answer costs at most
`SECONDS_MAX` and one line on standard error, never the command's result.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SELF = "retrospan.self"
SERVICE = "retrospan"
SECONDS_MAX = 3.0
SPANS_MAX = 1_000  # of one command; later ones are not kept

Tell = Callable[[str], None]


def endpoint(environment: Mapping[str, str] | None = None) -> str | None:
    """Where own traces are sent; None when they are off."""
    given = os.environ if environment is None else environment
    if given.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if given.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return None
    return next((value for name in ENDPOINTS if (value := given.get(name, "").strip())), None)


def place(url: str) -> str:
    """An endpoint as it may be shown: without user, password or query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or '?'}{port}{parts.path}"
    except ValueError:
        return "an address that is no URL"


class Command:
    """The command that runs; how it ends is noted here."""

    exit_code: int | None = None


_tracer: "Tracer | None" = None  # that of the running command


@contextmanager
def command(name: str, tell: Tell) -> Iterator[Command]:
    """Trace a command while the block lasts. A command inside a command is part of it."""
    global _tracer
    running = Command()
    to = endpoint()
    if to is None or _tracer is not None:
        yield running
        return
    finished: list[ReadableSpan] = []
    tracer = _tracer = _tracer_into(finished)
    try:
        with _span(tracer, f"retrospan {name}") as end:
            yield running
            end(running.exit_code)
    finally:
        _tracer = None
        if not _sent(finished):
            tell(f"own traces were not sent: {place(to)} does not take them")


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Trace a part of the running command: ingest, rebuild, replay, report, export, purge."""
    if _tracer is None:
        yield
        return
    with _span(_tracer, name):
        yield


@contextmanager
def _span(tracer: "Tracer", name: str) -> Iterator[Callable[[int | None], None]]:
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    ) as span:

        def end(exit_code: int | None) -> None:
            if exit_code is not None:
                span.set_attribute("process.exit.code", exit_code)
                if exit_code:
                    span.set_status(StatusCode.ERROR, f"exit code {exit_code}")

        try:
            yield end
        except BaseException as error:
            # Its type alone: a message may quote recorded data.
            span.set_status(StatusCode.ERROR, type(error).__name__)
            span.set_attribute("error.type", type(error).__name__)
            raise


def _tracer_into(finished: "list[ReadableSpan]") -> "Tracer":
    """A tracer of our own; the process's global one is left to others."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    from retrospan import version

    class Kept(SpanProcessor):
        def on_end(self, span: "ReadableSpan") -> None:
            if len(finished) < SPANS_MAX:
                finished.append(span)

    resource = Resource.create({"service.name": SERVICE, "service.version": version(), SELF: True})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(Kept())
    return provider.get_tracer(SERVICE, version())


def _sent(spans: "list[ReadableSpan]") -> bool:
    """Whether the collector took them. Nothing that goes wrong here may reach the command."""
    if not spans:
        return True
    import logging

    log = logging.getLogger("opentelemetry")
    was = log.disabled, log.propagate, log.level
    log.propagate = False
    quiet = logging.NullHandler()
    log.addHandler(quiet)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult

        exporter = OTLPSpanExporter(timeout=SECONDS_MAX)
        try:
            return exporter.export(spans) is SpanExportResult.SUCCESS
        finally:
            exporter.shutdown()  # type: ignore[no-untyped-call]
    except Exception:
        return False
    finally:
        log.removeHandler(quiet)
        log.disabled, log.propagate, log.level = was
