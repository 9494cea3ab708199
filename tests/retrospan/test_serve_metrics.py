"""Metrics of SLOs from a real server on loopback: as text, as OTLP, over a restart."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from tests.analyzer.slo.documents import SLO

START = 1_700_000_000_000_000_000
SECONDS_MAX = 60
GOOD = 'retrospan_slo_flows_total{result="good",service="shop",slo="done"}'
BAD = 'retrospan_slo_flows_total{result="bad",service="shop",slo="done"}'


def body(number: int, status: int) -> bytes:
    """One flow of one span; status 2 is an error."""

    def attribute(key: str, value: str) -> dict[str, Any]:
        return {"key": key, "value": {"stringValue": value}}

    span = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "pay",
        "kind": 2,
        "startTimeUnixNano": str(START + number * 10**9),
        "endTimeUnixNano": str(START + number * 10**9 + 10**6),
        "status": {"code": status},
        "attributes": [
            attribute("retrospan.flow.id", f"f{number}"),
            attribute("retrospan.flow.name", "payment"),
        ],
    }
    resource = {"attributes": [attribute("service.name", "shop")]}
    return json.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    ).encode()


class Serving:
    """A running `retrospan serve` and its OTLP port."""

    def __init__(self, folder: Path, environment: dict[str, str], *options: str) -> None:
        command = [sys.executable, "-P", "-m", "retrospan", "serve", "--otlp-http-port", "0"]
        for name in ("otlp-grpc", "jaeger-http", "jaeger-udp", "pages"):
            command += [f"--{name}-port", "-1"]
        self._log = folder / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *options], cwd=folder, stderr=log, env={**os.environ, **environment}
            )
        self.port = int(
            self._until(lambda: re.search(r"GET /metrics at \S+ port (\d+)", self.log))[1]
        )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def _until(self, ask: Any) -> Any:
        deadline = time.monotonic() + SECONDS_MAX
        while not (found := ask()):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return found

    def metrics(self, token: str = "") -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            text: str = answer.read().decode()
            return text

    def send(self, *bodies: bytes) -> None:
        for one in bodies:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}/v1/traces",
                data=one,
                headers={"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200

    def until_told(self, line: str) -> str:
        def ask() -> str | None:
            text = self.metrics()
            return text if line in text.splitlines() else None

        return str(self._until(ask))


@contextmanager
def serving(
    folder: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[Serving]:
    server = Serving(folder, environment or {}, *options)
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETROSPAN_REDACTION_KEY", "a key for tests only")
    (tmp_path / "retrospan.toml").write_text('[slo]\nfiles = ["slo.yaml"]\n')
    (tmp_path / "slo.yaml").write_text(SLO)
    return tmp_path


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """An OTLP endpoint that keeps the metrics it is sent."""
    received: list[ExportMetricsServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/metrics":
                received.append(ExportMetricsServiceRequest.FromString(data))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_flows_are_counted_as_they_come_and_go_on_after_a_restart(folder: Path) -> None:
    with collector() as (url, received):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_METRIC_EXPORT_INTERVAL": "600000"}
        with serving(folder, environment=environment) as server:
            assert f"{GOOD} 0" in server.metrics().splitlines()
            assert "retrospan_slo_sli_ratio{" not in server.metrics()
            server.send(body(1, 1), body(2, 2), body(3, 1))
            text = server.until_told(f"{GOOD} 2")
            assert f"{BAD} 1" in text.splitlines()
            assert (
                'retrospan_slo_sli_ratio{objective="objective 1",service="shop",slo="done"} '
                "0.6666666666666666" in text.splitlines()
            )
        names = {
            metric.name: metric
            for request in received
            for of in request.resource_metrics
            for scope in of.scope_metrics
            for metric in scope.metrics
        }
        points = names["retrospan.slo.flows"].sum.data_points
        assert names["retrospan.slo.flows"].sum.is_monotonic
        assert sorted(point.as_double for point in points) == [0, 1, 2]
    (folder / "retrospan.duckdb").unlink()
    with serving(folder) as server:
        server.until_told(f"{GOOD} 2")
        server.send(body(4, 1))
        server.until_told(f"{GOOD} 3")


def test_metrics_ask_for_the_token_as_senders_are_asked(folder: Path) -> None:
    with serving(folder, "--token", "a token for tests") as server:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            server.metrics()
        assert GOOD in server.metrics("a token for tests")


def test_a_file_of_counters_that_is_none_is_refused_by_name(folder: Path) -> None:
    (folder / "retrospan.duckdb.slo-counters.json").write_text("{}")
    run = subprocess.run(
        [sys.executable, "-P", "-m", "retrospan", "serve", "--pages-port", "-1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert run.returncode == 4
    assert "slo-counters.json is no retrospan.slo_counters/1" in run.stderr
