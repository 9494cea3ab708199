"""OTLP over gRPC: statuses by the specification."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.receivers.settings import ReceiverLimits
from ingest.receivers.signals import LOGS, METRICS, TRACES, Signal
from tests.ingest.receivers.world import Running, running


def call(
    receiver: Running,
    body: bytes,
    signal: Signal = TRACES,
    *,
    zipped: bool = False,
    **metadata: str,
) -> Any:
    with grpc.insecure_channel(f"localhost:{receiver.receivers.ports['otlp_grpc']}") as channel:
        method = channel.unary_unary(f"/{signal.service}/Export")
        compression = grpc.Compression.Gzip if zipped else None
        return method(body, metadata=tuple(metadata.items()), compression=compression, timeout=20)


def traces(count: int) -> TracesData:
    message = TracesData()
    scope = message.resource_spans.add().scope_spans.add()
    for number in range(1, count + 1):
        scope.spans.add(trace_id=b"1" * 16, span_id=number.to_bytes(8, "big"), name="pay")
    return message


def test_the_three_services_answer(tmp_path: Path) -> None:
    logs, metrics = LogsData(), MetricsData()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1)
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.sum.data_points.add(as_int=1)
    with running(tmp_path) as receiver:
        assert call(receiver, traces(2).SerializeToString(), zipped=True) == b""
        assert call(receiver, logs.SerializeToString(), LOGS) == b""
        assert call(receiver, metrics.SerializeToString(), METRICS) == b""
        spans, records = receiver.stored()
        assert receiver.receivers.intake.tally.metrics == 1
    assert (len(spans), len(records)) == (2, 1)


def test_rejected_spans_are_a_partial_success(tmp_path: Path) -> None:
    message = traces(2)
    message.resource_spans[0].scope_spans[0].spans.add(name="no ids")
    with running(tmp_path) as receiver:
        answer = ExportTraceServiceResponse.FromString(call(receiver, message.SerializeToString()))
    assert answer.partial_success.rejected_spans == 1


def test_overload_says_when_to_come_again(tmp_path: Path) -> None:
    with running(tmp_path, replace(ReceiverLimits(), in_flight_bytes=10)) as receiver:
        receiver.receivers.intake.enter(10)
        with pytest.raises(grpc.RpcError) as refused:
            call(receiver, traces(2).SerializeToString())
        receiver.receivers.intake.leave(10)
    error = refused.value
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    status = Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    info = RetryInfo()
    assert status.details[0].Unpack(info)
    assert info.retry_delay.seconds == 1


def test_what_is_no_message_or_too_large_or_without_token_is_refused(tmp_path: Path) -> None:
    limits = replace(ReceiverLimits(), body_bytes=10_000)
    token = "sesame-sesame-sesame"
    shown = f"bearer {token}"
    with running(tmp_path, limits, token=token) as receiver:
        for expected, body, authorization in (
            (grpc.StatusCode.INVALID_ARGUMENT, b"\xff\xff", shown),
            (grpc.StatusCode.RESOURCE_EXHAUSTED, bytes(10_001), shown),
            (grpc.StatusCode.UNAUTHENTICATED, b"", ""),
            (grpc.StatusCode.UNAUTHENTICATED, b"", shown + "x"),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                call(receiver, body, authorization=authorization)
            assert refused.value.code() == expected
        with pytest.raises(grpc.RpcError) as bomb:
            call(receiver, bytes(30_000_000), zipped=True, authorization=shown)
        assert bomb.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert call(receiver, b"", authorization=shown) == b""
