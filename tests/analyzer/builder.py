"""Small recordings written by hand: flows of spans, with as much or as little said as a test needs.

Times are milliseconds from one fixed instant; every call is a CLIENT span under the root and,
unless told otherwise, a SERVER span of the callee below it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.assign import AssignSettings, FlowRows, assign
from analyzer.derive import DeriveSettings, decisions_in, derive
from analyzer.detectors import FlowCase, detect
from analyzer.sagas import Coverage, coverage_of, verify
from store.conclusions import CheckResult, Finding, Flow, SagaVerdict, Step
from store.model import AttributeValue, Decision, LogRecord, Span, SpanLink

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
TRACE = "0" * 31 + "1"
LATER_NS = START_NS + 3_600_000 * MS


def at(ms: float) -> int:
    """The instant so many milliseconds after the start of time."""
    return START_NS + int(ms * MS)


def make_span(
    name: str,
    start: float,
    end: float | None,
    *,
    number: int,
    parent: str | None = None,
    kind: str = "internal",
    service: str = "orchestrator",
    trace: str = TRACE,
    status: str = "unset",
    links: Sequence[SpanLink] = (),
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Span:
    """One span whose id is its number."""
    return Span(
        trace_id=trace,
        span_id=f"{number:016x}",
        parent_span_id=parent,
        name=name,
        kind=kind,
        service=service,
        start_ns=at(start),
        end_ns=None if end is None else at(end),
        status=status,
        links=links,
        attributes=dict(attributes or {}),
    )


@dataclass(slots=True, kw_only=True)
class Recording:
    """One flow being written down; the root is span 1 and covers everything said."""

    status: str = "completed"
    flow_id: str = "order-1"
    end: float = 1000
    trace: str = TRACE
    root_attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    number: int = 1

    @property
    def root_id(self) -> str:
        """The id of the root span."""
        return f"{1:016x}"

    def add(self, name: str, start: float, end: float | None, **more: object) -> Span:
        """One span, below the root unless told otherwise."""
        self.number += 1
        options: dict[str, object] = {"parent": self.root_id, "trace": self.trace, **more}
        made = make_span(name, start, end, number=self.number, **options)  # type: ignore[arg-type]
        self.spans.append(made)
        return made

    def call(
        self,
        callee: str,
        operation: str,
        start: float,
        end: float | None,
        *,
        http: int | None = 201,
        error: str | None = None,
        at_callee: int | None = None,
        callee_end: float | None = None,
        callee_ref: str | None = None,
        callee_seen: bool = True,
        key: str | None = None,
        ref: str | None = None,
        links: Sequence[SpanLink] = (),
        saga: Mapping[str, str] | None = None,
        extra: Mapping[str, AttributeValue] | None = None,
    ) -> Span:
        """One attempt of a call; `error` makes it one without an answer."""
        method, _, path = operation.partition(" ")
        attributes: dict[str, AttributeValue] = {
            "http.request.method": method,
            "url.template": path,
            "service.peer.name": callee,
            **{f"retrospan.saga.{name}": value for name, value in (saga or {}).items()},
            **(extra or {}),
        }
        if error is not None:
            http = None
            attributes["error.type"] = error
        if http is not None:
            attributes["http.response.status_code"] = http
        if key is not None:
            attributes["retrospan.idempotency_key"] = key
        if ref is not None:
            attributes["retrospan.saga.external_ref"] = ref
        failed = error is not None or (http is not None and http >= 400)
        made = self.add(
            operation,
            start,
            end,
            kind="client",
            status="error" if failed else "unset",
            links=links,
            attributes=attributes,
        )
        if callee_seen:
            told: dict[str, AttributeValue] = {
                "http.request.method": method,
                "http.response.status_code": at_callee or http or 201,
            }
            if callee_ref is not None:
                told["retrospan.saga.external_ref"] = callee_ref
            self.add(
                operation,
                start + 1,
                callee_end if callee_end is not None else (end or start + 2) - 1,
                kind="server",
                service=callee,
                parent=made.span_id,
                attributes=told,
            )
        return made

    def reserve(self, start: float, end: float, key: str = "sku-1", **more: object) -> Span:
        """A reservation of stock that went well."""
        saga = {"step": "reserve", "role": "compensatable", "resource": f"stock:{key}"}
        return self.call(
            "inventory", "POST /reservations", start, end, key=f"k-{key}", ref=f"rsv-{key}",
            saga=saga, extra={"retrospan.step.key": key}, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def release(
        self, of: Span, start: float, end: float, key: str = "sku-1", **more: object
    ) -> Span:
        """The release of a reservation."""
        saga = {
            "step": "release", "role": "compensation", "compensates": of.span_id,
            "resource": f"stock:{key}",
        }  # fmt: skip
        options: dict[str, object] = {"key": f"r-{key}", "ref": f"rel-{key}", **more}
        return self.call(
            "inventory", "POST /releases", start, end, saga=saga,
            extra={"retrospan.step.key": key}, **options,  # type: ignore[arg-type]
        )  # fmt: skip

    def charge(self, start: float, end: float, gateway: str = "eu", **more: object) -> Span:
        """A charge at a gateway; its step goes by the gateway's name."""
        saga = {
            "step": f"charge-{gateway}", "role": "compensatable", "resource": "order-1/charge",
            "amount": "10.50", "currency": "EUR",
        }  # fmt: skip
        options: dict[str, object] = {"key": f"c-{gateway}", **more}
        return self.call(
            f"gateway-{gateway}", "POST /charges", start, end, saga=saga,
            extra={"retrospan.step.key": "order-1"}, **options,  # type: ignore[arg-type]
        )  # fmt: skip

    def refund(
        self, of: Span, start: float, end: float | None, gateway: str = "eu", **more: object
    ) -> Span:
        """A refund of a charge."""
        saga = {
            "step": "refund", "role": "compensation", "compensates": of.span_id,
            "resource": "order-1/charge", "amount": "10.50", "currency": "EUR",
        }  # fmt: skip
        options: dict[str, object] = {"key": f"f-{gateway}", **more}
        return self.call(
            f"gateway-{gateway}", "POST /refunds", start, end, saga=saga,
            extra={"retrospan.step.key": "order-1"}, **options,  # type: ignore[arg-type]
        )  # fmt: skip

    def root(self) -> Span:
        """The span of the whole flow."""
        attributes: dict[str, AttributeValue] = {
            "retrospan.flow.name": "payment",
            "retrospan.flow.id": self.flow_id,
            "retrospan.flow.version": "1",
            "retrospan.flow.input": json.dumps({"order_id": self.flow_id}),
            "retrospan.flow.output": json.dumps({"status": self.status}),
            **self.root_attributes,
        }
        return make_span(
            "payment", 0, self.end, number=1, kind="server", trace=self.trace,
            attributes={name: value for name, value in attributes.items() if value is not None},
        )  # fmt: skip

    def all_spans(self) -> list[Span]:
        """The root and everything below it."""
        return [self.root(), *self.spans]

    def rows(self) -> FlowRows:
        """The flow as assignment hands it on."""
        (rows,) = assign(self.all_spans(), self.logs, self.decisions, AssignSettings())
        return rows

    def flow(self, settings: DeriveSettings | None = None) -> Flow:
        """The flow as derived."""
        return derive(self.rows(), settings or DeriveSettings())


