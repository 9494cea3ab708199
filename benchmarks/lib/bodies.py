"""OTLP/protobuf bodies as a collector sends them: whole traces over many services."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

TRACES_PER_BODY, SPANS_PER_TRACE = 25, 20
SERVICES, KEYS_PER_SERVICE, KEYS_PER_SPAN = 12, 26, 6
T0 = 1_790_000_000_000_000_000


def put(attributes: "Sequence[KeyValue]", key: str, value: str | int | float | bool) -> None:
    """Append an attribute to a repeated field."""
    entry: KeyValue = attributes.add()  # type: ignore[attr-defined]
    entry.key = key
    if isinstance(value, bool):
        entry.value.bool_value = value
    elif isinstance(value, int):
        entry.value.int_value = value
    elif isinstance(value, float):
        entry.value.double_value = value
    else:
        entry.value.string_value = value


def _scopes(request: ExportTraceServiceRequest) -> list[ScopeSpans]:
    """Where the spans of each service go."""
    scopes = []
    for service in range(SERVICES):
        group = request.resource_spans.add()
        put(group.resource.attributes, "service.name", f"service-{service}")
        put(group.resource.attributes, "service.version", f"1.{service}.0")
        put(group.resource.attributes, "host.name", f"node-{service % 4}")
        scopes.append(group.scope_spans.add(scope={"name": f"instrumentation.{service}"}))
    return scopes


@dataclass(frozen=True, slots=True)
class Body:
    """One request's bytes, and how many spans are in it."""

    data: bytes
    spans: int


class Bodies:
    """Makes the same bodies for the same seed; `keys` are the attribute keys of spans so far.

    The spans of a trace are dealt out to `spread` bodies: with 1 each trace comes whole, with more
    as from services that export on their own.
    """

    def __init__(self, spread: int = 1, seed: int = 7) -> None:
        self.spread = spread
        self.chance = random.Random(seed)
        self.keys: set[str] = set()
        self.now_ns = T0

    def make(self, count: int) -> list[Body]:
        """So many bodies, of `TRACES_PER_BODY` × `SPANS_PER_TRACE` spans each on average."""
        made: list[Body] = []
        while len(made) < count:
            made += self._together(min(self.spread, count - len(made)))
        return made

    def _together(self, count: int) -> list[Body]:
        requests = [ExportTraceServiceRequest() for _ in range(count)]
        scopes = [_scopes(request) for request in requests]
        for _ in range(TRACES_PER_BODY * count):
            self._trace(scopes)
        return [
            Body(request.SerializeToString(), sum(len(scope.spans) for scope in own))
            for request, own in zip(requests, scopes, strict=True)
        ]

    def _trace(self, scopes: Sequence[Sequence[ScopeSpans]]) -> None:
        chance = self.chance
        trace, above = chance.randbytes(16), [b""]
        for _ in range(SPANS_PER_TRACE):
            service = chance.randrange(SERVICES)
            self.now_ns += chance.randrange(1, 400_000)
            span = chance.choice(scopes)[service].spans.add(
                trace_id=trace,
                span_id=chance.randbytes(8),
                parent_span_id=chance.choice(above),
                name=f"operation {service}.{chance.randrange(20)}",
                kind=chance.choice((1, 2, 2, 3, 3, 4, 5)),
                start_time_unix_nano=self.now_ns,
                end_time_unix_nano=self.now_ns + chance.randrange(5_000_000),
            )
            self._attributes(span, service)
            self._rest(span, above)
            above = [*(one for one in above if one), span.span_id]

    def _attributes(self, span: Span, service: int) -> None:
        chance = self.chance
        put(span.attributes, "http.request.method", chance.choice(("GET", "POST")))
        put(span.attributes, "http.response.status_code", chance.choice((200, 200, 201, 503)))
        put(span.attributes, "url.path", f"/v1/orders/{chance.randrange(10**6)}")
        put(span.attributes, "tenant.id", f"t-{chance.randrange(500):03}")
        for number in chance.sample(range(KEYS_PER_SERVICE), KEYS_PER_SPAN):
            value: str | int | float | bool = (
                f"value {chance.randrange(50)}",
                f"{chance.randrange(16**12):012x}",
                chance.randrange(10**9),
                chance.random(),
                chance.random() < 0.5,
            )[number % 5]
            put(span.attributes, f"app.s{service}.field_{number}", value)
        if chance.random() < 0.05:
            put(span.attributes, "enduser.email", f"u{chance.randrange(999)}@example.org")
        if chance.random() < 0.02:
            token = f"Bearer {chance.randrange(16**40):040x}"
            put(span.attributes, "http.request.header.authorization", token)
        self.keys.update(entry.key for entry in span.attributes)

    def _rest(self, span: Span, above: Sequence[bytes]) -> None:
        if self.chance.random() < 0.05:
            span.status.code, span.status.message = 2, "deadline exceeded"  # type: ignore[assignment]
        if self.chance.random() < 0.2:
            event = span.events.add(name="exception", time_unix_nano=span.start_time_unix_nano + 5)
            put(event.attributes, "exception.type", "TimeoutError")
            put(event.attributes, "exception.message", f"no answer from {above[-1].hex()}")
        if self.chance.random() < 0.05:
            span.links.add(trace_id=self.chance.randbytes(16), span_id=self.chance.randbytes(8))
