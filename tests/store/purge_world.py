"""Flows a day apart, each with a secret of its own in everything that is recorded of it."""

from collections.abc import Sequence
from typing import Any

from store.conclusions import (
    Attempt,
    Evidence,
    Finding,
    Flow,
    FlowOutcome,
    Incident,
    ReplayResult,
    SagaVerdict,
    Step,
    StepOutcome,
    Verdict,
)
from store.lease import Session
from store.model import Batch, Decision, LogRecord, Span, SpanEvent, SpanLink
from store.read import (
    read_dirty,
)
from store.write import replace_flows, write_batch, write_incident, write_replays

DAY = 86_400 * 10**9
START = 1_700_000_000 * 10**9
SECRET = "the-customer-of-day-"


def trace(day: int) -> str:
    return f"{day + 1:032x}"


def key(day: int, number: int = 1) -> str:
    return f"{day:012x}{number:04x}"


def spans_of(day: int, trace_day: int | None = None) -> list[Span]:
    home = trace(day if trace_day is None else trace_day)
    return [
        Span(
            trace_id=home,
            span_id=key(day, number),
            parent_span_id=None if number == 1 else key(day),
            name="pay",
            kind="client",
            service="orders",
            start_ns=START + day * DAY + number,
            end_ns=START + day * DAY + 100,
            attributes={"customer": f"{SECRET}{day}"},
            events=(SpanEvent(name="retry", time_ns=START),),
            links=(SpanLink(trace_id=home, span_id=key(day)),),
        )
        for number in (1, 2)
    ]


def log(day: int, **fields: Any) -> LogRecord:
    plain: dict[str, Any] = {
        "time_ns": START + day * DAY + 5,
        "observed_ns": START + day * DAY + 5,
        "trace_id": trace(day),
        "span_id": key(day),
        "severity_number": 9,
        "severity_text": "INFO",
        "event_name": "",
        "body": f"{SECRET}{day}",
        "service": "orders",
    }
    return LogRecord(**(plain | fields))


def decision(day: int, **fields: Any) -> Decision:
    plain: dict[str, Any] = {
        "decision_id": f"decision-{day}",
        "time_ns": START + day * DAY + 7,
        "chosen": f"approve {SECRET}{day}",
        "trace_id": trace(day),
        "span_id": key(day),
        "confidence": "0.9",
        "record": {"chosen": f"approve {SECRET}{day}", "confidence": 0.9},
    }
    return Decision(**(plain | fields))


def flow(day: int, spans: Sequence[Span]) -> Flow:
    step = Step(
        step_id=spans[1].span_id,
        key="pay",
        name="pay",
        kind="http",
        service="orders",
        callee="bank",
        operation="POST /charges",
        outcome=StepOutcome.OK,
        start_ns=spans[1].start_ns,
        end_ns=spans[1].end_ns,
        attempts=[
            Attempt(
                trace_id=spans[1].trace_id,
                span_id=spans[1].span_id,
                start_ns=spans[1].start_ns,
                end_ns=spans[1].end_ns,
                outcome=StepOutcome.OK,
                status="ok",
                has_request=True,
                request={"customer": f"{SECRET}{day}"},
                has_response=True,
                response={"shared": True},
            )
        ],
    )
    return Flow(
        flow_id=f"flow-{day}",
        name="payment",
        version="1",
        outcome=FlowOutcome.SUCCEEDED,
        start_ns=spans[0].start_ns,
        end_ns=spans[0].end_ns,
        service="orders",
        services=("orders",),
        trace_ids=tuple(sorted({span.trace_id for span in spans})),
        decision_ids=(f"decision-{day}",),
        span_count=len(spans),
        architecture="orchestration",
        replayability="full",
        complete=True,
        critical_path=(),
        steps=(step,),
    )


def finding(number: int, flow_id: str | None, day: int) -> Finding:
    return Finding(
        finding_id=f"finding-{number}",
        detector="hand",
        scope="flow" if flow_id else "population",
        severity="high",
        flow_id=flow_id,
        message=f"{SECRET}{day}",
        remedy="",
        verdict=Verdict.VIOLATION,
        evidence=(Evidence(kind="span", trace_id=trace(day), span_id=key(day)),),
    )


def content(spans: dict[int, list[Span]]) -> Batch:
    return Batch(
        source="hand.jsonl",
        content_sha256="0:0",
        reader="hand/1",
        rules_sha256="0",
        spans=[span for group in spans.values() for span in group],
        logs=[log(day) for day in spans],
        decisions=[decision(day) for day in spans],
    )


def fill(session: Session, spans: dict[int, list[Span]]) -> None:
    write_batch(session, content(spans))
    done = replace_flows(
        session,
        generation=read_dirty(session).generation,
        flows=[flow(day, group) for day, group in spans.items()],
        members={
            f"flow-{day}": [(span.trace_id, span.span_id) for span in group]
            for day, group in spans.items()
        },
        sagas=[
            SagaVerdict(
                flow_id=f"flow-{day}",
                saga_id="s",
                name="n",
                verdict=Verdict.PASS,
                checks=(),
                residual_effects=(),
            )
            for day in spans
        ],
        findings=[finding(day, f"flow-{day}", day) for day in spans]
        + [finding(100 + day, None, day) for day in spans],
        code_digest="hand",
    )
    assert done
    write_replays(session, [replay(day) for day in spans])
    write_incident(
        session,
        Incident(
            incident_id="inc-1",
            start_ns=START,
            end_ns=START + 9 * DAY,
            declared_by="person",
            title="t",
            flow_ids=tuple(f"flow-{day}" for day in spans),
            services=("orders",),
        ),
    )


def replay(day: int) -> ReplayResult:
    return ReplayResult(
        flow_id=f"flow-{day}",
        mode="trace",
        verdict="identical",
        digest="d",
        outcome="succeeded",
        virtual_duration_ns=1,
        virtual_low_ns=1,
        virtual_high_ns=1,
        program_digest="p",
        program_flows=2,
        leave_one_out=True,
        flags=(),
        divergences=(),
        answers={},
        events=[{"customer": f"{SECRET}{day}"}],
    )


def derived(session: Session) -> None:
    """As if the flows had been derived and nothing had changed."""
    session.cursor.execute("DELETE FROM dirty_traces")
