"""S5: no forward step begins after the first compensation.

Garcia-Molina & Salem (1987): T1..Tj, then Cj..C1. Retriable steps are declared forward recovery and
may run on. Going forward again from a savepoint, on the way to success, is suspected at most.
"""

from collections.abc import Iterable

from analyzer.derive.verbs import UNDOABLE, stems
from analyzer.effects import FORWARD_ROLES, marked
from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView, same_saga
from store.conclusions import CheckResult, Step, Verdict


def _run(view: SagaView) -> CheckResult:
    if not view.compensations:
        return answer(
            "S5",
            Verdict.NOT_APPLICABLE,
            "no compensation ran",
            missing=() if view.roles else ROLE_ATTRIBUTES,
        )
    doubts = [doubt for step in view.flow.steps if (doubt := _doubt(view, step)) is not None]
    message = f"no forward step began after {label(view.compensations[0])}"
    return worst("S5", doubts, answer("S5", Verdict.PASS, message, view.compensations[:1]))


def _doubt(view: SagaView, step: Step) -> Doubt | None:
    if step.role not in FORWARD_ROLES and not _may_be_forward(step):
        return None
    last_ns = max(attempt.start_ns for attempt in step.attempts)
    same, perhaps = _first_before(view.compensations, step, last_ns)
    first = same or perhaps
    if first is None:
        return None
    if step.role is None:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(step)} began after {label(first)} and has no role",
            steps=[first, step],
            missing=ROLE_ATTRIBUTES,
        )
    what = label(step) if step.start_ns > first.start_ns else f"an attempt of {label(step)}"
    said = f"{what} began after {label(first)} had begun"
    if same is None:
        why = "; nothing says whether they are of one saga"
    elif first.service != step.service:
        why = "; the times come from several services' clocks"
    elif not view.aborted:
        why = "; the flow may have gone forward again on purpose"
    else:
        return Doubt(verdict=Verdict.VIOLATION, message=said, steps=[first, step])
    return Doubt(verdict=Verdict.SUSPECTED, message=said + why, steps=[first, step])


def _first_before(
    compensations: Iterable[Step], step: Step, last_ns: int
) -> tuple[Step | None, Step | None]:
    """The first compensation of the step's saga, and the first of one that may be it."""
    perhaps = None
    for it in compensations:  # in start order
        if it.start_ns >= last_ns:
            break
        same = same_saga(it, step)
        if same is True:
            return it, perhaps
        if same is None and perhaps is None:
            perhaps = it
    return None, perhaps


def _may_be_forward(step: Step) -> bool:
    """Whether a step without a role may be a forward step that does not say so."""
    if step.role is not None or step.kind not in ("call", "message"):
        return False
    return marked(step) or bool(stems(step.operation) & UNDOABLE)


CHECK = Check(
    id="S5", title="no forward step begins after the first compensation", scope="flow", run=_run
)
