"""An incident declared over a time window: which flows were affected, and when it was over."""

from collections.abc import Iterable, Sequence

from retrospan.canonical import digest
from store.conclusions import Flow, FlowOutcome, Incident, SagaVerdict, Verdict

AFFECTED_OUTCOMES = frozenset(
    {
        FlowOutcome.FAILED,
        FlowOutcome.COMPENSATED,
        FlowOutcome.PARTIALLY_COMPENSATED,
        FlowOutcome.COMPENSATION_FAILED,
    }
)
# A recovery is only claimed when this many later flows went through without a symptom.
RECOVERY_FLOWS_MIN = 10


def affected_ids(flows: Iterable[Flow], sagas: Iterable[SagaVerdict]) -> frozenset[str]:
    """Flows that did not do what they were started for, or left a saga violated.

    Flows in progress or of unknown outcome are not counted in: nothing is known against them.
    """
    violated = {saga.flow_id for saga in sagas if saga.verdict is Verdict.VIOLATION}
    return frozenset(
        flow.flow_id
        for flow in flows
        if flow.outcome in AFFECTED_OUTCOMES or flow.flow_id in violated
    )


def overlaps(flow: Flow, start_ns: int, end_ns: int) -> bool:
    """Whether the flow ran at any time inside the window, both ends included."""
    return flow.start_ns <= end_ns and (flow.end_ns or flow.start_ns) >= start_ns


def declare(
    *,
    flows: Sequence[Flow],
    sagas: Sequence[SagaVerdict],
    start_ns: int,
    end_ns: int,
    title: str,
    declared_by: str,
) -> Incident:
    """The incident of a window. Times that the flows' behaviour does not show stay None."""
    affected = affected_ids(flows, sagas)
    inside = sorted(
        (flow for flow in flows if flow.flow_id in affected and overlaps(flow, start_ns, end_ns)),
        key=lambda flow: (flow.start_ns, flow.flow_id),
    )
    return Incident(
        incident_id="inc-" + digest([start_ns, end_ns, title, declared_by])[:12],
        start_ns=start_ns,
        end_ns=end_ns,
        declared_by=declared_by,
        title=title,
        recovered_ns=_recovery(flows, sagas, inside),
        flow_ids=tuple(flow.flow_id for flow in inside),
        services=tuple(sorted({service for flow in inside for service in flow.services})),
    )


def _recovery(
    flows: Sequence[Flow], sagas: Sequence[SagaVerdict], inside: Sequence[Flow]
) -> int | None:
    """The end of the last flow with the symptom, if enough flows started later and none had it.

    The symptom is a violated saga where there is one; else not doing what the flow was started
    for, which on many systems some flows never do.
    """
    violated = {saga.flow_id for saga in sagas if saga.verdict is Verdict.VIOLATION}
    sick = violated & {flow.flow_id for flow in inside} or affected_ids(inside, sagas)
    hit = [flow for flow in inside if flow.flow_id in sick]
    if not hit:
        return None
    last_ns = max(flow.end_ns or flow.start_ns for flow in hit)
    later = [flow for flow in flows if flow.start_ns > last_ns]
    symptom = violated if sick & violated else affected_ids(later, sagas)
    if len(later) < RECOVERY_FLOWS_MIN or any(flow.flow_id in symptom for flow in later):
        return None
    return last_ns


def worst_window(flows: Sequence[Flow], sagas: Sequence[SagaVerdict]) -> tuple[int, int] | None:
    """From the start of the first violated flow to the end of the last one."""
    violated = {saga.flow_id for saga in sagas if saga.verdict is Verdict.VIOLATION}
    hit = [flow for flow in flows if flow.flow_id in violated]
    if not hit:
        affected = affected_ids(flows, sagas)
        hit = [flow for flow in flows if flow.flow_id in affected]
    if not hit:
        return None
    return min(flow.start_ns for flow in hit), max(flow.end_ns or flow.start_ns for flow in hit)