def full_coverage(spans: Iterable[Span]) -> Coverage:
    """Coverage as if every service went on being heard of long after."""
    spans = list(spans)
    went_on = [
        replace(spans[0], service=service, start_ns=LATER_NS, end_ns=LATER_NS)
        for service in sorted({span.service for span in spans})
    ]
    return coverage_of([*spans, *went_on])


def verdict_of(recording: Recording, coverage: Coverage | None = None) -> SagaVerdict:
    """The saga verdict, with data of every service until long after unless told otherwise."""
    return verify(recording.flow(), coverage or full_coverage(recording.all_spans()))


def check_of(recording: Recording, check: str, coverage: Coverage | None = None) -> CheckResult:
    """What one check says."""
    results = {result.check: result for result in verdict_of(recording, coverage).checks}
    return results[check]


def findings_of(recording: Recording) -> list[Finding]:
    """What the detectors find."""
    rows = recording.rows()
    flow = derive(rows, DeriveSettings())
    coverage = full_coverage(recording.all_spans())
    return detect(FlowCase(flow=flow, decisions=decisions_in(rows), coverage=coverage))


def step_named(flow: Flow, name: str) -> Step:
    """The only step of a name."""
    (step,) = [step for step in flow.steps if step.name == name]
    return step


def without(spans: Iterable[Span], *names: str) -> list[Span]:
    """The spans with attributes left out whose name begins with one of these."""
    return [
        replace(
            span,
            attributes={k: v for k, v in span.attributes.items() if not k.startswith(names)},
        )
        for span in spans
    ]
