"""What became of the effects of one flow, in a shape that adds up over many.

In: a flow with its verdict. Out: an `Undone`: a `kind`, which many flows share, and the times that
are this flow's own. It is concluded with the flow and stored, so that the measures of any
population are sums over kinds. Definitions: see `measures`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import msgspec

from analyzer.derive.ending import completed, effective
from analyzer.sagas.conservation import balances
from analyzer.sagas.coverage import Coverage
from analyzer.sagas.view import ABORTED, SagaView
from store.conclusions import Flow, FlowOutcome, SagaVerdict, Step, StepOutcome, Verdict

UNSETTLED = frozenset({Verdict.UNKNOWN, Verdict.SUSPECTED, Verdict.OPEN})
NONE_FAILED = "no step failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUndoing:
    """One compensatable step of a flow. `done` executions were in a flow that was given up: of
    these `undone` were compensated, `failed` had a compensation that did not work; `tries` are
    attempts of their `compensations`, of which `timed` ended."""

    service: str
    name: str
    callee: str
    executed: int = 0
    done: int = 0
    undone: int = 0
    failed: int = 0
    tries: int = 0
    compensations: int = 0
    timed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Flows of one kind that gave up at one step and ended in one way."""

    name: str
    at: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What became of a flow's effects, but for times.

    `checks` are verdicts by check. Of a flow without a saga `role` they are all that is said.
    `aborted` is None where that is not known; `compensated` says whether all was undone where there
    was anything to undo, and then `half` what became of the time it stood half undone. `covered`
    and `stock` say of each completed step and each resource whether it was undone, None where
    nobody knows; `money` what is left, by currency.
    """

    checks: tuple[tuple[str, str], ...]
    role: bool = False
    aborted: bool | None = None
    path: tuple[str, ...] = ()
    attempts: int = 0
    depth: int = 0
    compensated: Literal["", "yes", "no", "unknown"] = ""
    half: Literal["", "ended", "standing", "unknown"] = ""
    covered: tuple[bool | None, ...] = ()
    stock: tuple[bool | None, ...] = ()
    money: tuple[tuple[str, Decimal | None], ...] = ()
    steps: tuple[StepUndoing, ...] = ()
    way: Way | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A kind of undoing and this flow's own times: how long it stood half undone where that came to
    an end, then how long each compensation took, step by step of the kind."""

    kind: Undoing
    times_ns: tuple[int, ...] = ()


def undone_of(flow: Flow, verdict: SagaVerdict) -> Undone:
    """What became of the effects of one flow."""
    checks = {result.check: result.verdict for result in verdict.checks}
    kind = Undoing(checks=tuple(sorted((name, it.value) for name, it in checks.items())))
    view = SagaView(flow=flow, coverage=Coverage())
    if not view.roles:
        return Undone(kind=kind)
    ended = flow.outcome not in (FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS)
    depth = sum(view.undone(step) for step in view.to_undo) if view.compensations else 0
    kind = replace(
        kind,
        role=True,
        aborted=view.aborted if ended and not view.words_alone else None,
        path=tuple(_named(step) for step in view.compensations),
        attempts=sum(len(step.attempts) for step in view.compensations),
        depth=depth,
        way=way_of(flow),
    )
    steps, times = _steps(view)
    if not view.aborted:
        return Undone(kind=replace(kind, steps=steps))
    kind, half_ns = _given_up(kind, view, checks)
    return Undone(kind=replace(kind, steps=steps), times_ns=(*half_ns, *times))


def written(kind: Undoing) -> str:
    """A kind as text; equal kinds have equal texts."""
    return msgspec.json.encode(kind).decode()


def read(text: str) -> Undoing:
    """The kind that was written."""
    return msgspec.json.decode(text, type=Undoing)


