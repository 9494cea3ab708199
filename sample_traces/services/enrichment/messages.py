"""How the services send and process messages, with spans after the messaging conventions.

A `process` span begins a trace of its own and is linked to the `send` span it comes from.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from sample_traces.services.calls import Flow
from sample_traces.services.faults import index_of
from sample_traces.services.process import Host
from sample_traces.services.web import PROPAGATOR, Json, dumps, post

SYSTEM = "leasing_broker"
REQUEST_TIMEOUT_S = 5.0
RETRY_DELAY_S = 0.15


class RetryError(Exception):
    """The message could not be worked on now; it should be delivered again."""


class CrashError(Exception):
    """The process cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of a message, and the span it is worked on under."""

    id: str
    topic: str
    flow_id: str
    body: Json
    nth: int
    span: Span
    context: Context
    died_in: str | None = None

    @property
    def flow(self) -> Flow:
        """The flow as outgoing calls need it."""
        return Flow(
            flow_id=self.flow_id,
            index=index_of(self.flow_id),
            saga_id=f"enrichment/{self.flow_id}",
            context=self.context,
        )


Handler = Callable[[Delivery], None]


def send(host: Host, topic: str, flow_id: str, body: Json, context: Context) -> None:
    """Publish a message under a PRODUCER span."""
    span = host.telemetry.tracer.start_span(
        f"send {topic}", context=context, kind=SpanKind.PRODUCER
    )
    span_id = f"{span.get_span_context().span_id:016x}"
    message_id = f"msg_{hashlib.sha256(f'{topic}/{flow_id}/{span_id}'.encode()).hexdigest()[:16]}"
    text = dumps(body)
    span.set_attributes(
        {
            **_attributes(topic, "send", message_id, flow_id, text),
            "retrospan.step.key": flow_id,
            "retrospan.step.request": text,
        }
    )
    headers: dict[str, str] = {}
    PROPAGATOR.inject(headers, set_span_in_context(span, Context()))
    message = {"topic": topic, "id": message_id, "subject": flow_id}
    _broker(host, "/publish", {**message, "headers": headers, "body": body})
    span.end()


def consume(host: Host, topics: Iterable[str], handler: Handler, workers: int) -> None:
    """Let `workers` threads per topic work on messages until the service stops."""
    for topic in topics:
        host.background.extend([_loop(host, topic, handler)] * workers)


def _loop(host: Host, topic: str, handler: Handler) -> Callable[[], None]:
    def work() -> None:
        while not host.stop.is_set():
            try:
                message = _broker(host, "/lease", {"topic": topic})[1]
            except OSError:
                time.sleep(RETRY_DELAY_S)  # the broker is not there yet, or no more
                continue
            if message:
                _process(host, topic, message, handler)

    return work


def _process(host: Host, topic: str, message: Json, handler: Handler) -> None:
    flow_id, nth = str(message["subject"]), int(message["delivery"])
    producer = get_current_span(PROPAGATOR.extract(message["headers"])).get_span_context()
    span = host.telemetry.tracer.start_span(
        f"process {topic}",
        context=Context(),
        kind=SpanKind.CONSUMER,
        links=[Link(producer)],
        attributes={
            **_attributes(topic, "process", message["id"], flow_id, dumps(message["body"])),
            "messaging.consumer.group.name": host.identity.name,
            f"messaging.{SYSTEM}.message.delivery_attempt": nth,
        },
    )
    delivery = Delivery(
        id=str(message["id"]),
        topic=topic,
        flow_id=flow_id,
        body=message["body"],
        nth=nth,
        span=span,
        context=set_span_in_context(span, Context()),
        died_in=message.get("died_in"),
    )
    receipt = {"topic": topic, "id": message["id"], "delivery": nth}
    try:
        handler(delivery)
    except CrashError as problem:
        _fail(span, problem)
        host.crashed.set()
        host.stop.set()
        return
    except Exception as problem:  # whatever it is, the message is to be tried again
        _fail(span, problem)
        _broker(host, "/give-back", {**receipt, "delay_s": RETRY_DELAY_S})
        return
    status, _ = _broker(host, "/acknowledge", receipt)
    if status == 409:
        host.telemetry.log(
            "WARN",
            "acknowledgement refused: the lease has ended",
            {"messaging.message.id": str(message["id"])},
            context=delivery.context,
        )
    span.end()


def _attributes(
    topic: str, operation: str, message_id: str, flow_id: str, text: str
) -> dict[str, str | int]:
    return {
        "messaging.system": SYSTEM,
        "messaging.destination.name": topic,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": flow_id,
        "messaging.message.body.size": len(text.encode()),
    }


def _fail(span: Span, problem: Exception) -> None:
    span.record_exception(problem)
    span.set_attribute("error.type", type(problem).__name__)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def _broker(host: Host, path: str, body: Json) -> tuple[int, Json]:
    return post(host.ports["message-broker"], path, dumps(body), {}, REQUEST_TIMEOUT_S)
