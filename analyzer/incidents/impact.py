"""How far an incident reached, and what of it is left to repair."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.conclusions import Flow, FlowOutcome, SagaVerdict, StepOutcome

FAILED = frozenset(
    {FlowOutcome.FAILED, FlowOutcome.PARTIALLY_COMPENSATED, FlowOutcome.COMPENSATION_FAILED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """`affected` of `flows` in the window have the symptom. `contained_by` is the service most
    failed flows had failing calls to, with (failed flows that did, all failed flows); None when
    none failed. `residual_effects` are effects left standing, or undone that never stood, in
    `flows_to_repair` flows of the window, affected or not."""

    affected: int
    flows: int
    by_kind: Mapping[str, int]
    services: Sequence[str]
    contained_by: tuple[str, int, int] | None
    residual_effects: int
    flows_to_repair: int


def impact_of(
    flows: Sequence[Flow],
    sagas: Sequence[SagaVerdict],
    affected: frozenset[str],
    start_ns: int,
    end_ns: int,
) -> Impact:
    """The reach of a window over these flows."""
    inside = [
        flow
        for flow in flows
        if flow.start_ns <= end_ns and (flow.end_ns or flow.start_ns) >= start_ns
    ]
    hit = [flow for flow in inside if flow.flow_id in affected]
    failed = [flow for flow in hit if flow.outcome in FAILED]
    failing: Counter[str] = Counter()
    for flow in failed:
        failing.update(
            {
                step.callee
                for step in flow.steps
                if step.callee and any(_bad(attempt.outcome) for attempt in step.attempts)
            }
        )
    most = min(failing, key=lambda name: (-failing[name], name), default=None)
    ids = {flow.flow_id for flow in inside}
    left = Counter(
        saga.flow_id for saga in sagas for _ in saga.residual_effects if saga.flow_id in ids
    )
    return Impact(
        affected=len(hit),
        flows=len(inside),
        by_kind=dict(sorted(Counter(f"{flow.name} {flow.version}" for flow in hit).items())),
        services=sorted({service for flow in hit for service in flow.services}),
        contained_by=None if most is None else (most, failing[most], len(failed)),
        residual_effects=left.total(),
        flows_to_repair=len(left),
    )


def _bad(outcome: StepOutcome) -> bool:
    return outcome in (StepOutcome.ERROR, StepOutcome.TIMEOUT)
