"""S12: retriable steps, the ones after the point of no return, ended in success."""

from analyzer.derive.ending import effective
from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import SagaView, attempts_of_one
from store.conclusions import CheckResult, Step, StepOutcome, Verdict


def _run(view: SagaView) -> CheckResult:
    steps = [step for step in view.flow.steps if step.role == "retriable"]
    if not steps:
        return answer(
            "S12",
            Verdict.NOT_APPLICABLE,
            "no retriable step ran",
            missing=() if view.roles else ("retrospan.saga.role",),
        )
    doubts = [doubt for step in steps if (doubt := _doubt(view, step)) is not None]
    message = f"all {len(steps)} retriable steps ended in success"
    return worst("S12", doubts, answer("S12", Verdict.PASS, message, steps))


def _doubt(view: SagaView, step: Step) -> Doubt | None:
    if effective(step):
        return None if attempts_of_one(step) else _perhaps_several(step)
    if step.outcome is StepOutcome.UNKNOWN and view.flow.end_ns is None:
        return Doubt(verdict=Verdict.OPEN, message=f"{label(step)} has not ended", steps=[step])
    again = view.tried_again(step)
    if again is not None:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(step)} failed, and {label(again)} may be another attempt of it",
            steps=[step, again],
            missing=["retrospan.step.key"],
        )
    if any(attempt.took_effect is None for attempt in step.attempts):
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(step)} failed for its caller and may have taken effect",
            steps=[step],
            missing=[f"the spans of {step.callee} below {step.name}"],
        )
    last = step.attempts[-1]
    absence = view.absence
    if absence is not None:
        return Doubt(
            verdict=absence.verdict,
            message=f"{label(step)} ended in {last.status}, and may have been tried again: "
            f"{absence.reason}",
            steps=[step],
            missing=absence.missing,
        )
    return Doubt(
        verdict=Verdict.VIOLATION,
        message=f"{label(step)} never succeeded: it ended in {last.status} after "
        f"{len(step.attempts)} attempts",
        steps=[step],
    )


def _perhaps_several(step: Step) -> Doubt:
    return Doubt(
        verdict=Verdict.UNKNOWN,
        message=f"{label(step)} was tried {len(step.attempts)} times, and nothing says that all "
        "were for the same thing",
        steps=[step],
        missing=["retrospan.step.key"],
    )


CHECK = Check(id="S12", title="retriable steps ended in success", scope="flow", run=_run)
