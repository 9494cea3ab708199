"""Runs a function of `shop_orders` against a shop on loopback, recorded by the real thing.

python record.py FUNCTION FOLDER [ORDERS]
"""

import asyncio
import http.server
import importlib
import inspect
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

ORDER = {"id": "o-1", "amount": 30, "card_number": "4111111111111111", "loyalty_number": "L-77"}
WORDS = ("one", "two", "three")


class Shop(http.server.BaseHTTPRequestHandler):
    """Reserves, charges, and says words one by one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/words":
            return self._words()
        data = json.dumps({"id": self.path[1:2] + "-1", "access_token": "sesame"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        return None

    def _words(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in WORDS:
            event = f"data: {word}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            time.sleep(0.03)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def instrument(recorder: Any) -> None:
    """The instrumentations that are installed, with the recorder's hooks."""
    for name, kind, hooks in (
        ("httpx", "HTTPXClientInstrumentor", recorder.httpx),
        ("requests", "RequestsInstrumentor", recorder.requests),
        ("aiohttp_client", "AioHttpClientInstrumentor", recorder.aiohttp),
    ):
        try:
            module = importlib.import_module(f"opentelemetry.instrumentation.{name}")
        except ImportError:
            continue
        getattr(module, kind)().instrument(**hooks())


def main() -> None:
    """Record orders, one after the other."""
    name, folder, orders = sys.argv[1], Path(sys.argv[2]), int([*sys.argv, "1"][3])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["SHOP"] = shop = f"http://127.0.0.1:{server.server_address[1]}"
    resource = Resource({"service.name": "orders"})
    spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    tracing, logging = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
    trace.set_tracer_provider(tracing)
    _logs.set_logger_provider(logging)
    shop_orders: Any = importlib.import_module("shop_orders")
    instrument(shop_orders.RECORDER)
    shop_orders.RECORDER.draws()
    shop_orders.RECORDER.timers()
    output: Any = None
    for _ in range(orders):
        output = getattr(shop_orders, name)(dict(ORDER))
        if inspect.iscoroutine(output):
            output = asyncio.run(output)
    server.shutdown()
    (folder / "traces.pb").write_bytes(encode_spans(spans.get_finished_spans()).SerializeToString())
    (folder / "logs.pb").write_bytes(encode_logs(logs.get_finished_logs()).SerializeToString())
    errors = shop_orders.RECORDER.errors
    print(json.dumps({"shop": shop, "output": output, "errors": errors}))


if __name__ == "__main__":
    main()
