"""retrospan's own traces reach a collector, say nothing of the data, and never stop a command."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from retrospan import telemetry
from retrospan.cli import run
from retrospan.samples import find

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Sink(ThreadingHTTPServer):
    """A collector on loopback that keeps what it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Sink)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        self.server.requests.append(request)
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    server = Sink()
    monkeypatch.setenv(ENDPOINT, server.url)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_command_and_its_phases_are_one_trace_marked_as_our_own(sink: Sink) -> None:
    said: list[str] = []
    with telemetry.command("ingest", said.append) as running:
        with telemetry.phase("ingest"):
            pass
        with telemetry.command("nested", said.append), telemetry.phase("rebuild"):
            pass
        running.exit_code = 4
    (request,) = sink.requests
    (resource,) = request.resource_spans
    attributes = {entry.key: entry.value for entry in resource.resource.attributes}
    assert attributes["service.name"].string_value == "retrospan"
    assert attributes[telemetry.SELF].bool_value is True
    spans = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert set(spans) == {"ingest", "rebuild", "retrospan ingest"}
    root = spans["retrospan ingest"]
    assert {spans[name].parent_span_id for name in ("ingest", "rebuild")} == {root.span_id}
    assert len({span.trace_id for span in spans.values()}) == 1
    assert root.attributes[0].value.int_value == 4
    assert sink.paths == ["/v1/traces"]
    assert said == []


def test_a_real_command_is_traced_with_its_phases_and_without_what_was_typed(
    sink: Sink, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = str(tmp_path / "store.duckdb")
    assert run(["--db", db, "ingest", str(find("payment-healthy"))]) == 0
    assert run(["--db", "findings", "flows", "list"]) != 0
    capsys.readouterr()
    found = [
        (span.name, [entry.value.int_value for entry in span.attributes])
        for request in sink.requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert [name for name, _ in found] == [
        "ingest",
        "rebuild",
        "retrospan ingest",
        "retrospan flows",
    ]
    assert [values for name, values in found if name.startswith("retrospan")] == [[0], [4]]
    for request in sink.requests:
        assert str(tmp_path).encode() not in request.SerializeToString()


def test_an_error_is_told_by_its_type_alone(sink: Sink) -> None:
    with (
        pytest.raises(ValueError, match="secret"),
        telemetry.command("replay", lambda text: None),
        telemetry.phase("replay"),
    ):
        raise ValueError("a secret from the data")
    assert b"ValueError" in sink.requests[0].SerializeToString()
    assert b"secret" not in sink.requests[0].SerializeToString()


def test_a_collector_that_is_gone_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://me:word@127.0.0.1:9")
    monkeypatch.setattr(telemetry, "SECONDS_MAX", 0.2)
    said: list[str] = []
    with telemetry.command("flows", said.append) as running:
        running.exit_code = 0
    assert said == ["own traces were not sent: http://127.0.0.1:9 does not take them"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {ENDPOINT: " "},
        {ENDPOINT: "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_without_an_endpoint_nothing_is_traced(environment: dict[str, str]) -> None:
    assert telemetry.endpoint(environment) is None


def test_the_sdk_is_not_imported_unless_traces_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    program = (
        "import sys; from retrospan import telemetry\n"
        "with telemetry.command('flows', print), telemetry.phase('report'): pass\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
