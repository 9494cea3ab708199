"""OpenTelemetry set-up of one service process, exporting to the loopback sink."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SEVERITIES = {
    "INFO": SeverityNumber.INFO,
    "WARN": SeverityNumber.WARN,
    "ERROR": SeverityNumber.ERROR,
}
EXPORT_DELAY_MS = 1000
QUEUE_SIZE_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a process says it is."""

    name: str
    version: str
    region: str | None = None

    def resource(self) -> Resource:
        """The resource attributes of all its telemetry."""
        attributes = {
            "service.name": self.name,
            "service.version": self.version,
            "service.instance.id": f"{self.name}-{self.version}",
            "deployment.environment.name": "production",
        }
        if self.region is not None:
            attributes["cloud.region"] = self.region
        return Resource(attributes)


class Telemetry:
    """Tracer and logger of one process."""

    def __init__(self, identity: Identity, system: str, sink_port: int) -> None:
        base = f"http://127.0.0.1:{sink_port}/v1"
        resource = identity.resource()
        self._spans = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._spans.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=f"{base}/traces"),
                max_queue_size=QUEUE_SIZE_MAX,
                schedule_delay_millis=EXPORT_DELAY_MS,
            )
        )
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(
                OTLPLogExporter(endpoint=f"{base}/logs"),
                max_queue_size=QUEUE_SIZE_MAX,
                schedule_delay_millis=EXPORT_DELAY_MS,
            )
        )
        self.tracer = self._spans.get_tracer(f"{system}.{identity.name}")
        self._logger = self._logs.get_logger(f"{system}.{identity.name}")

    def log(
        self,
        severity: str,
        body: str,
        attributes: Mapping[str, str | int | float | bool],
        *,
        context: Context | None = None,
        event_name: str | None = None,
    ) -> None:
        """Emit one log record, tied to the span in `context` if there is one."""
        self._logger.emit(
            timestamp=time.time_ns(),
            context=context or Context(),
            severity_number=SEVERITIES[severity],
            severity_text=severity,
            body=body,
            attributes=dict(attributes),
            event_name=event_name,
        )

    def close(self) -> None:
        """Send what is still queued."""
        self._spans.force_flush()
        self._spans.shutdown()
        self._logs.force_flush()
        self._logs.shutdown()
