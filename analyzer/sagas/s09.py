"""S9: a compensation takes back what its step did: the same resource, the same amount.

Only what both of them say can be compared. A pass needs resource, amount and currency of every
pair; where neither of two says one of these, the check has nothing to hold it to.
"""

from decimal import Decimal

from analyzer.derive.ending import effective
from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.view import ROLE_ATTRIBUTES, SagaView
from store.conclusions import CheckResult, Step, Verdict

RESOURCE, AMOUNT, CURRENCY = (f"retrospan.saga.{it}" for it in ("resource", "amount", "currency"))


def _run(view: SagaView) -> CheckResult:
    pairs = [
        (_origin(view, view.by_id[step_id], done), done)
        for step_id, compensations in view.compensations_of.items()
        if step_id in view.by_id and (done := [it for it in compensations if effective(it)])
    ]
    doubts = [doubt for target, done in pairs for doubt in _doubts(view, target, done)]
    if view.untied:
        doubts.append(
            Doubt(
                verdict=Verdict.UNKNOWN,
                message=f"{labels(view.untied)} does not say what it undoes",
                steps=view.untied,
                missing=["retrospan.saga.compensates"],
            )
        )
    silent = sorted({name for target, done in pairs for name in _unsaid(target, done)})
    steps = [step for target, done in pairs for step in (target, *done)]
    if not pairs:
        missing = () if view.roles else ROLE_ATTRIBUTES
        otherwise = answer("S9", Verdict.NOT_APPLICABLE, "nothing was undone", missing=missing)
    elif silent:
        bare = sum(bool(_unsaid(target, done)) for target, done in pairs)
        message = (
            f"of {bare} of {len(pairs)} steps undone, neither the step nor its compensation says "
            + ", ".join(silent)
        )
        otherwise = answer("S9", Verdict.NOT_APPLICABLE, message, steps, silent)
    else:
        message = f"{len(pairs)} steps were undone in full, amount and resource"
        otherwise = answer("S9", Verdict.PASS, message, steps)
    return worst("S9", doubts, otherwise)


def _origin(view: SagaView, target: Step, done: list[Step]) -> Step:
    """The step that made the effect, where what is undone was only an inquiry that found it."""
    if target.resource is not None or target.amount is not None:
        return target
    made = (it.step for it in view.effects if it.undone_by in done and it.step is not target)
    return next(made, target)


def _unsaid(target: Step, done: list[Step]) -> list[str]:
    """What none of them says."""
    steps = [target, *done]
    found = [] if any(it.resource is not None for it in steps) else [RESOURCE]
    if all(it.amount is None for it in steps):
        return [*found, AMOUNT]
    return found


def _doubts(view: SagaView, target: Step, done: list[Step]) -> list[Doubt]:
    found = (_resource(target, done), _amount(view, target, done))
    return [doubt for doubt in found if doubt is not None]


def _resource(target: Step, done: list[Step]) -> Doubt | None:
    other = [it for it in done if it.resource != target.resource]
    if not other:
        return None
    if target.resource is None or any(it.resource is None for it in other):
        return _half_told(target, done, RESOURCE)
    return Doubt(
        verdict=Verdict.VIOLATION,
        message=f"{label(target)} acted on {target.resource}, {label(other[0])} undid "
        f"{other[0].resource}",
        steps=[target, *other],
    )


def _amount(view: SagaView, target: Step, done: list[Step]) -> Doubt | None:
    steps = [target, *done]
    amounts = [step.amount for step in steps]
    currencies = {step.currency for step in steps}
    if all(amount is None for amount in amounts):
        return _half_told(target, done, AMOUNT) if currencies != {None} else None
    if target.amount is None or any(amount is None for amount in amounts):
        return _half_told(target, done, AMOUNT)
    if None in currencies:
        return _half_told(target, done, CURRENCY)
    if len(currencies) > 1:
        return Doubt(
            verdict=Verdict.VIOLATION,
            message=f"{label(target)} was in {target.currency}, its undoing in "
            + ", ".join(sorted(str(it) for it in currencies - {target.currency})),
            steps=steps,
        )
    return _sum(view, target, done)


def _sum(view: SagaView, target: Step, done: list[Step]) -> Doubt | None:
    given = [it.amount or Decimal(0) for it in done]
    # In full more than once is S4's to count.
    if sum(given) == target.amount or all(it == target.amount for it in given):
        return None
    said = (
        f"{label(target)} was over {target.amount} {target.currency}, "
        f"{labels(done)} gave back {', '.join(map(str, given))}"
    )
    steps = [target, *done]
    tried = [it for it in view.compensations_of[done[0].compensates or ""] if _may_add(it)]
    if tried:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{said}; {labels(tried)} may have given back more",
            steps=[*steps, *tried],
            missing=[f"the spans of {it.callee} below {it.name}" for it in tried],
        )
    if sum(given) < (target.amount or 0) and view.absence is not None:
        message = f"{said} so far, but {view.absence.reason}"
        return Doubt(
            verdict=view.absence.verdict, message=message, steps=steps, missing=view.absence.missing
        )
    return Doubt(verdict=Verdict.VIOLATION, message=said, steps=steps)


def _may_add(step: Step) -> bool:
    return not effective(step) and any(it.took_effect is None for it in step.attempts)


def _half_told(target: Step, done: list[Step], name: str) -> Doubt:
    return Doubt(
        verdict=Verdict.UNKNOWN,
        message=f"{label(target)} and {labels(done)} do not all say {name}",
        steps=[target, *done],
        missing=[name],
    )


CHECK = Check(
    id="S9",
    title="a compensation takes back the step's amount and resource",
    scope="flow",
    run=_run,
)
