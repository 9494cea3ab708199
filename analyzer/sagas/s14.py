"""S14: no step takes effect after its own compensation did, or its effect is an orphan.

The race of a slow request with its undoing. Spans show when work ended, not when its effect was
made: a step that began at its callee before the undoing ended there is suspected at most.
"""

from analyzer.derive.ending import effective
from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import Attempt, CheckResult, Step, StepOutcome, Verdict


def _run(view: SagaView) -> CheckResult:
    pairs = [
        (view.by_id[step_id], compensation)
        for step_id, compensations in view.compensations_of.items()
        if step_id in view.by_id
        for compensation in compensations
    ]
    doubts = [doubt for pair in pairs if (doubt := _doubt(view, *pair)) is not None]
    if view.untied:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message="some compensations do not say what they undo",
                steps=view.untied,
                missing=["retrospan.saga.compensates"],
            )
        )
    if not pairs:
        missing = () if view.roles else ROLE_ATTRIBUTES
        nothing = answer("S14", Verdict.NOT_APPLICABLE, "nothing was undone", missing=missing)
        return worst("S14", doubts, nothing)
    message = "every step that was undone had ended before its undoing did"
    passed = answer("S14", Verdict.PASS, message, [step for pair in pairs for step in pair])
    return worst("S14", doubts, passed)


def _doubt(view: SagaView, step: Step, compensation: Step) -> Doubt | None:
    if not effective(compensation):
        return None  # it failed, or goes on: nothing came after it
    late = [it for it in step.attempts if it.took_effect is not False and _late(it, compensation)]
    if not late:
        return None
    steps = [step, compensation]
    said = f"{label(step)} completed after {label(compensation)} had undone it"
    if any(_surely_late(it, step, compensation) for it in late):
        if _undone_again(view, step, compensation):
            return None
        return Doubt(verdict=Verdict.VIOLATION, message=said, steps=steps)
    if all(it.took_effect is None for it in late):
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(step)} had no end its caller knew of when {label(compensation)} "
            "undid it, and may have completed later",
            steps=steps,
            missing=[f"the spans of {step.callee} below {step.name}"],
        )
    if _found_something(compensation):
        return None
    why = "; when its effect was made is not recorded"
    return Doubt(verdict=Verdict.SUSPECTED, message=said + why, steps=steps)


def _late(attempt: Attempt, compensation: Step) -> bool:
    """Whether an attempt ended after the compensation: at the callee, else for the caller."""
    undo = _effective(compensation)
    if attempt.callee_end_ns is not None and undo.callee_end_ns is not None:
        return attempt.callee_end_ns > undo.callee_end_ns
    if attempt.outcome is not StepOutcome.OK and attempt.callee_end_ns is None:
        return True  # nobody knows when, or whether, it ended
    if undo.end_ns is None or attempt.end_ns is None:
        return False
    return attempt.end_ns > undo.end_ns


def _surely_late(attempt: Attempt, step: Step, compensation: Step) -> bool:
    """Whether the work only began after the undoing had ended, by one clock."""
    if attempt.took_effect is not True:
        return False
    undo = _effective(compensation)
    began, ended = attempt.callee_start_ns, undo.callee_end_ns
    if began is not None and ended is not None and step.callee == compensation.callee:
        return began >= ended
    if step.service != compensation.service or undo.end_ns is None:
        return False
    return attempt.start_ns >= undo.end_ns


def _effective(compensation: Step) -> Attempt:
    return next(it for it in compensation.attempts if it.took_effect or _ok(it))


def _ok(attempt: Attempt) -> bool:
    return attempt.outcome is StepOutcome.OK


def _found_something(compensation: Step) -> bool:
    """Whether the callee named what it did: then there was something to undo."""
    return any(it.external_ref is not None for it in compensation.attempts)


def _undone_again(view: SagaView, step: Step, compensation: Step) -> bool:
    last_ns = max(it.start_ns for it in step.attempts)
    return any(
        effective(other) and other is not compensation and other.start_ns > last_ns
        for other in view.compensations_of[step.step_id]
    )


CHECK = Check(id="S14", title="no step completes after its compensation", scope="flow", run=_run)
