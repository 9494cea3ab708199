"""S2: nothing is compensated that was never done.

A null compensation (undoing a step whose outcome its caller does not know, under the step's own
idempotency key) is allowed: it has no effect of its own when there is nothing to undo.
"""

from analyzer.derive.ending import completed, effective
from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, Step, StepOutcome, Verdict

UNSURE = frozenset({StepOutcome.TIMEOUT, StepOutcome.UNKNOWN, StepOutcome.CANCELLED})


def _run(view: SagaView) -> CheckResult:
    if not view.compensations:
        return answer(
            "S2",
            Verdict.NOT_APPLICABLE,
            "no compensation ran",
            missing=() if view.roles else ROLE_ATTRIBUTES,
        )
    doubts = [doubt for step in view.compensations if (doubt := _doubt(view, step)) is not None]
    count = len(view.compensations)
    message = f"each of {count} compensations undid a step that was done"
    return worst("S2", doubts, answer("S2", Verdict.PASS, message, view.compensations))


def _doubt(view: SagaView, compensation: Step) -> Doubt | None:
    target = view.by_id.get(compensation.compensates or "")
    if target is None:
        return _untied(view, compensation)
    if completed(target) or any(it.took_effect is True for it in target.attempts):
        return None
    if _null_compensation(compensation, target):
        return None
    callees = f"the spans of {target.callee} below {target.name}"
    if any(attempt.took_effect is None for attempt in target.attempts):
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(compensation)} undid {label(target)}, of which nobody recorded "
            "whether it was done",
            steps=[compensation, target],
            missing=[callees],
        )
    ran = "took effect" if effective(compensation) else "ran, in vain,"
    return Doubt(
        verdict=Verdict.VIOLATION,
        message=f"{label(compensation)} {ran} though {label(target)} never took effect",
        steps=[compensation, target],
    )


def _null_compensation(compensation: Step, target: Step) -> bool:
    """Whether the caller could not know, and undid under the step's own key."""
    keys = {attempt.idempotency_key for attempt in target.attempts} - {None}
    unsure = any(attempt.outcome in UNSURE for attempt in target.attempts)
    return unsure and any(attempt.idempotency_key in keys for attempt in compensation.attempts)


def _untied(view: SagaView, compensation: Step) -> Doubt:
    """A compensation of nothing we know: an accusation only if nothing could have been meant."""
    before = [
        step
        for step in view.flow.steps
        if step.role != "compensation"
        and step.start_ns < compensation.start_ns
        and any(attempt.took_effect is not False for attempt in step.attempts)
    ]
    if not before and view.absence is None and effective(compensation):
        return Doubt(
            verdict=Verdict.VIOLATION,
            message=f"{label(compensation)} took effect and nothing before it did",
            steps=[compensation],
        )
    return Doubt(
        verdict=Verdict.UNKNOWN,
        message=f"{label(compensation)} does not say what it undoes",
        steps=[compensation],
        missing=["retrospan.saga.compensates"],
    )


CHECK = Check(id="S2", title="nothing is compensated that was never done", scope="flow", run=_run)
