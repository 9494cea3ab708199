"""S1: every completed compensatable step of an aborted flow has a completed compensation."""

from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, FlowOutcome, Step, StepOutcome, Verdict


def _run(view: SagaView) -> CheckResult:
    unsettled = _not_aborted(view)
    if unsettled is not None:
        return unsettled
    doubts = [doubt for step in view.to_undo if (doubt := _doubt(view, step)) is not None]
    if view.unnamed:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"{labels(view.unnamed)} took effect and has no role",
                steps=view.unnamed,
                missing=ROLE_ATTRIBUTES,
            )
        )
    if view.to_undo:
        count = len(view.to_undo)
        message = f"all {count} completed compensatable steps were compensated"
        return worst("S1", doubts, answer("S1", Verdict.PASS, message, view.to_undo))
    nothing = answer(
        "S1",
        Verdict.NOT_APPLICABLE,
        "no compensatable step completed" if view.roles else "no step has a saga role",
        missing=() if view.roles else ROLE_ATTRIBUTES,
    )
    return worst("S1", doubts, nothing)


def _not_aborted(view: SagaView) -> CheckResult | None:
    if view.aborted:
        return None
    outcome = view.flow.outcome
    if outcome is FlowOutcome.IN_PROGRESS:
        return answer("S1", Verdict.OPEN, "the flow has not ended")
    if outcome is FlowOutcome.UNKNOWN:
        return answer(
            "S1",
            Verdict.UNKNOWN,
            "nothing recorded says whether the flow was aborted",
            missing=("the root span of the flow", "retrospan.flow.output"),
        )
    return answer("S1", Verdict.NOT_APPLICABLE, "the flow was not aborted")


def _doubt(view: SagaView, step: Step) -> Doubt | None:
    if view.undone(step):
        return None
    tried = view.compensations_of.get(step.step_id, [])
    if tried:
        return _tried_in_vain(view, step, tried)
    like = [*view.untied, *view.like_compensations_of(step)]
    if like:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{labels(like)} may have undone {label(step)}, but does not say so",
            steps=[step, *like],
            missing=ROLE_ATTRIBUTES,
        )
    absence = view.absence
    if absence is not None:
        return Doubt(
            verdict=absence.verdict,
            message=f"no compensation of {label(step)} was seen, but {absence.reason}",
            steps=[step],
            missing=absence.missing,
        )
    return Doubt(
        verdict=Verdict.VIOLATION,
        message=f"{label(step)} completed and was never compensated",
        steps=[step],
    )


def _tried_in_vain(view: SagaView, step: Step, tried: list[Step]) -> Doubt:
    if any(one.outcome is StepOutcome.UNKNOWN for one in tried) and view.flow.end_ns is None:
        return Doubt(
            verdict=Verdict.OPEN, message=f"{label(step)} is being compensated", steps=[step]
        )
    unclear = [one for one in tried if any(it.took_effect is None for it in one.attempts)]
    if unclear:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{labels(unclear)} failed for its caller and may have undone {label(step)}",
            steps=[step, *unclear],
            missing=[f"the spans of {one.callee} below {one.name}" for one in unclear],
        )
    again = [other for one in tried if (other := view.tried_again(one)) is not None]
    if again:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{labels(tried)} failed, and {labels(again)} may be another attempt of it",
            steps=[step, *tried, *again],
            missing=["retrospan.step.key", *ROLE_ATTRIBUTES],
        )
    return Doubt(
        verdict=Verdict.VIOLATION,
        message=f"{label(step)} completed and its compensation {labels(tried)} failed",
        steps=[step, *tried],
    )


CHECK = Check(
    id="S1",
    title="every completed step of an aborted flow was compensated",
    scope="flow",
    run=_run,
)
