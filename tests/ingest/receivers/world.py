"""Requests by hand, and a running receiver to send them to."""

import gzip
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest.otlp.values import Object
from ingest.pipeline import IngestSettings
from ingest.receivers.loader import PURPOSE
from ingest.receivers.server import Receivers
from ingest.receivers.settings import ReceiverLimits, ReceiverSettings, Tls
from store.lease import Session, Store
from store.model import LogRecord, Span
from store.read import read_logs, read_spans

START = 1_772_618_400_000_000_000
KEY = b"a key for tests only"
JSON, PROTOBUF = "application/json", "application/x-protobuf"


def spans_document(numbers: range, service: str = "shop", **attributes: object) -> Object:
    """An OTLP JSON request; span n has an id made of n."""
    resource: list[object] = [{"key": "service.name", "value": {"stringValue": service}}]
    for key, value in attributes.items():
        tag = "boolValue" if isinstance(value, bool) else "stringValue"
        resource.append({"key": key.replace("_", "."), "value": {tag: value}})
    spans: list[object] = [
        {
            "traceId": f"{number // 10 + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": f"step {number}",
            "kind": 3,
            "startTimeUnixNano": str(START + number),
            "endTimeUnixNano": str(START + number + 1000),
            "attributes": [{"key": "n", "value": {"intValue": str(number)}}],
        }
        for number in numbers
    ]
    scopes: list[object] = [{"scope": {"name": "by hand"}, "spans": spans}]
    return {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": scopes}]}


@dataclass(frozen=True)
class Answer:
    """What a receiver said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> object:
        return json.loads(self.body)


def post(
    url: str,
    body: bytes,
    media: str = JSON,
    *,
    zipped: bool = False,
    token: str | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """One request by the standard library."""
    headers = {"content-type": media}
    if zipped:
        body, headers["content-encoding"] = gzip.compress(body), "gzip"
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


class Gated(Store):
    """A store that lets nobody load what was received before its gate is open."""

    def __init__(self, path: Path, gate: threading.Event) -> None:
        super().__init__(path)
        self._gate = gate

    @contextmanager
    def lease(self, purpose: str, *, create: bool = False) -> Iterator[Session]:
        if purpose == PURPOSE:
            self._gate.wait(20)
        with super().lease(purpose, create=create) as session:
            yield session


@dataclass
class Running:
    """Receivers in this process; `gate` closed holds the loader back."""

    receivers: Receivers
    store: Store
    scheme: str = "http"
    told: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/v1/traces", name: str = "otlp_http") -> str:
        return f"{self.scheme}://localhost:{self.receivers.ports[name]}{path}"

    def stored(self) -> tuple[list[Span], list[LogRecord]]:
        """What is in the store after a graceful stop."""
        self.gate.set()
        self.receivers.stop()
        with self.store.lease("looking") as session:
            return read_spans(session), read_logs(session)


@contextmanager
def running(
    folder: Path,
    limits: ReceiverLimits | None = None,
    *,
    token: str | None = None,
    tls: Tls | None = None,
    gate_open: bool = True,
) -> Iterator[Running]:
    """Receivers on free ports of this machine."""
    gate = threading.Event()
    store = Gated(folder / "test.duckdb", gate)
    settings = ReceiverSettings(
        spool=folder / "spool",
        ingest=IngestSettings(redaction_key=KEY),
        otlp_http_port=0,
        otlp_grpc_port=0,
        jaeger_http_port=0,
        jaeger_udp_port=0,
        token=token,
        tls=tls,
        limits=limits or replace(ReceiverLimits(), load_seconds=0.1),
    )
    told: list[str] = []
    if gate_open:
        gate.set()
    receivers = Receivers(store, settings, lambda: None, told.append)
    try:
        yield Running(receivers, store, "https" if tls else "http", told, gate)
    finally:
        gate.set()
        receivers.stop()


class Server:
    """`retrospan serve` as a process, for tests that kill it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        ports = ("otlp-http", "otlp-grpc", "jaeger-http", "jaeger-udp")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "retrospan", "--db", str(folder / "test.duckdb"), "serve"),
                *(word for port in ports for word in (f"--{port}-port", "0")),
                *("--pages-port", "-1"),
                *arguments,
            ],
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "RETROSPAN_REDACTION_KEY": KEY.decode()},
        )
        self.port = 0
        self.said: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if match := re.match(r"OTLP over HTTP: .* port (\d+)", line):
                self.port = int(match[1])
            if line.startswith("receiving"):
                return
        raise AssertionError(self.said)

    def url(self, path: str = "/v1/traces") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        self.said += said.splitlines()
        return self.process.returncode
