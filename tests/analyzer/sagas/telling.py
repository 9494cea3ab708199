"""One flow told as spans, as an orchestrator and its callees would record it.

Times are milliseconds after the start of the flow. Every call is a CLIENT span of its caller and a
SERVER span of its callee; both carry what the conventions of DESIGN section 5 ask for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from store.model import AttributeValue, Span
from tests.analyzer.builder import make_span

ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How one attempt ended: for its caller, and at its callee (None: the same)."""

    status: int | None = 201
    error: str | None = None
    at_callee: int | None = None
    callee_start: float | None = None
    callee_end: float | None = None


OK = Answer()
BUSY = Answer(status=503)


@dataclass(slots=True, kw_only=True)
class Telling:
    """A flow being told; its root is the first span."""

    number: int = 1
    offset: float = 0
    status: str = "completed"
    end: float = 0
    spans: list[Span] = field(default_factory=list)
    servers: dict[str, str] = field(default_factory=dict)
    """The callee's span id of each call, by the call's span id."""

    @property
    def root_id(self) -> str:
        """The root's span id."""
        return self._id(0)

    def _id(self, ordinal: int) -> str:
        return f"{self.number * 10_000 + ordinal + 1:016x}"

    def _add(self, name: str, start: float, end: float | None, **more: object) -> Span:
        made = make_span(
            name,
            self.offset + start,
            None if end is None else self.offset + end,
            number=self.number * 10_000 + len(self.spans) + 2,
            trace=f"{self.number:032x}",
            **more,  # type: ignore[arg-type]
        )
        self.spans.append(made)
        self.end = max(self.end, end or start)
        return made

    def call(
        self,
        callee: str,
        operation: str,
        start: float,
        end: float,
        *,
        answer: Answer = OK,
        service: str = ORCHESTRATOR,
        parent: str | None = None,
        key: str,
        idempotency_key: str,
        ref: str | None = None,
        saga: Mapping[str, str | Decimal] | None = None,
        request: Mapping[str, str] | None = None,
    ) -> Span:
        """One attempt; the callee names its effect where it made one."""
        method, _, path = operation.partition(" ")
        status = answer.status if answer.error is None else None
        attributes: dict[str, AttributeValue] = {
            "http.request.method": method,
            "url.template": path,
            "service.peer.name": callee,
            "retrospan.step.key": key,
            "retrospan.idempotency_key": idempotency_key,
            **{f"retrospan.saga.{name}": str(value) for name, value in (saga or {}).items()},
        }
        if request is not None:
            attributes["retrospan.step.request"] = json.dumps(dict(request))
        if answer.error is not None:
            attributes["error.type"] = answer.error
        if status is not None:
            attributes["http.response.status_code"] = status
        if ref is not None and status is not None and status < 400:
            attributes["retrospan.saga.external_ref"] = ref
        failed = status is None or status >= 400
        made = self._add(
            operation,
            start,
            end,
            kind="client",
            service=service,
            parent=parent or self.root_id,
            status="error" if failed else "unset",
            attributes=attributes,
        )
        self._serve(made, answer, start, end, ref)
        return made

    def _serve(self, call: Span, answer: Answer, start: float, end: float, ref: str | None) -> None:
        at_callee = answer.at_callee or answer.status or 201
        told: dict[str, AttributeValue] = {
            "http.request.method": call.attributes["http.request.method"],
            "http.response.status_code": at_callee,
        }
        if ref is not None and at_callee < 400:
            told["retrospan.saga.external_ref"] = ref
        began = start + 0.5 if answer.callee_start is None else answer.callee_start
        ended = end - 0.5 if answer.callee_end is None else answer.callee_end
        served = self._add(
            call.name,
            began,
            ended,
            kind="server",
            service=str(call.attributes["service.peer.name"]),
            parent=call.span_id,
            status="error" if at_callee >= 500 else "unset",
            attributes=told,
        )
        self.servers[call.span_id] = served.span_id

    def told(self) -> list[Span]:
        """The root and all spans."""
        attributes: dict[str, AttributeValue] = {
            "retrospan.flow.name": "trip",
            "retrospan.flow.id": f"trip-{self.number}",
            "retrospan.flow.version": "1",
            "retrospan.flow.output": json.dumps({"status": self.status}),
        }
        root = make_span(
            "trip", self.offset, self.offset + self.end + 5, number=1, kind="server",
            service=ORCHESTRATOR, trace=f"{self.number:032x}", attributes=attributes,
        )  # fmt: skip
        return [replace(root, span_id=self.root_id), *self.spans]
