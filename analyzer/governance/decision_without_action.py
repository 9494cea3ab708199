"""Finds decisions whose record names an action that the flow does not show.

Told only of a flow that is complete, whose effects are marked, whose end is past the time in which
late spans may come, and of which sampling left out nothing unknown: else absence proves nothing.
"""

from collections.abc import Sequence

from analyzer.detectors import FlowCase, FlowDetector, flow_finding
from analyzer.oversight.joined import Joined, joined
from store.conclusions import Evidence, Finding, FlowOutcome, Verdict

NAME = "decision_without_action"
REMEDY = (
    "Find out which is wrong: the decision log, which names an action, or the trace, which has "
    "none with that key. Record the step's key on the span of the call (retrospan.step.key)."
)
ENDED = frozenset(FlowOutcome) - {FlowOutcome.IN_PROGRESS, FlowOutcome.UNKNOWN}


def _detect(case: FlowCase) -> Sequence[Finding]:
    flow, coverage = case.flow, case.coverage
    if flow.outcome not in ENDED or coverage.unknown_sampling or flow.end_ns is None:
        return []
    if coverage.data_end_ns < flow.end_ns + coverage.grace_ns:
        return []
    found = [it for it in joined(flow, case.decisions) if it.named and it.acted is False]
    return [_finding(case, it) for it in found]


def _finding(case: FlowCase, it: Joined) -> Finding:
    key = it.decision.action_step_key
    return flow_finding(
        NAME,
        case.flow,
        subject=it.decision.decision_id,
        severity="warning",
        verdict=Verdict.SUSPECTED if key is None else Verdict.VIOLATION,
        message=f"decision {it.decision.decision_id} ({it.decision.chosen or 'unnamed'}) names the "
        f"action {key or 'of a request hash'}, but no step with an effect bears that key after it",
        remedy=REMEDY,
        evidence=[Evidence(kind="decision", decision_id=it.decision.decision_id)],
        facts={"decision_id": it.decision.decision_id, "step_key": key},
    )


DETECTOR = FlowDetector(name=NAME, scope="flow", detect=_detect)
