"""Finds the same thing done more than once in one flow, even at two callees.

A retry under a new key after a timeout, or a failover before the first call was settled, charges a
customer twice. Two attempts are two effects only where both took effect and their references or
keys differ.
"""

from collections.abc import Sequence
from decimal import Decimal

from analyzer.detectors import FlowCase, FlowDetector, flow_finding
from analyzer.effects import (
    WORDS_ALONE,
    Effect,
    distinct,
    duplicates,
    forward_effects,
    surely_distinct,
)
from analyzer.sagas.view import ABORTED
from store.conclusions import Finding, Verdict
from store.model import JsonValue

NAME = "duplicate_effect"
REMEDY = (
    "Undo the effects that stand. Keep one idempotency key over all attempts of a step, and settle "
    "a call that timed out before the same thing is asked of another callee."
)


def _detect(case: FlowCase) -> Sequence[Finding]:
    groups = duplicates(forward_effects(case.flow))
    return [finding for group in groups if (finding := _finding(case, group)) is not None]


def _finding(case: FlowCase, group: list[Effect]) -> Finding | None:
    group = sorted(group, key=lambda it: (it.attempts[0].start_ns, it.step.step_id))
    sure = surely_distinct(group)
    certain = [effect for effect in group if effect.certain]
    names_only = any(it.step.role_grade in (None, WORDS_ALONE) for it in group)
    if len(sure) > 1:
        verdict = Verdict.SUSPECTED if names_only else Verdict.VIOLATION
    elif len(certain) > 1:
        verdict = Verdict.SUSPECTED
    else:
        verdict = Verdict.UNKNOWN
    counted = sure if len(sure) > 1 else group
    standing = [effect for effect in counted if effect.undone_by is None]
    undone = [effect for effect in counted if effect.undone_by is not None]
    step = group[-1].step
    what = step.resource or step.operation
    return flow_finding(
        NAME,
        case.flow,
        subject=what,
        severity=_severity(case, verdict, standing),
        verdict=verdict,
        message=_message(what, verdict, counted, standing, undone),
        remedy=REMEDY,
        evidence=[effect.evidence for effect in counted],
        facts={
            "resource": step.resource,
            "effects": [_fact(effect) for effect in counted],
            "standing": len(standing),
            "undone": len(undone),
            "surplus_amount": _surplus(case, standing),
            "currency": step.currency,
            "missing": _missing(verdict, group),
        },
    )


def _severity(case: FlowCase, verdict: Verdict, standing: list[Effect]) -> str:
    if verdict is not Verdict.VIOLATION:
        return "info" if verdict is Verdict.UNKNOWN else "warning"
    wanted = 0 if case.flow.outcome in ABORTED else 1
    return "critical" if len(standing) > wanted else "warning"


def _message(
    what: str,
    verdict: Verdict,
    counted: list[Effect],
    standing: list[Effect],
    undone: list[Effect],
) -> str:
    said = {
        Verdict.VIOLATION: f"{what} was done {len(counted)} times",
        Verdict.SUSPECTED: f"{what} was probably done {len(counted)} times",
    }.get(verdict, f"{what} may have been done {len(counted)} times")
    parts = [said]
    if undone:
        told = ", ".join(
            f"{effect.label} by {effect.undone_by.name if effect.undone_by else ''}"
            for effect in undone
        )
        parts.append(f"undone: {told}")
    if standing:
        parts.append("standing: " + ", ".join(effect.label for effect in standing))
    return "; ".join(parts)


def _fact(effect: Effect) -> dict[str, JsonValue]:
    step = effect.step
    return {
        "step_id": step.step_id,
        "step": step.name,
        "callee": step.callee,
        "external_ref": effect.external_ref,
        "idempotency_key": effect.key,
        "amount": str(step.amount) if step.amount is not None else None,
        "certain": effect.certain,
        "undone_by": effect.undone_by.step_id if effect.undone_by is not None else None,
    }


def _surplus(case: FlowCase, standing: list[Effect]) -> str | None:
    """The money that should not stand, None when any amount or currency is not known."""
    wanted = 0 if case.flow.outcome in ABORTED else 1
    too_many = standing[: max(len(standing) - wanted, 0)]
    amounts = [effect.step.amount for effect in too_many]
    if any(amount is None for amount in amounts):
        return None
    if len({effect.step.currency for effect in too_many} - {None}) > 1:
        return None
    return str(sum((amount for amount in amounts if amount is not None), Decimal(0)))


def _missing(verdict: Verdict, group: list[Effect]) -> list[JsonValue]:
    missing: set[str] = set()
    if verdict is Verdict.UNKNOWN:
        missing |= {f"the spans of {it.step.callee}" for it in group if not it.certain}
    if any(distinct(group[0], other) is None for other in group[1:]):
        missing |= {"retrospan.saga.external_ref", "retrospan.idempotency_key"}
    return list(sorted(missing))


DETECTOR = FlowDetector(name=NAME, scope="flow", detect=_detect)
