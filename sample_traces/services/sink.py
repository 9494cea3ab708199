"""A loopback collector that keeps OTLP requests and writes them as OTLP/JSON lines."""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import signal
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES: dict[str, type[Message]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
FILES = {"/v1/traces": "traces.jsonl.gz", "/v1/logs": "logs.jsonl.gz"}
ID_FIELDS = frozenset({"traceId", "spanId", "parentSpanId"})


class Sink(ThreadingHTTPServer):
    """Keeps request bodies as they come; decoding waits until the end, to stay quick."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.bodies: dict[str, list[bytes]] = {path: [] for path in MESSAGES}
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with self.server.lock:
            self.server.bodies[self.path].append(body)
        self._reply()

    def do_GET(self) -> None:
        self._reply()

    def _reply(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to say."""


def hex_ids(value: Any) -> Any:
    """OTLP/JSON writes ids in hex where protobuf's own JSON writes base64."""
    if isinstance(value, list):
        return [hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(item).hex() if name in ID_FIELDS else hex_ids(item)
        for name, item in value.items()
    }


def otlp_json(path: str, body: bytes) -> dict[str, Any]:
    """One protobuf request as an OTLP/JSON document."""
    message = MESSAGES[path]()
    message.ParseFromString(body)
    document: dict[str, Any] = hex_ids(MessageToDict(message, use_integers_for_enums=True))
    return document


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a gzip file whose bytes depend on the lines only."""
    text = "".join(line + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main() -> None:
    """Collect until SIGTERM, then write the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", required=True, type=Path)
    options = parser.parse_args()
    port = json.loads((options.run_dir / "ports.json").read_text())["sink"]
    sink, stop = Sink(port), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.2})
    thread.start()
    stop.wait()
    sink.shutdown()
    thread.join()
    sink.server_close()
    for path, bodies in sink.bodies.items():
        documents = (otlp_json(path, body) for body in bodies)
        lines = (json.dumps(document, separators=(",", ":")) for document in documents)
        write_lines(options.run_dir / FILES[path], lines)


if __name__ == "__main__":
    main()
