"""The orchestrator's outgoing calls: attempts, timeouts, backoff, breaker, spans."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from sample_traces.services.breaker import Breaker
from sample_traces.services.process import Host
from sample_traces.services.web import KEY_HEADER, PROPAGATOR, Json, dumps, post


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A remote operation and the call settings in force for it."""

    callee: str
    path: str
    timeout_ms: int
    max_attempts: int
    backoff_initial_ms: int = 60
    backoff_coefficient: float = 2.0
    kind: str = "call"
    reference: str | None = None
    """The field of the answer that names the effect."""
    attributes: Mapping[str, str | int | float] = field(default_factory=dict)
    """What the span says besides."""
    told: Callable[[Json], Mapping[str, str | int | float]] | None = None
    """What the span says of a good answer besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saga:
    """The saga side of a step."""

    step: str
    role: str
    resource: str | None = None
    amount: str | None = None
    currency: str | None = None
    compensates: str | None = None

    def attributes(self, saga_id: str) -> dict[str, str]:
        """As span attributes."""
        named = {
            "id": saga_id,
            "step": self.step,
            "role": self.role,
            "resource": self.resource,
            "amount": self.amount,
            "currency": self.currency,
            "compensates": self.compensates,
        }
        return {f"retrospan.saga.{name}": value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What all calls of one flow share."""

    flow_id: str
    index: int
    """The number in its id; the plan's draws depend on it."""
    saga_id: str
    context: Context
    lock: threading.Lock = field(default_factory=threading.Lock)
    draws: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def trace_id(self) -> str:
        """The trace the flow's calls are in."""
        return f"{get_current_span(self.context).get_span_context().trace_id:032x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a step ended, after its last attempt."""

    ok: bool
    status: int | None
    body: Json
    error: str | None
    attempts: int
    timeouts: int
    span_id: str
    started_ns: int
    ended_ns: int


KeyRule = Callable[[int, int], str]
"""The idempotency key from the attempt's number (from 1) and the timeouts so far."""


class Caller:
    """Makes the calls of one orchestrator process."""

    def __init__(self, host: Host, breakers: dict[str, Breaker]) -> None:
        self._host = host
        self._breakers = breakers

    def call(
        self,
        flow: Flow,
        operation: Operation,
        key: str,
        body: Json,
        *,
        key_rule: KeyRule | None = None,
        saga: Saga | None = None,
    ) -> Result:
        """Run one step: attempts until an answer that is not worth repeating."""
        started_ns, timeouts, text = time.time_ns(), 0, dumps(body)
        attempt = 0
        while True:
            attempt += 1
            span = self._start(flow, operation, key, attempt, saga)
            span.set_attribute("http.request.body.content", text)
            idempotency = key_rule(attempt, timeouts) if key_rule else None
            status, answer, error = self._attempt(flow, operation, span, text, idempotency)
            span.end()
            timeouts += error == "timeout"
            # A refused or answered call is final; timeouts and 5xx are worth repeating.
            repeat = error is not None and error != "breaker_open" and (status or 500) >= 500
            if not repeat or attempt >= operation.max_attempts:
                return Result(
                    ok=error is None,
                    status=status,
                    body=answer,
                    error=error,
                    attempts=attempt,
                    timeouts=timeouts,
                    span_id=f"{span.get_span_context().span_id:016x}",
                    started_ns=started_ns,
                    ended_ns=time.time_ns(),
                )
            self._back_off(flow, operation, key, attempt, span)

    def _start(
        self, flow: Flow, operation: Operation, key: str, attempt: int, saga: Saga | None
    ) -> Span:
        attributes: dict[str, str | int | float] = {
            **operation.attributes,
            "http.request.method": "POST",
            "url.full": f"http://{operation.callee}{operation.path}",
            "url.template": operation.path,
            "server.address": operation.callee,
            "service.peer.name": operation.callee,
            "peer.service": operation.callee,
            "retrospan.step.key": key,
            "retrospan.step.kind": operation.kind,
            "retrospan.call.timeout_ms": operation.timeout_ms,
            "retrospan.call.max_attempts": operation.max_attempts,
            "retrospan.call.backoff_initial_ms": operation.backoff_initial_ms,
            "retrospan.call.backoff_coefficient": operation.backoff_coefficient,
        }
        if attempt > 1:
            attributes["http.request.resend_count"] = attempt - 1
        if saga is not None:
            attributes.update(saga.attributes(flow.saga_id))
        return self._host.telemetry.tracer.start_span(
            f"POST {operation.path}",
            context=flow.context,
            kind=SpanKind.CLIENT,
            attributes=attributes,
        )

    def _attempt(
        self, flow: Flow, operation: Operation, span: Span, text: str, key: str | None
    ) -> tuple[int | None, Json, str | None]:
        """One attempt; the answer is (status, body, error)."""
        breaker = self._breakers.get(f"{operation.callee}{operation.path}")
        state = "closed"
        if breaker is not None:
            admitted, state = breaker.admit()
            span.set_attribute("retrospan.breaker.state", state)
            if not admitted:
                _fail(span, "breaker_open")
                return None, {}, "breaker_open"
        status, answer, error = self._exchange(operation, span, text, key)
        if breaker is not None:
            changed = breaker.record(error is None or status in range(400, 500), state)
            if changed is not None:
                self._host.telemetry.log(
                    "WARN",
                    f"circuit breaker of {operation.callee} is {changed}",
                    {"breaker.name": operation.callee, "breaker.state": changed},
                    context=set_span_in_context(span, flow.context),
                )
        return status, answer, error

    def _exchange(
        self, operation: Operation, span: Span, text: str, key: str | None
    ) -> tuple[int | None, Json, str | None]:
        headers: dict[str, str] = {}
        if key is not None:
            headers[KEY_HEADER] = key
            span.set_attribute("retrospan.idempotency_key", key)
            span.set_attribute("http.request.header.idempotency-key", [key])
        PROPAGATOR.inject(headers, set_span_in_context(span, Context()))
        try:
            status, answer = post(
                self._host.ports[operation.callee],
                operation.path,
                text,
                headers,
                operation.timeout_ms / 1000,
            )
        except TimeoutError:
            _fail(span, "timeout")
            return None, {}, "timeout"
        except OSError as problem:
            _fail(span, type(problem).__name__)
            return None, {}, type(problem).__name__
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("http.response.body.content", dumps(answer))
        if operation.reference is not None and operation.reference in answer:
            span.set_attribute("retrospan.saga.external_ref", answer[operation.reference])
        if operation.told is not None and status < 400:
            span.set_attributes(dict(operation.told(answer)))
        if status >= 400:
            _fail(span, str(status))
            return status, answer, str(status)
        return status, answer, None

    def _back_off(
        self, flow: Flow, operation: Operation, key: str, attempt: int, span: Span
    ) -> None:
        """Wait before the next attempt; the jitter's draw is recorded."""
        draw = self._host.plan.draw("jitter", flow.index, operation.path, key, attempt)
        record_draw(self._host, flow, "backoff jitter", draw, span)
        base_ms = operation.backoff_initial_ms * operation.backoff_coefficient ** (attempt - 1)
        time.sleep(base_ms * (0.75 + 0.5 * draw) / 1000)


def record_draw(host: Host, flow: Flow, what: str, value: float, span: Span) -> None:
    """Tell of a random number the flow drew at a span."""
    with flow.lock:
        index = next(flow.draws)
    host.telemetry.log(
        "INFO",
        what,
        {"kind": "random", "value": value, "index": index},
        context=set_span_in_context(span, flow.context),
        event_name="retrospan.effect",
    )


def _fail(span: Span, error_type: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))
