"""Real senders: the OpenTelemetry SDK over HTTP and gRPC, jaeger-client over UDP."""

import importlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import Link, SpanKind, StatusCode

from ingest.receivers.settings import ReceiverLimits
from store.model import Span
from tests.ingest.receivers.world import Running, post, running

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:(jaeger_client|thrift|tornado|opentracing|threadloop|opentelemetry)"
)


@contextmanager
def tracing(exporter: SpanExporter) -> Iterator[Any]:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("tests", "1.2")
    provider.shutdown()


def one_trace(tracer: Any) -> None:
    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER) as parent:
        attributes = {"text": "ü", "whole": 7, "half": 0.5, "yes": True, "list": [1, 2]}
        links = [Link(parent.get_span_context(), {"why": "retry"})]
        with tracer.start_as_current_span("pay", attributes=attributes, links=links) as span:
            span.add_event("declined", {"code": 51})
            span.set_status(StatusCode.ERROR, "no money")


def check_trace(spans: list[Span]) -> None:
    """What `one_trace` made, whichever way it came."""
    checkout, pay = sorted(spans, key=lambda span: span.name)
    assert (checkout.name, checkout.kind, checkout.parent_span_id) == ("checkout", "server", None)
    assert (pay.parent_span_id, pay.trace_id) == (checkout.span_id, checkout.trace_id)
    assert pay.attributes == {
        "text": "ü", "whole": 7, "half": 0.5, "yes": True, "list": [1, 2]
    }  # fmt: skip
    assert (pay.status, pay.status_message, pay.service) == ("error", "no money", "shop")
    assert (pay.scope_name, pay.scope_version) == ("tests", "1.2")
    assert [(e.name, e.attributes) for e in pay.events] == [("declined", {"code": 51})]
    assert [(k.span_id, k.attributes) for k in pay.links] == [(checkout.span_id, {"why": "retry"})]


def grpc_exporter(receiver: Running, **options: Any) -> GrpcExporter:
    port = receiver.receivers.ports["otlp_grpc"]
    return GrpcExporter(endpoint=f"localhost:{port}", insecure=True, **options)


def test_the_sdk_sends_over_http(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        with tracing(HttpExporter(receiver.url())) as tracer:
            one_trace(tracer)
        check_trace(receiver.stored()[0])


def test_the_sdk_sends_over_grpc(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        with tracing(grpc_exporter(receiver)) as tracer:
            one_trace(tracer)
        check_trace(receiver.stored()[0])


def test_the_sdk_shows_its_token(tmp_path: Path) -> None:
    token = "sesame-sesame-sesame"
    with running(tmp_path, token=token) as receiver:
        headers = {"authorization": f"Bearer {token}"}
        with tracing(grpc_exporter(receiver, headers=headers)) as tracer:
            one_trace(tracer)
        with tracing(grpc_exporter(receiver)) as tracer:
            one_trace(tracer)
        check_trace(receiver.stored()[0])


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_sdk_comes_again_after_an_overload_and_nothing_is_lost(
    tmp_path: Path, protocol: str
) -> None:
    limits = replace(ReceiverLimits(), in_flight_bytes=10_000)
    with running(tmp_path, limits) as receiver:
        intake = receiver.receivers.intake
        intake.enter(10_000)
        release = threading.Timer(0.5, intake.leave, [10_000])
        release.start()
        http = protocol == "http"
        exporter = HttpExporter(receiver.url()) if http else grpc_exporter(receiver)
        with tracing(exporter) as tracer:
            one_trace(tracer)
        release.join()
        assert intake.tally.overloaded > 0
        check_trace(receiver.stored()[0])


def waited(receiver: Running, spans: int) -> None:
    """Until that many spans are acknowledged to nobody but counted."""
    deadline = time.monotonic() + 20
    while receiver.receivers.intake.tally.spans < spans and time.monotonic() < deadline:
        time.sleep(0.02)


# A process of its own: jaeger-client leaves threads and sockets behind.
LEGACY_SERVICE = """
import sys, time
from jaeger_client import ConstSampler, Tracer
from jaeger_client.local_agent_net import LocalAgentSender
from jaeger_client.reporter import Reporter

channel = LocalAgentSender("127.0.0.1", 5778, int(sys.argv[1]))
tracer = Tracer("shop", Reporter(channel, flush_interval=0.05), ConstSampler(True))
with tracer.start_span("checkout") as parent, tracer.start_span("pay", child_of=parent) as child:
    child.set_tag("amount", 42)
    child.log_kv({"event": "declined"})
tracer.close()
time.sleep(1)
"""


def test_jaeger_client_sends_over_udp(tmp_path: Path) -> None:
    """On loopback; what a full socket loses cannot be seen here."""
    with running(tmp_path) as receiver:
        port = receiver.receivers.ports["jaeger_udp"]
        command = [sys.executable, "-c", LEGACY_SERVICE, str(port)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        waited(receiver, 2)
        spans = {span.name: span for span in receiver.stored()[0]}
        assert receiver.receivers.intake.tally.datagrams_lost == 0
    assert spans["pay"].parent_span_id == spans["checkout"].span_id
    assert (spans["pay"].service, spans["pay"].attributes["amount"]) == ("shop", 42)
    assert [event.name for event in spans["pay"].events] == ["declined"]


def thrift_batch() -> bytes:
    ttypes: Any = importlib.import_module("jaeger_client.thrift_gen.jaeger.ttypes")
    binary: Any = importlib.import_module("thrift.protocol.TBinaryProtocol")
    transport: Any = importlib.import_module("thrift.transport.TTransport")
    span = ttypes.Span(
        traceIdLow=1,
        traceIdHigh=2,
        spanId=3,
        parentSpanId=0,
        operationName="pay",
        flags=1,
        startTime=1_772_618_400_000_000,
        duration=5,
    )
    buffer = transport.TMemoryBuffer()
    batch = ttypes.Batch(process=ttypes.Process(serviceName="shop"), spans=[span])
    batch.write(binary.TBinaryProtocol(buffer))
    body: bytes = buffer.getvalue()
    return body


def test_a_thrift_batch_arrives_over_http(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        url = receiver.url("/api/traces", "jaeger_http")
        taken = post(url, thrift_batch(), "application/x-thrift")
        refused = post(url, b"\x00nothing", "application/vnd.apache.thrift.binary")
        wrong = post(url, b"{}", "application/json")
        (span,) = receiver.stored()[0]
    assert (taken.status, refused.status, wrong.status) == (202, 400, 415)
    assert (span.name, span.trace_id, span.span_id) == ("pay", f"{2:016x}{1:016x}", f"{3:016x}")


def test_datagrams_that_are_none_are_counted_and_harm_nobody(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for data in (b"", b"\xff" * 1000, b"\x82\x21\x01\x09emitBatch\x1c"):
                sender.sendto(data, ("127.0.0.1", receiver.receivers.ports["jaeger_udp"]))
        deadline = time.monotonic() + 10
        while receiver.receivers.intake.tally.datagrams < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert receiver.receivers.intake.tally.datagrams == 3
        assert receiver.stored()[0] == []
