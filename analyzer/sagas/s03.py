"""S3: compensations run in the reverse order of completion, as far as there is one.

Steps that overlapped have no order, so they may be undone in any. A step that never completed has
no place in the order: undoing it is S2's business.
"""

from itertools import combinations

from analyzer.derive.ending import completed
from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, Step, Verdict

PAIRS_MAX = 20_000
"""Beyond this the check says so: no saga a person wrote has 200 compensations."""

Undoing = tuple[Step, Step]
"""A step and its first compensation."""


def _run(view: SagaView) -> CheckResult:
    undone: dict[str, Undoing] = {}
    for compensation in view.compensations:
        target = view.by_id.get(compensation.compensates or "")
        if target is not None and completed(target):
            undone.setdefault(target.step_id, (target, compensation))
    if len(view.compensations) < 2:
        return answer(
            "S3",
            Verdict.NOT_APPLICABLE,
            "fewer than two compensations ran",
            missing=() if view.roles else ROLE_ATTRIBUTES,
        )
    pairs = list(undone.values())
    if len(pairs) * len(pairs) > 2 * PAIRS_MAX:
        return answer("S3", Verdict.UNKNOWN, f"{len(pairs)} compensations are too many to order")
    doubts = [
        doubt for one, other in combinations(pairs, 2) if (doubt := _doubt(one, other)) is not None
    ]
    if view.untied:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message="some compensations do not say what they undo",
                steps=view.untied,
                missing=["retrospan.saga.compensates"],
            )
        )
    message = f"{len(pairs)} compensations ran in the reverse order of completion"
    passed = answer("S3", Verdict.PASS, message, [undo for _, undo in pairs])
    if len(pairs) < 2:
        passed = answer("S3", Verdict.NOT_APPLICABLE, "fewer than two steps were compensated")
    return worst("S3", doubts, passed)


def _doubt(one: Undoing, other: Undoing) -> Doubt | None:
    (first, undo_first), (second, undo_second) = sorted(
        (one, other), key=lambda pair: (pair[0].start_ns, pair[0].step_id)
    )
    if first.end_ns is None or first.end_ns > second.start_ns:
        return None
    if undo_first.start_ns >= undo_second.start_ns:
        return None
    steps = [first, second, undo_first, undo_second]
    said = (
        f"{label(first)} completed before {label(second)} began, "
        f"yet {label(undo_first)} began before {label(undo_second)}"
    )
    overlapping = undo_first.end_ns is None or undo_first.end_ns > undo_second.start_ns
    several_clocks = len({step.service for step in steps}) > 1
    if overlapping or several_clocks:
        why = "they overlapped" if overlapping else "the times come from several services' clocks"
        return Doubt(verdict=Verdict.SUSPECTED, message=f"{said}; {why}", steps=steps)
    return Doubt(verdict=Verdict.VIOLATION, message=said, steps=steps)


CHECK = Check(
    id="S3", title="compensations run in reverse order of completion", scope="flow", run=_run
)
