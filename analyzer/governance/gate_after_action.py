"""Finds decisions that were carried out before their gate had answered.

A gate that ends after the action began did not decide about it, whatever it said. Where gate and
action were recorded by different services their clocks may differ: then it is only suspected.
"""

from collections.abc import Sequence

from analyzer.detectors import FlowCase, FlowDetector, flow_finding
from analyzer.oversight.joined import Gate, Joined, joined
from store.conclusions import Evidence, Finding, Step, Verdict

NAME = "gate_after_action"
REMEDY = (
    "Wait for the gate's answer before the first call with an effect; hold a release that does "
    "not. Undo what the gate refused afterwards."
)
NS_PER_MS = 1_000_000


def _detect(case: FlowCase) -> Sequence[Finding]:
    found = [it for it in joined(case.flow, case.decisions) if it.gate is Gate.AFTER]
    return [_finding(case, it) for it in found]


def _finding(case: FlowCase, it: Joined) -> Finding:
    gate, action = it.gate_step, it.first_action
    assert gate is not None and action is not None and gate.end_ns is not None
    early_ns = gate.end_ns - action.start_ns
    refused = it.permitted is False
    return flow_finding(
        NAME,
        case.flow,
        subject=it.decision.decision_id,
        severity="critical" if refused else "warning",
        verdict=Verdict.VIOLATION if it.one_clock else Verdict.SUSPECTED,
        message=f"decision {it.decision.decision_id} ({it.decision.chosen or 'unnamed'}) was "
        f"carried out by {action.name} {early_ns / NS_PER_MS:.1f} ms before its gate answered "
        f"{it.outcome or 'nothing that is recorded'}"
        + ("" if it.one_clock else "; two services' clocks tell so"),
        remedy=REMEDY,
        evidence=[
            Evidence(kind="decision", decision_id=it.decision.decision_id),
            _span(gate),
            _span(action),
        ],
        facts={
            "decision_id": it.decision.decision_id,
            "gate_outcome": it.outcome or None,
            "action": action.name,
            "early_ns": early_ns,
        },
    )


def _span(step: Step) -> Evidence:
    first = step.attempts[0]
    return Evidence(kind="span", trace_id=first.trace_id, span_id=first.span_id)


DETECTOR = FlowDetector(name=NAME, scope="flow", detect=_detect)
