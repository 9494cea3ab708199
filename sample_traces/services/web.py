"""HTTP between the services: a traced JSON server, and a plain JSON client."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    Status,
    StatusCode,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sample_traces.services.telemetry import Telemetry

PROPAGATOR = TraceContextTextMapPropagator()
KEY_HEADER = "Idempotency-Key"
BODY_BYTES_MAX = 1_000_000

Json = dict[str, Any]


def dumps(value: Any) -> str:
    """The one JSON spelling used in bodies and attributes."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as a route sees it."""

    body: Json
    key: str | None
    span: Span
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a route answers; `effect` holds the span attributes of an effect really made now."""

    status: int
    body: Json
    effect: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Request], Answer]


class ServiceServer(ThreadingHTTPServer):
    """One thread per connection; every request becomes a SERVER span, if `traced`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        port: int,
        routes: Mapping[str, Route],
        telemetry: Telemetry,
        *,
        traced: bool = True,
    ) -> None:
        self.routes = routes
        self.traced = traced
        self.telemetry = telemetry
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: ServiceServer

    def do_POST(self) -> None:
        size = min(int(self.headers.get("Content-Length", "0")), BODY_BYTES_MAX)
        body: Json = json.loads(self.rfile.read(size) or b"{}")
        route = self.server.routes.get(self.path)
        if route is None:
            self._reply(404, {"error": f"no route {self.path}"})
            return
        answer = self._traced(route, body) if self.server.traced else self._plain(route, body)
        self._reply(answer.status, answer.body)

    def do_GET(self) -> None:
        self._reply(200, {"status": "ready"})

    def _traced(self, route: Route, body: Json) -> Answer:
        key = self.headers.get(KEY_HEADER)
        carrier = {name.lower(): value for name, value in self.headers.items()}
        span = self.server.telemetry.tracer.start_span(
            f"POST {self.path}",
            context=PROPAGATOR.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": "POST", "http.route": self.path},
        )
        if key is not None:
            span.set_attribute("retrospan.idempotency_key", key)
        request = Request(
            body=body, key=key, span=span, context=set_span_in_context(span, Context())
        )
        answer = route(request)
        span.set_attribute("http.response.status_code", answer.status)
        span.set_attributes(dict(answer.effect))
        if answer.status >= 500:
            span.set_attribute("error.type", str(answer.status))
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        return answer

    def _plain(self, route: Route, body: Json) -> Answer:
        key = self.headers.get(KEY_HEADER)
        return route(Request(body=body, key=key, span=INVALID_SPAN, context=Context()))

    def _reply(self, status: int, body: Json) -> None:
        data = dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client gave up; the work is done all the same

    def log_message(self, format: str, *args: Any) -> None:
        """Access logs would only repeat the spans."""


def post(
    port: int, path: str, body: str, headers: Mapping[str, str], timeout_s: float
) -> tuple[int, Json]:
    """POST a JSON text; raises TimeoutError when the answer is late."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(
            "POST", path, body.encode(), {"Content-Type": "application/json", **headers}
        )
        response = connection.getresponse()
        document: Json = json.loads(response.read())
        return response.status, document
    finally:
        connection.close()


def ready(port: int) -> bool:
    """Whether a service answers on this port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def serve_until(server: ServiceServer, stop: threading.Event) -> None:
    """Serve in the background until `stop` is set."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2})
    thread.start()
    stop.wait()
    server.shutdown()
    thread.join()
    server.server_close()
