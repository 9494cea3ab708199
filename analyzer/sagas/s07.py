"""S7: each compensation ended, and ended well."""

from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, Step, StepOutcome, Verdict


def _run(view: SagaView) -> CheckResult:
    if not view.compensations:
        return answer(
            "S7",
            Verdict.NOT_APPLICABLE,
            "no compensation ran",
            missing=() if view.roles else ROLE_ATTRIBUTES,
        )
    doubts = [doubt for step in view.compensations if (doubt := _doubt(view, step)) is not None]
    message = f"all {len(view.compensations)} compensations ended well"
    return worst("S7", doubts, answer("S7", Verdict.PASS, message, view.compensations))


def _doubt(view: SagaView, step: Step) -> Doubt | None:
    if step.outcome is StepOutcome.OK:
        return None
    if step.end_ns is None:
        return _unfinished(view, step)
    again = view.tried_again(step)
    if again is not None:
        return _torn(step, again)
    last = step.attempts[-1]
    effect = any(attempt.took_effect is True for attempt in step.attempts)
    known = "; its effect was made all the same" if effect else ""
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
        message=f"compensation failed: {label(step)} ended in {last.status} after "
        f"{len(step.attempts)} attempts{known}",
        steps=[step],
    )


def _torn(step: Step, again: Step) -> Doubt | None:
    """A later try that went well, recorded so that it seems another step."""
    if step.compensates is not None and again.compensates == step.compensates:
        return None
    return Doubt(
        verdict=Verdict.UNKNOWN,
        message=f"{label(step)} failed, and {label(again)} may be another attempt of it",
        steps=[step, again],
        missing=["retrospan.step.key", *ROLE_ATTRIBUTES],
    )


def _unfinished(view: SagaView, step: Step) -> Doubt:
    coverage = view.coverage
    last = max(attempt.start_ns for attempt in step.attempts)
    known = coverage.services.get(step.service)
    if known is not None and known.last_ns >= last + coverage.grace_ns:
        return Doubt(
            verdict=Verdict.VIOLATION,
            message=f"compensation stuck: {label(step)} never ended, while {step.service} went on",
            steps=[step],
        )
    if known is not None and coverage.data_end_ns < last + coverage.grace_ns:
        return Doubt(
            verdict=Verdict.OPEN,
            message=f"{label(step)} had not ended when the data ends",
            steps=[step],
        )
    return Doubt(
        verdict=Verdict.UNKNOWN,
        message=f"{label(step)} has no recorded end",
        steps=[step],
        missing=[f"spans of {step.service} after the start of the compensation"],
    )


CHECK = Check(id="S7", title="each compensation ended well", scope="flow", run=_run)
