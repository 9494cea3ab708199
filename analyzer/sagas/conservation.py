"""What an aborted saga made and took back, per resource and currency: the difference must be zero.

In: a flow. Out: one `Balance` per resource and currency. Money is added up as amounts; a resource
of which no step says an amount is counted in effects, as a reservation of stock is. A sum is
unknown where an effect may or may not have been made, where an amount is missing beside others, or
where its currency is (DESIGN section 5).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from analyzer.effects import Effect, distinct
from analyzer.sagas.coverage import Coverage
from analyzer.sagas.view import SagaView, compensation_effects
from store.conclusions import Flow, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The account of one resource in one currency.

    `made` and `undone` are amounts in `currency`, or counts of effects where `counted` is set;
    None when they cannot be told, with the reason in `unknown`.
    """

    resource: str | None
    currency: str | None
    counted: bool
    made: Decimal | None
    undone: Decimal | None
    unknown: str = ""

    @property
    def left(self) -> Decimal | None:
        """What is left standing; below zero when more was given back than taken."""
        if self.made is None or self.undone is None:
            return None
        return self.made - self.undone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    effect: Effect
    resource: str | None
    undoes: bool

    @property
    def step(self) -> Step:
        return self.effect.step


def balances(flow: Flow) -> list[Balance]:
    """The accounts of an aborted saga, by resource and currency; of other flows, nothing."""
    view = SagaView(flow=flow, coverage=Coverage())
    if not view.aborted:
        return []
    targets = {step.step_id: step for step in flow.steps}
    entries = [
        _Entry(effect=effect, resource=effect.step.resource, undoes=False)
        for effect in _each_once(view.effects)
        if effect.step.role is not None
    ]
    for effect in _each_once(compensation_effects(view.compensations)):
        target = targets.get(effect.step.compensates or "")
        resource = effect.step.resource or (target.resource if target is not None else None)
        entries.append(_Entry(effect=effect, resource=resource, undoes=True))
    by_resource: dict[str | None, list[_Entry]] = defaultdict(list)
    for entry in entries:
        by_resource[entry.resource].append(entry)
    ordered = sorted(by_resource.items(), key=lambda item: (item[0] is None, item[0] or ""))
    found = [it for resource, group in ordered for it in _of_resource(resource, group)]
    return [_guessed(it) for it in found] if view.words_alone else found


def _each_once(effects: Iterable[Effect]) -> list[Effect]:
    """Effects without those that are another one, seen again."""
    chosen: list[Effect] = []
    for effect in effects:
        same = next((it for it in chosen if distinct(it, effect) is False), None)
        if same is None:
            chosen.append(effect)
        elif same.step.amount is None and effect.step.amount is not None:
            chosen[chosen.index(same)] = effect  # an inquiry found it, its step says what it was
    return chosen


def _of_resource(resource: str | None, entries: Sequence[_Entry]) -> list[Balance]:
    amounts = [entry.step.amount for entry in entries]
    counted = all(amount is None for amount in amounts)
    currencies = sorted({entry.step.currency or "" for entry in entries})
    reason = _reason(resource, entries, counted)
    found = []
    for currency in currencies if not counted else [""]:
        here = [it for it in entries if counted or (it.step.currency or "") == currency]
        made = [it for it in here if not it.undoes]
        undone = [it for it in here if it.undoes]
        found.append(
            Balance(
                resource=resource,
                currency=currency or None,
                counted=counted,
                made=None if reason else _sum(made),
                undone=None if reason else _sum(undone),
                unknown=reason,
            )
        )
    return found


def _reason(resource: str | None, entries: Sequence[_Entry], counted: bool) -> str:
    if any(not entry.effect.certain for entry in entries):
        return "an effect may or may not have been made"
    if _perhaps_one(entries):
        return "nothing tells some of the effects apart"
    if counted:
        return "" if resource is not None else "no step names its resource or amount"
    if any(entry.step.amount is None for entry in entries):
        return "some steps do not say their amount"
    if any(entry.step.currency is None for entry in entries):
        return "some steps do not say their currency"
    return ""


def _perhaps_one(entries: Sequence[_Entry]) -> bool:
    return any(
        distinct(one.effect, other.effect) is None and one.step.step_id != other.step.step_id
        for place, one in enumerate(entries)
        for other in entries[:place]
        if one.undoes == other.undoes and one.step.operation == other.step.operation
    )


def _sum(entries: Sequence[_Entry]) -> Decimal:
    amounts = (entry.step.amount for entry in entries)
    return sum((Decimal(1) if it is None else it for it in amounts), Decimal(0))


def _guessed(balance: Balance) -> Balance:
    return Balance(
        resource=balance.resource,
        currency=balance.currency,
        counted=balance.counted,
        made=None,
        undone=None,
        unknown="the roles are guessed from names",
    )