def _given_up(
    kind: Undoing, view: SagaView, checks: dict[str, Verdict]
) -> tuple[Undoing, Sequence[int]]:
    """What is said only of a flow that was given up, and the time it stood half undone."""
    first, unseen = checks.get("S1"), checks.get("S8")
    whole: bool | None = True
    if Verdict.VIOLATION in (first, unseen):
        whole = False
    elif view.words_alone or first in UNSETTLED or unseen in UNSETTLED:
        whole = None
    half_ns: Sequence[int] = ()
    if any(effect.certain for effect in view.effects) or whole is None:
        half, half_ns = _half(view, whole)
        said: Literal["yes", "no", "unknown"]
        said = "unknown" if whole is None else "yes" if whole else "no"
        kind = replace(kind, compensated=said, half=half)
    covered = []
    for step in view.to_undo:
        undone = view.undone(step)
        sure = undone or first is Verdict.VIOLATION
        covered.append(undone if sure and not view.words_alone else None)
    stock: list[bool | None] = []
    money: list[tuple[str, Decimal | None]] = []
    for balance in balances(view.flow):
        if balance.counted or balance.currency is None:
            stock.append(None if balance.left is None else balance.left == 0)
        else:
            money.append((balance.currency, balance.left))
    return replace(kind, covered=tuple(covered), stock=tuple(stock), money=tuple(money)), half_ns


def _half(
    view: SagaView, whole: bool | None
) -> tuple[Literal["ended", "standing", "unknown"], Sequence[int]]:
    ends = [_end(step) for step in view.compensations if effective(step)]
    known = [end for end in ends if end is not None]
    made = [effect.made_ns for effect in view.effects if effect.certain]
    if whole is None or (whole and not (known and made)):
        return "unknown", ()
    if not whole:
        return "standing", ()
    return "ended", (max(0, max(known) - min(made)),)


def _steps(view: SagaView) -> tuple[tuple[StepUndoing, ...], list[int]]:
    """Each compensatable step by name, and how long its compensations took, in their order."""
    found: dict[tuple[str, str, str], StepUndoing] = {}
    times: dict[tuple[str, str, str], list[int]] = {}
    for step in view.flow.steps:
        if step.role == "compensatable":
            key = step.service, step.name, step.callee
            one = found.get(key) or StepUndoing(service=key[0], name=key[1], callee=key[2])
            found[key] = replace(one, executed=one.executed + 1)
    for step in view.to_undo if view.aborted else ():
        key = step.service, step.name, step.callee
        one, undoing = found[key], view.compensations_of.get(step.step_id, [])
        undone = view.undone(step)
        ended = [
            it.end_ns - it.start_ns for it in undoing if completed(it) and it.end_ns is not None
        ]
        times.setdefault(key, []).extend(ended)
        found[key] = replace(
            one,
            done=one.done + 1,
            undone=one.undone + undone,
            failed=one.failed + (bool(undoing) and not undone),
            tries=one.tries + sum(len(it.attempts) for it in undoing),
            compensations=one.compensations + len(undoing),
            timed=one.timed + len(ended),
        )
    keys = sorted(found)
    return tuple(found[key] for key in keys), [ns for key in keys for ns in times.get(key, ())]


def way_of(flow: Flow) -> Way | None:
    """Where a flow turned, and how it ended; None of one that was not given up."""
    if flow.outcome not in ABORTED:
        return None
    return Way(name=flow.name, at=turned_at(flow), outcome=flow.outcome.value)


def turned_at(flow: Flow) -> str:
    """The last forward step that did not go well before the first compensation began."""
    undoing = [step.start_ns for step in flow.steps if step.role == "compensation"]
    until = min(undoing, default=None)
    bad = [
        step
        for step in flow.steps
        if step.role != "compensation"
        and step.outcome not in (StepOutcome.OK, StepOutcome.UNKNOWN)
        and (until is None or step.start_ns <= until)
        and step.parent_step_id is None
    ]
    last = max(bad, key=lambda step: (step.start_ns, step.step_id), default=None)
    return NONE_FAILED if last is None else f"{last.name} ({last.outcome.value})"


def _named(step: Step) -> str:
    if completed(step):
        return step.name
    return f"{step.name}{'?' if any(it.took_effect is None for it in step.attempts) else '!'}"


def _end(step: Step) -> int | None:
    ends = [it.callee_end_ns or it.end_ns for it in step.attempts if it.took_effect is not False]
    return min((end for end in ends if end is not None), default=step.end_ns)
