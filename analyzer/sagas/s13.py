"""S13: the end a flow declares is the end its effects are in: all of it, or nothing."""

from analyzer.conventions import FLOW_OUTPUT
from analyzer.derive.ending import completed, status_word
from analyzer.effects import FORWARD_ROLES, Effect, effects_of, same_meaning
from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.s01 import CHECK as ALL_UNDONE
from analyzer.sagas.s08 import unfollowed
from analyzer.sagas.s11 import SAFE_METHODS
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView, same_saga
from store.conclusions import CheckResult, FlowOutcome, Step, Verdict

BAD = (Verdict.VIOLATION, Verdict.SUSPECTED, Verdict.UNKNOWN, Verdict.OPEN)


def _run(view: SagaView) -> CheckResult:
    outcome = view.flow.outcome
    if outcome is FlowOutcome.IN_PROGRESS:
        return answer("S13", Verdict.OPEN, "the flow has not ended")
    if outcome is FlowOutcome.UNKNOWN:
        return answer(
            "S13",
            Verdict.UNKNOWN,
            "nothing recorded says how the flow ended",
            missing=("the root span of the flow", FLOW_OUTPUT),
        )
    if not view.roles and not (view.aborted and view.unnamed):
        message = "no step has a saga role"
        return answer("S13", Verdict.NOT_APPLICABLE, message, missing=ROLE_ATTRIBUTES)
    return _aborted(view) if view.aborted else _went_through(view)


def _aborted(view: SagaView) -> CheckResult:
    acknowledged = ALL_UNDONE.run(view)
    if acknowledged.verdict in BAD:
        undone = sum(view.undone(step) for step in view.to_undo)
        sure = "" if acknowledged.verdict is Verdict.VIOLATION else " for all that is known"
        return CheckResult(
            check="S13",
            verdict=acknowledged.verdict,
            message=f"given up with {undone} of {len(view.to_undo)} completed steps undone{sure}",
            evidence=acknowledged.evidence,
            missing=acknowledged.missing,
        )
    doubts = [doubt for effect in view.effects if (doubt := _standing(view, effect)) is not None]
    silent = _silent(view)
    if silent:
        message = f"{labels(silent)} may have taken effect and has no role"
        otherwise = answer("S13", Verdict.NOT_APPLICABLE, message, silent, ("retrospan.saga.role",))
    else:
        message = "the flow was given up and none of its effects stands"
        otherwise = answer("S13", Verdict.PASS, message, view.to_undo)
    return worst("S13", doubts, otherwise)


def _standing(view: SagaView, effect: Effect) -> Doubt | None:
    """An effect that nobody was bound to undo by S1, and that stands."""
    step = effect.step
    if not completed(step):
        return unfollowed(view, effect)
    if step.role != "pivot" or effect.undone_by is not None:
        return None
    perhaps = [*view.untied, *view.perhaps_compensations]
    absence = view.absence
    if perhaps or absence is not None:
        return Doubt(
            verdict=Verdict.UNKNOWN if perhaps or absence is None else absence.verdict,
            message=f"the flow was given up after {label(step)} committed, and it may be undone",
            steps=[step, *perhaps],
            missing=ROLE_ATTRIBUTES if absence is None else absence.missing,
        )
    return Doubt(
        verdict=Verdict.VIOLATION,
        message=f"the flow was given up, and {effect.label} stands",
        steps=[step],
    )


def _silent(view: SagaView) -> list[Step]:
    """Steps of the saga's time that may have changed something and say nothing of a role."""
    forward = [step.start_ns for step in view.flow.steps if step.role in FORWARD_ROLES]
    return [
        step
        for step in view.flow.steps
        if step.role is None
        and step.kind in ("call", "message")
        and not step.operation.startswith(SAFE_METHODS)
        and effects_of(step)
        and step.start_ns >= min(forward, default=0)
    ]


def _went_through(view: SagaView) -> CheckResult:
    doubts = [doubt for step in view.flow.steps if (doubt := _not_done(view, step)) is not None]
    if status_word(view.flow.output) is None:
        message = "the flow does not declare how it ended"
        nothing = answer("S13", Verdict.NOT_APPLICABLE, message, missing=(FLOW_OUTPUT,))
        return worst("S13", [it for it in doubts if it.verdict is not Verdict.VIOLATION], nothing)
    if view.unnamed:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"{labels(view.unnamed)} has no role",
                steps=view.unnamed,
                missing=("retrospan.saga.role",),
            )
        )
    pivots = [step for step in view.flow.steps if step.role == "pivot"]
    if pivots:
        passed = answer("S13", Verdict.PASS, "the flow went through, and its pivot did", pivots)
        return worst("S13", doubts, passed)
    message = "the flow went through, and declares no pivot that it could not do without"
    nothing = answer("S13", Verdict.NOT_APPLICABLE, message, missing=("retrospan.saga.role",))
    return worst("S13", doubts, nothing)


def _not_done(view: SagaView, step: Step) -> Doubt | None:
    """A pivot that never committed, or a completed step undone, in a flow that went through."""
    refused = step.role == "pivot" and not completed(step) and not _took_effect(step)
    taken_back = step.role == "compensatable" and completed(step) and view.undone(step)
    if not refused and not taken_back:
        return None
    if any(_stands_for(view, other, step) for other in view.flow.steps):
        return None
    if refused:
        if any(attempt.took_effect is None for attempt in step.attempts):
            return Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"the flow went through, and {label(step)} may not have committed",
                steps=[step],
                missing=[f"the spans of {step.callee} below {step.name}"],
            )
        sure = view.absence is None
        return Doubt(
            verdict=Verdict.VIOLATION if sure else Verdict.UNKNOWN,
            message=f"the flow went through, and {label(step)} never committed",
            steps=[step],
            missing=() if view.absence is None else view.absence.missing,
        )
    return Doubt(
        verdict=Verdict.SUSPECTED,
        message=f"the flow went through, and {label(step)} was undone",
        steps=[step, *view.compensations_of[step.step_id]],
    )


def _took_effect(step: Step) -> bool:
    return any(attempt.took_effect is True for attempt in step.attempts)


def _stands_for(view: SagaView, other: Step, step: Step) -> bool:
    """Whether another step did what this one was to do."""
    if other is step or not completed(other) or view.undone(other):
        return False
    if step.role == "pivot" and other.role == "pivot" and same_saga(other, step) is not False:
        return True
    return other.role in ("pivot", "compensatable", None) and same_meaning(other, step)


CHECK = Check(id="S13", title="the declared end was reached", scope="flow", run=_run)
