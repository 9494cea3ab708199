"""S6: nothing is compensated after the pivot committed.

Richardson (2018): the pivot is the point of no return; after it a saga only goes forward. Taking
back an attempt that failed for its caller is cleaning up, not going back.
"""

from analyzer.derive.ending import completed, effective
from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView, same_saga
from store.conclusions import CheckResult, Step, Verdict


def _run(view: SagaView) -> CheckResult:
    pivots = [step for step in view.flow.steps if step.role == "pivot"]
    doubts = [
        doubt
        for pivot in pivots
        for compensation in view.compensations
        if (doubt := _doubt(view, pivot, compensation)) is not None
    ]
    if view.compensations and view.unnamed:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"{labels(view.unnamed)} has no role: it may be the pivot",
                steps=view.unnamed,
                missing=("retrospan.saga.role",),
            )
        )
    if pivots:
        message = f"nothing was compensated after {labels(pivots)} committed"
        return worst("S6", doubts, answer("S6", Verdict.PASS, message, pivots))
    nothing = answer(
        "S6",
        Verdict.NOT_APPLICABLE,
        "no step is declared the pivot",
        missing=() if view.roles else ROLE_ATTRIBUTES,
    )
    return worst("S6", doubts, nothing)


def _doubt(view: SagaView, pivot: Step, compensation: Step) -> Doubt | None:
    ended = pivot.end_ns if pivot.end_ns is not None else pivot.start_ns
    if compensation.start_ns < ended or same_saga(pivot, compensation) is False:
        return None
    target = view.by_id.get(compensation.compensates or "")
    if target is not None and target is not pivot and not completed(target):
        return None
    steps = [pivot, compensation]
    if not effective(pivot):
        if all(attempt.took_effect is False for attempt in pivot.attempts):
            return None
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(pivot)} failed for its caller and may have committed before "
            f"{label(compensation)}",
            steps=steps,
            missing=[f"the spans of {pivot.callee} below {pivot.name}"],
        )
    told = "committed" if completed(pivot) else "committed, unknown to its caller,"
    said = f"{label(pivot)} {told} before {label(compensation)} began"
    why = None
    if same_saga(pivot, compensation) is None:
        why = "; nothing says whether they are of one saga"
    elif target is None:
        why = "; the compensation does not say what it undoes"
    elif pivot.service != compensation.service:
        why = "; the times come from several services' clocks"
    if why is not None:
        return Doubt(verdict=Verdict.SUSPECTED, message=said + why, steps=steps)
    return Doubt(verdict=Verdict.VIOLATION, message=said, steps=steps)


CHECK = Check(
    id="S6", title="nothing is compensated after the pivot committed", scope="flow", run=_run
)
