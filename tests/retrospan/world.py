"""A small incident made by hand: forty payments, six of which kept a charge nobody undid."""

from decimal import Decimal

from store.conclusions import (
    Attempt,
    CheckResult,
    CriticalSegment,
    Divergence,
    Evidence,
    Finding,
    Flow,
    FlowOutcome,
    Incident,
    ReplayResult,
    ResidualEffect,
    SagaVerdict,
    Step,
    StepOutcome,
    Verdict,
)
from store.model import Decision

SECOND = 1_000_000_000
START = 1_772_618_400 * SECOND  # 2026-03-04T10:00:00Z
FLOWS = 40
BAD = range(20, 26)


def span_id(index: int, step: int) -> str:
    return f"{index:012x}{step:04x}"


def trace_id(index: int) -> str:
    return f"{index + 1:032x}"


def attempt(index: int, step: int, start_ns: int, outcome: StepOutcome) -> Attempt:
    return Attempt(
        trace_id=trace_id(index),
        span_id=span_id(index, step),
        start_ns=start_ns,
        end_ns=start_ns + SECOND // 10,
        outcome=outcome,
        status="ok" if outcome is StepOutcome.OK else outcome.value,
        error=None if outcome is StepOutcome.OK else "deadline exceeded",
        breaker_state="open" if outcome is StepOutcome.TIMEOUT else "closed",
    )


def step(
    index: int,
    number: int,
    name: str,
    outcome: StepOutcome = StepOutcome.OK,
    role: str | None = "compensatable",
    compensates: str | None = None,
) -> Step:
    start_ns = START + index * 10 * SECOND + number * SECOND
    return Step(
        step_id=f"s{index}-{number}",
        key="",
        name=name,
        kind="compensation" if role == "compensation" else "call",
        service="orchestrator",
        callee="payment",
        operation=name,
        outcome=outcome,
        start_ns=start_ns,
        end_ns=start_ns + SECOND // 10,
        attempts=(attempt(index, number, start_ns, outcome),),
        saga_step=name,
        role=role,
        role_grade=None if role is None else 1,
        compensates=compensates,
        compensates_grade=None if compensates is None else 1,
    )


def flow(index: int, name: str = "payment") -> Flow:
    bad = index in BAD
    steps = [step(index, 1, "reserve"), step(index, 2, "charge")]
    if bad:
        steps += [
            step(index, 3, "notify", StepOutcome.TIMEOUT, role="retriable"),
            step(index, 4, "release", role="compensation", compensates=f"s{index}-1"),
        ]
    return Flow(
        flow_id=f"flow-{index:03d}",
        name=name,
        version="1.0",
        outcome=FlowOutcome.PARTIALLY_COMPENSATED if bad else FlowOutcome.SUCCEEDED,
        start_ns=START + index * 10 * SECOND,
        end_ns=START + index * 10 * SECOND + 5 * SECOND,
        trace_ids=(trace_id(index),),
        span_count=len(steps) + 1,
        decision_ids=(f"decision-{index:03d}",),
        architecture="central",
        replayability="R2",
        complete=True,
        service="orchestrator",
        services=("orchestrator", "payment"),
        steps=tuple(steps),
        critical_path=(CriticalSegment(span_id=span_id(index, 1), self_ns=SECOND),),
        ties=("trace",),
        evidence_gaps=("no response body",) if bad else (),
    )


def saga(index: int) -> SagaVerdict:
    bad = index in BAD
    evidence = Evidence(kind="span", trace_id=trace_id(index), span_id=span_id(index, 2))
    residual = ResidualEffect(
        step="charge",
        callee="payment",
        resource=f"order-{index}",
        amount=Decimal("12.50"),
        currency="EUR",
        external_ref=f"ch_{index}",
        idempotency_key=f"key-{index}",
        evidence=evidence,
    )
    return SagaVerdict(
        flow_id=f"flow-{index:03d}",
        saga_id=f"saga-{index:03d}",
        name="payment",
        verdict=Verdict.VIOLATION if bad else Verdict.PASS,
        checks=(
            CheckResult(
                check="saga.S1",
                verdict=Verdict.VIOLATION if bad else Verdict.PASS,
                message="charge was not undone" if bad else "nothing to undo",
                evidence=(evidence,) if bad else (),
            ),
            CheckResult(
                check="saga.S9",
                verdict=Verdict.UNKNOWN if index == 3 else Verdict.NOT_APPLICABLE,
                message="no deadline",
                missing=("retrospan.call.timeout_ms",) if index == 3 else (),
            ),
        ),
        residual_effects=(residual,) if bad else (),
    )


def finding(message: str = "charge has no deadline") -> Finding:
    return Finding(
        finding_id="finding-1",
        detector="resilience.missing_timeout",
        scope="population",
        severity="warning",
        verdict=Verdict.VIOLATION,
        flow_id=None,
        message=message,
        remedy="give the call a deadline",
        evidence=(Evidence(kind="span", trace_id=trace_id(20), span_id=span_id(20, 2)),),
    )


def decision(index: int, chosen: str = "approve") -> Decision:
    return Decision(
        decision_id=f"decision-{index:03d}",
        time_ns=START + index * 10 * SECOND,
        chosen=chosen,
        trace_id=trace_id(index),
        span_id=span_id(index, 1),
        flow_id=f"flow-{index:03d}",
        confidence="0.50" if index in BAD else "0.90",
        threshold="0.70",
        model_name="fraud",
        model_version="3",
        policy_id="limits",
        policy_version="7",
        policy_outcome="allow",
        record={"chosen": chosen, "candidates": [{"action": chosen, "score": 0.9}]},
    )


def replay(index: int, scenario: str | None = None) -> ReplayResult:
    bad = index == 21
    helped = scenario is not None and index in BAD
    return ReplayResult(
        flow_id=f"flow-{index:03d}",
        mode="trace" if scenario is None else "scenario",
        verdict="diverged" if bad else "identical",
        digest=f"{index:064x}",
        outcome="succeeded" if helped or index not in BAD else "partially_compensated",
        virtual_duration_ns=5 * SECOND,
        virtual_low_ns=4 * SECOND,
        virtual_high_ns=6 * SECOND,
        program_digest="p" * 64,
        program_flows=39,
        leave_one_out=True,
        flags=("ambiguous branch",) if index == 22 else (),
        divergences=(
            Divergence(kind="extra_call", step_id="s21-9", recorded=None, replayed={"x": 1}),
        )
        if bad
        else (),
        answers={"explicit": 3},
        scenario=scenario,
        claim=None if scenario is None or index == 22 else "C2",
        control_verdict=None if scenario is None else "identical",
        control_digest=None if scenario is None else f"{index:064x}",
        reason="not identified: ambiguous branch" if scenario and index == 22 else "",
        events=[{"event": "call", "op": "payment charge"} for _ in range(1 if scenario else 2)],
    )


FLOW_LIST = [flow(index) for index in range(FLOWS)]
SAGA_LIST = [saga(index) for index in range(FLOWS)]
DECISION_LIST = [decision(index) for index in range(FLOWS)]
INCIDENT = Incident(
    incident_id="inc-1",
    start_ns=START + 200 * SECOND,
    end_ns=START + 255 * SECOND,
    declared_by="person",
    title="Payments kept",
    flow_ids=tuple(f"flow-{index:03d}" for index in BAD),
    services=("orchestrator", "payment"),
)
