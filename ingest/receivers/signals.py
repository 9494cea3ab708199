"""The three signals of OTLP: where they arrive, how they are decoded, how they are answered."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest.jsonstream import UndecodableError, decode_plain
from ingest.limits import Limits
from ingest.otlp import documents, protobuf
from ingest.otlp.values import Object
from ingest.reader import Item
from ingest.receivers.errors import UndecodableBodyError
from store.model import JsonValue

MESSAGE_CHARS_MAX = 500
PLACE = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a sender is told: how many records were refused; a message when something was odd."""

    rejected: int = 0
    message: str = ""
    accepted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One of traces, logs, metrics."""

    name: str
    service: str  # of gRPC
    keys: tuple[str, ...]
    scope_keys: tuple[str, ...]
    record_keys: tuple[str, ...]
    decode: Callable[[bytes], Object]
    response: Callable[[], Any]
    rejected_field: str
    rejected_name: str

    def from_protobuf(self, body: bytes) -> Object:
        """The walker's structure; UndecodableBodyError when this is none of the signal's."""
        try:
            return self.decode(body)
        except UndecodableError as error:
            raise UndecodableBodyError(str(error)) from error

    def from_json(self, body: bytes) -> Object:
        """The part of the document that belongs to this signal."""
        try:
            value = decode_plain(body)
        except UndecodableError as error:
            raise UndecodableBodyError(f"no JSON document ({str(error)[:120]})") from error
        if not isinstance(value, dict):
            raise UndecodableBodyError("no OTLP data: not a JSON object")
        found: Object = {key: value[key] for key in self.keys if key in value}
        if value and not found:
            raise UndecodableBodyError(f"no OTLP {self.name}: has no {self.keys[0]}")
        return found

    def items(self, document: Object, limits: Limits) -> tuple[Iterator[Item], int]:
        """Its records, and how many were sent."""
        return documents.Walker(limits).walk(document, PLACE), self._count(document)

    def _count(self, document: Object) -> int:
        """How many records were sent, as far as the document is well formed."""
        return sum(
            len(records)
            for resource in _elements(document, self.keys)
            for scope in _elements(resource, self.scope_keys)
            for key in self.record_keys
            if isinstance(records := scope.get(key), list)
        )

    def to_protobuf(self, receipt: Receipt) -> bytes:
        """The response message; empty when all was accepted."""
        response = self.response()
        if receipt.message:
            setattr(response.partial_success, self.rejected_field, receipt.rejected)
            response.partial_success.error_message = receipt.message
        data: bytes = response.SerializeToString()
        return data

    def to_json(self, receipt: Receipt) -> bytes:
        """The same as JSON, which writes 64-bit integers as text."""
        partial: JsonValue = {
            self.rejected_name: str(receipt.rejected),
            "errorMessage": receipt.message,
        }
        return json.dumps({"partialSuccess": partial} if receipt.message else {}).encode()


def _elements(parent: Object, keys: tuple[str, ...]) -> list[Object]:
    found: list[Object] = []
    for key in keys:
        items = parent.get(key)
        if isinstance(items, list):
            found += [item for item in items if isinstance(item, dict)]
    return found


def _service(name: str, service: str) -> str:
    return f"opentelemetry.proto.collector.{name}.v1.{service}Service"


TRACES = Signal(
    name="traces",
    service=_service("trace", "Trace"),
    keys=documents.SPAN_KEYS,
    scope_keys=documents.SCOPE_SPAN_KEYS,
    record_keys=("spans",),
    decode=protobuf.traces_of,
    response=ExportTraceServiceResponse,
    rejected_field="rejected_spans",
    rejected_name="rejectedSpans",
)
LOGS = Signal(
    name="logs",
    service=_service("logs", "Logs"),
    keys=documents.LOG_KEYS,
    scope_keys=documents.SCOPE_LOG_KEYS,
    record_keys=("logRecords", "log_records", "logs"),
    decode=protobuf.logs_of,
    response=ExportLogsServiceResponse,
    rejected_field="rejected_log_records",
    rejected_name="rejectedLogRecords",
)
METRICS = Signal(
    name="metrics",
    service=_service("metrics", "Metrics"),
    keys=documents.METRIC_KEYS,
    scope_keys=documents.SCOPE_METRIC_KEYS,
    record_keys=(),
    decode=protobuf.metrics_of,
    response=ExportMetricsServiceResponse,
    rejected_field="rejected_data_points",
    rejected_name="rejectedDataPoints",
)
SIGNALS = (TRACES, LOGS, METRICS)
