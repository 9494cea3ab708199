"""S8: a step whose outcome its caller never learnt is treated as possibly executed.

Treated means: undone, or asked after. A time-out that nobody followed up is a breach where the
callee's data shows that it took effect, and suspected where nothing shows it.
"""

from analyzer.derive.ending import completed
from analyzer.derive.verbs import UNDOABLE, stems
from analyzer.effects import Effect, effects_of, marked, mentioned
from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, FlowOutcome, Step, StepOutcome, Verdict


def _run(view: SagaView) -> CheckResult:
    unsure = _unsure(view)
    unnamed = [step for step in view.flow.steps if _may_be_unsure(step)]
    if not unsure and not unnamed:
        return answer(
            "S8",
            Verdict.NOT_APPLICABLE,
            "no step ended in a way that left its effect open",
            missing=() if view.roles else ROLE_ATTRIBUTES,
        )
    if not view.aborted:
        return _not_aborted(view, [effect.step for effect in unsure] + unnamed)
    doubts = [doubt for effect in unsure if (doubt := unfollowed(view, effect)) is not None]
    if unnamed:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"{labels(unnamed)} may have taken effect and has no role",
                steps=unnamed,
                missing=ROLE_ATTRIBUTES,
            )
        )
    steps = [step for step in view.flow.steps if any(it.step is step for it in unsure)]
    message = f"{labels(steps)} was treated as possibly executed"
    return worst("S8", doubts, answer("S8", Verdict.PASS, message, steps))


def _unsure(view: SagaView) -> list[Effect]:
    """Effects, certain for us or not, of forward steps that failed for their caller."""
    return [
        effect
        for effect in view.effects
        if effect.step.role is not None and not completed(effect.step)
    ]


def _may_be_unsure(step: Step) -> bool:
    """Whether a step without a role may be one of them and not say so."""
    if step.role is not None or step.kind not in ("call", "message") or completed(step):
        return False
    return bool(effects_of(step)) and (marked(step) or bool(stems(step.operation) & UNDOABLE))


def _not_aborted(view: SagaView, steps: list[Step]) -> CheckResult:
    outcome = view.flow.outcome
    if outcome is FlowOutcome.IN_PROGRESS:
        return answer("S8", Verdict.OPEN, "the flow has not ended", steps)
    if outcome is FlowOutcome.UNKNOWN:
        return answer(
            "S8",
            Verdict.UNKNOWN,
            "nothing recorded says whether the flow was aborted",
            steps,
            ("the root span of the flow", "retrospan.flow.output"),
        )
    return answer("S8", Verdict.NOT_APPLICABLE, "the flow was not aborted")


def unfollowed(view: SagaView, effect: Effect) -> Doubt | None:
    """What is to be said of an effect its caller never learnt of, unless somebody saw to it."""
    step = effect.step
    if effect.undone_by is not None or view.compensations_of.get(step.step_id):
        return None
    like = [*view.untied, *view.perhaps_compensations]
    if like:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{labels(like)} may have undone {label(step)}, but does not say so",
            steps=[step, *like],
            missing=ROLE_ATTRIBUTES,
        )
    word = step.attempts[-1].status
    ended = f"{label(step)} ended in {word} for its caller"
    absence = view.absence
    if absence is not None:
        return Doubt(
            verdict=absence.verdict,
            message=f"{ended} and no undoing was seen, but {absence.reason}",
            steps=[step],
            missing=absence.missing,
        )
    if effect.certain:
        return Doubt(
            verdict=Verdict.VIOLATION,
            message=f"{ended}, took effect all the same, and was never undone",
            steps=[step],
        )
    asked = [other for other in view.flow.steps if _asks_after(other, step)]
    callee = [f"the spans of {step.callee} below {step.name}"]
    if asked:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{ended}; {labels(asked)} asked after it, and what was answered is not known",
            steps=[step, *asked],
            missing=callee,
        )
    return Doubt(
        verdict=Verdict.SUSPECTED,
        message=f"{ended} and may have taken effect; nobody asked after it or undid it",
        steps=[step],
        missing=callee,
    )


def _asks_after(other: Step, step: Step) -> bool:
    if other is step or other.role is not None or other.callee != step.callee:
        return False
    if other.outcome is not StepOutcome.OK or other.start_ns < step.start_ns:
        return False
    keys = {attempt.idempotency_key for attempt in step.attempts} - {None}
    return bool(keys & mentioned(other)) or (bool(step.key) and other.key == step.key)


CHECK = Check(
    id="S8", title="an unknown outcome is treated as possibly executed", scope="flow", run=_run
)
