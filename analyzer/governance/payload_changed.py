"""Finds actions whose request is not the one that was decided, by the hash the decision names.

Suspected, never more: a producer may hash another form of the request than JSON with sorted keys.
`governance report` says of how many decisions the hash does agree; where it agrees with most, the
ones told here differ in content.
"""

from collections.abc import Sequence

from analyzer.detectors import FlowCase, FlowDetector, flow_finding
from analyzer.oversight.joined import Joined, Payload, joined
from store.conclusions import Evidence, Finding, Verdict

NAME = "payload_changed"
REMEDY = (
    "Execute the very request that was approved: pass it on by its hash, or decide again after "
    "changing it."
)


def _detect(case: FlowCase) -> Sequence[Finding]:
    found = [it for it in joined(case.flow, case.decisions) if it.payload is Payload.DIFFERS]
    return [_finding(case, it) for it in found]


def _finding(case: FlowCase, it: Joined) -> Finding:
    action = it.record_action
    return flow_finding(
        NAME,
        case.flow,
        subject=it.decision.decision_id,
        severity="warning",
        verdict=Verdict.SUSPECTED,
        message=f"decision {it.decision.decision_id} ({it.decision.chosen or 'unnamed'}) approved "
        f"a request with the hash {str(action.get('request_sha256'))[:12]}…, and none of "
        f"{len(it.steps)} executed steps sent one",
        remedy=REMEDY,
        evidence=[
            Evidence(kind="decision", decision_id=it.decision.decision_id),
            *(
                Evidence(kind="span", trace_id=attempt.trace_id, span_id=attempt.span_id)
                for step in it.steps
                for attempt in step.attempts[:1]
            ),
        ],
        facts={
            "decision_id": it.decision.decision_id,
            "request_sha256": action.get("request_sha256"),
            "steps": [step.name for step in it.steps],
        },
    )


DETECTOR = FlowDetector(name=NAME, scope="flow", detect=_detect)
