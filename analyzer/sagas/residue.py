"""Effects left standing that a person may have to undo.

Of an aborted flow: every effect that no compensation took back. Of any flow: the surplus of a
duplicate, and compensations that undid a second time or undid nothing. Only effects somebody
recorded as made are listed, never guesses.
"""

from analyzer.derive.ending import effective
from analyzer.effects import Effect, duplicates, surely_distinct
from analyzer.sagas.s04 import CHECK as UNDONE_ONCE
from analyzer.sagas.view import SagaView, compensation_effects
from store.conclusions import FlowOutcome, ResidualEffect, Verdict


def residual_effects(view: SagaView) -> list[ResidualEffect]:
    """What stands and should not, in the order it came to be."""
    guessed = view.words_alone or not view.roles
    if guessed or view.flow.outcome in (FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS):
        return []
    found = _standing(view) if view.aborted else _surplus(view)
    found += _undone_too_often(view)
    unique = {(it.step.step_id, it.external_ref, it.key): it for it in found}
    ordered = sorted(
        unique.values(), key=lambda it: (it.attempts[0].start_ns, it.step.step_id, it.key or "")
    )
    return [_residual(effect) for effect in ordered]


def _standing(view: SagaView) -> list[Effect]:
    return [effect for effect in view.effects if effect.certain and effect.undone_by is None]


def _surplus(view: SagaView) -> list[Effect]:
    """Of duplicates in a flow that went through, all but the one its caller went on with."""
    found = []
    for group in duplicates(view.effects):
        standing = [effect for effect in group if effect.certain and effect.undone_by is None]
        sure = surely_distinct(standing)
        if len(sure) < 2:
            continue
        kept = max(sure, key=lambda it: (it.acknowledged, it.attempts[-1].start_ns))
        found += [effect for effect in sure if effect is not kept]
    return found


def _undone_too_often(view: SagaView) -> list[Effect]:
    found = []
    for step_id, compensations in view.compensations_of.items():
        target = view.by_id.get(step_id)
        sure = surely_distinct(compensation_effects(compensations))
        if target is None or not any(effective(one) for one in compensations):
            continue
        if all(attempt.took_effect is False for attempt in target.attempts):
            found += [effect for effect in sure if effect.external_ref is not None]
        elif len(sure) > 1 and UNDONE_ONCE.run(view).verdict is Verdict.VIOLATION:
            found += sure[1:]
    return found


def _residual(effect: Effect) -> ResidualEffect:
    step = effect.step
    return ResidualEffect(
        step=step.name,
        callee=step.callee,
        resource=step.resource,
        amount=step.amount,
        currency=step.currency,
        external_ref=effect.external_ref,
        idempotency_key=effect.key,
        evidence=effect.evidence,
    )
