"""S10: nobody builds on what a saga later takes back, and what it locked it unlocks.

Garcia-Molina & Salem (1987) give up isolation; Richardson (2018) names the remedy, a semantic lock
set by a step and released by commit or compensation. One flow shows its own locks, and the sagas
inside it that used each other's effects; flows that used another flow's are the question of
`dirty_reads.py`.
"""

from analyzer.derive.ending import effective
from analyzer.derive.verbs import stems
from analyzer.effects import Effect, mentioned
from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.view import SagaView, same_saga
from store.conclusions import CheckResult, Step, Verdict

MENTIONS_MAX = 100


def _run(view: SagaView) -> CheckResult:
    locks = [step for step in view.flow.steps if _is_lock(step)]
    doubts = [doubt for step in locks if (doubt := _held(view, step)) is not None]
    undone = [it for it in view.effects if it.undone_by is not None and it.external_ref is not None]
    if len({(step.saga_id, step.parent_step_id) for step in view.flow.steps if step.role}) > 1:
        doubts += [doubt for it in undone for doubt in _built_on(view, it)][:MENTIONS_MAX]
    if locks:
        message = f"{labels(locks)} was released"
        return worst("S10", doubts, answer("S10", Verdict.PASS, message, locks))
    message = "no lock was taken, and no other saga of this flow shares its effects"
    return worst("S10", doubts, answer("S10", Verdict.NOT_APPLICABLE, message))


def _is_lock(step: Step) -> bool:
    return step.role != "compensation" and "lock" in stems(step.operation) and effective(step)


def _held(view: SagaView, lock: Step) -> Doubt | None:
    """A lock is known by its name only: that it was kept is suspected at most."""
    if view.undone(lock) or any(_releases(other, lock) for other in view.flow.steps):
        return None
    said = f"{label(lock)} took a lock and no release was seen"
    absence = view.absence
    if absence is not None:
        return Doubt(
            verdict=absence.verdict,
            message=f"{said}, but {absence.reason}",
            steps=[lock],
            missing=absence.missing,
        )
    return Doubt(verdict=Verdict.SUSPECTED, message=said, steps=[lock])


def _releases(other: Step, lock: Step) -> bool:
    if "unlock" not in stems(other.operation) or other.callee != lock.callee:
        return False
    elsewhere = None not in (other.resource, lock.resource) and other.resource != lock.resource
    return not elsewhere and other.key == lock.key and effective(other)


def _built_on(view: SagaView, effect: Effect) -> list[Doubt]:
    """Steps of another saga that named an effect between its making and its undoing."""
    undo = effect.undone_by
    assert undo is not None
    found = []
    for reader in view.flow.steps:
        same = same_saga(reader, effect.step)
        if reader.role is None or reader.role == "compensation" or same is True:
            continue
        if not effect.step.start_ns < reader.start_ns < undo.start_ns:
            continue
        if effect.external_ref not in mentioned(reader):
            continue
        sure = same is False and effective(reader) and not view.undone(reader)
        found.append(
            Doubt(
                verdict=Verdict.VIOLATION if sure else Verdict.SUSPECTED,
                message=f"{label(reader)} built on {effect.label}, which {label(undo)} took back",
                steps=[effect.step, reader, undo],
            )
        )
    return found


CHECK = Check(id="S10", title="nobody builds on what is later taken back", scope="flow", run=_run)
