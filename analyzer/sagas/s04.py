"""S4: each step is undone at most once, counted in effects and not in calls.

A repeat under the same key is the same effect. A compensation that timed out for its caller and
took effect counts, whatever the caller believed.
"""

from decimal import Decimal

from analyzer.effects import Effect, distinct, surely_distinct
from analyzer.sagas.check import Check, Doubt, answer, label, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView, compensation_effects
from store.conclusions import CheckResult, Step, Verdict


def _run(view: SagaView) -> CheckResult:
    if not view.compensations:
        return answer(
            "S4",
            Verdict.NOT_APPLICABLE,
            "no compensation ran",
            missing=() if view.roles else ROLE_ATTRIBUTES,
        )
    doubts = [
        doubt
        for step_id, compensations in view.compensations_of.items()
        if step_id in view.by_id
        and (doubt := _doubt(view.by_id[step_id], compensations)) is not None
    ]
    # An untied compensation by itself can still have undone its step twice.
    for compensation in view.untied:
        doubt = _doubt(compensation, [compensation])
        doubts += [doubt] if doubt is not None else []
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"{label(compensation)} does not say what it undoes",
                steps=[compensation],
                missing=["retrospan.saga.compensates"],
            )
        )
    message = f"no step was undone twice by {len(view.compensations)} compensations"
    return worst("S4", doubts, answer("S4", Verdict.PASS, message, view.compensations))


def _doubt(target: Step, compensations: list[Step]) -> Doubt | None:
    effects = compensation_effects(compensations)
    sure = surely_distinct(effects)
    steps = [target, *compensations]
    if len(sure) > 1 and not _parts_of_one(target, sure):
        told = ", ".join(effect.label for effect in sure)
        return Doubt(
            verdict=Verdict.VIOLATION,
            message=f"{label(target)} was undone {len(sure)} times: {told}",
            steps=steps,
        )
    if len(sure) > 1:
        return None
    certain = [effect for effect in effects if effect.certain]
    if len(certain) > 1 and any(distinct(certain[0], other) is None for other in certain[1:]):
        return Doubt(
            verdict=Verdict.SUSPECTED,
            message=f"{label(target)} may have been undone {len(certain)} times; nothing tells "
            "the effects apart",
            steps=steps,
            missing=["retrospan.saga.external_ref", "retrospan.idempotency_key"],
        )
    possible = [effect for effect in effects if not effect.certain]
    if possible and len(effects) > 1:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"an attempt to undo {label(target)} ended unknown and was made again "
            "otherwise",
            steps=steps,
            missing=[f"the spans of {effect.step.callee}" for effect in possible],
        )
    return None


def _parts_of_one(target: Step, effects: list[Effect]) -> bool:
    """Whether the effects are partial ones that add up to no more than the step.

    A part is something: of a step that cost nothing, every undoing undoes all of it.
    """
    amounts = [effect.step.amount for effect in effects]
    if target.amount is None or any(amount is None or amount <= 0 for amount in amounts):
        return False
    currencies = {effect.step.currency for effect in effects} | {target.currency}
    total = sum((amount for amount in amounts if amount is not None), Decimal(0))
    return len(currencies) == 1 and None not in currencies and total <= target.amount


CHECK = Check(id="S4", title="each step is undone at most once", scope="flow", run=_run)
