"""Finds decisions that were acted on although their confidence was below their threshold.

An escalation or a denial is not an action of the decision itself, nor is one a person reviewed.
"""

from collections.abc import Sequence

from analyzer.conventions import decimal_of
from analyzer.detectors import FlowCase, FlowDetector, flow_finding
from store.conclusions import Evidence, Finding, Step, StepOutcome, Verdict
from store.model import Decision

NAME = "below_threshold_action"
REMEDY = (
    "Escalate decisions below the threshold the model asks for, or lower that threshold knowingly; "
    "check the policy version that let this one pass."
)
NOT_ACTED = frozenset({"deny", "denied", "escalate", "escalated", "block", "review", "defer"})
ACTED = frozenset({"allow", "allowed", "modify", "modified"})
EFFECT_ROLES = frozenset({"compensatable", "pivot", "retriable"})


def _detect(case: FlowCase) -> Sequence[Finding]:
    found = [_finding(case, decision) for decision in case.decisions]
    return [finding for finding in found if finding is not None]


def _finding(case: FlowCase, decision: Decision) -> Finding | None:
    outcome = (decision.policy_outcome or "").lower()
    if outcome in NOT_ACTED or decision.chosen.lower() in NOT_ACTED or _reviewed(decision):
        return None
    acted = _acted(case, decision, outcome)
    if acted is False:
        return None
    confidence, threshold = decimal_of(decision.confidence), decimal_of(decision.threshold)
    if confidence is None or threshold is None:
        return _unknown(case, decision) if acted is True else None
    if confidence >= threshold:
        return None
    policy = " ".join(it for it in (decision.policy_id, decision.policy_version) if it)
    sure = acted is True
    return flow_finding(
        NAME,
        case.flow,
        subject=decision.decision_id,
        severity="critical" if sure else "warning",
        verdict=Verdict.VIOLATION if sure else Verdict.SUSPECTED,
        message=f"decision {decision.decision_id} ({decision.chosen or 'unnamed'}) was "
        f"{'acted on' if sure else 'probably acted on'} with confidence {decision.confidence}, "
        f"below its threshold {decision.threshold}"
        + (f", under policy {policy}" if policy else ""),
        remedy=REMEDY,
        evidence=_evidence(decision, _executed(case, decision)),
        facts={
            "decision_id": decision.decision_id,
            "confidence": decision.confidence,
            "threshold": decision.threshold,
            "policy_id": decision.policy_id,
            "policy_version": decision.policy_version,
            "policy_outcome": decision.policy_outcome,
        },
    )


def _unknown(case: FlowCase, decision: Decision) -> Finding:
    absent = [
        f"retrospan.decision.{name}"
        for name, value in (("confidence", decision.confidence), ("threshold", decision.threshold))
        if decimal_of(value) is None
    ]
    return flow_finding(
        NAME,
        case.flow,
        subject=decision.decision_id,
        severity="info",
        verdict=Verdict.UNKNOWN,
        message=f"decision {decision.decision_id} was acted on; whether it was sure enough is not "
        "recorded",
        remedy=f"Record {' and '.join(absent)}.",
        evidence=_evidence(decision, []),
        facts={"decision_id": decision.decision_id, "missing": list(absent)},
    )


def _reviewed(decision: Decision) -> bool:
    review = decision.record.get("human_review")
    return isinstance(review, dict) and bool(review.get("by") or review.get("outcome"))


def _acted(case: FlowCase, decision: Decision, outcome: str) -> bool | None:
    """Whether the decision was carried out; None when only its consequences suggest so."""
    if decision.action_step_key is not None:
        return True
    executed = _executed(case, decision)
    if outcome in ACTED:
        if executed:
            return True
        return None if case.coverage.unknown_sampling or not case.flow.complete else False
    if decision.record and "action" in decision.record:
        return False  # the log says what was done, and that was nothing
    return None if executed else False


def _executed(case: FlowCase, decision: Decision) -> list[Step]:
    """Steps with an effect that began after the decision."""
    return [
        step
        for step in case.flow.steps
        if step.role in EFFECT_ROLES
        and step.start_ns >= decision.time_ns
        and step.outcome is not StepOutcome.UNKNOWN
    ]


def _evidence(decision: Decision, executed: Sequence[Step]) -> list[Evidence]:
    evidence = []
    if not decision.decision_id.startswith("span:"):
        evidence.append(Evidence(kind="decision", decision_id=decision.decision_id))
    if decision.trace_id is not None and decision.span_id is not None:
        evidence.append(Evidence(kind="span", trace_id=decision.trace_id, span_id=decision.span_id))
    for step in executed[:1]:
        first = step.attempts[0]
        evidence.append(Evidence(kind="span", trace_id=first.trace_id, span_id=first.span_id))
    return evidence


DETECTOR = FlowDetector(name=NAME, scope="flow", detect=_detect)
