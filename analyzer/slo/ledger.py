"""Who spent the budget: every bad event is a flow, and every flow has causes to show.

A flow can have several causes, so shares do not add up to one. "Without this cause" counts the
flows that carry it as good: the most that removing it can save, not what it would save.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from analyzer.facts import Values
from analyzer.slo.judging import Event
from analyzer.slo.model import Objective
from store.model import JsonValue

FLOWS_SHOWN_MAX = 20
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "service": ("failing_services",),
    "version": ("version",),
    "finding": ("findings", "violations"),
    "decision": ("models", "policies"),
    "outcome": ("outcome",),
    "region": ("regions",),
}
"""Kind of cause, and the facts of a flow that name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What flows with one cause spent.

    `spent` is a share of all that was spent, `remaining_without` the budget left had those flows
    been good. `share_of_good` says how common the cause is among good flows: a cause that is as
    common there explains nothing.
    """

    dimension: str
    cause: str
    bad_flows: int
    spent: Fraction
    share_of_good: Fraction | None
    remaining_without: Fraction
    flow_ids: Sequence[str]


def ledger(
    events: Sequence[Event],
    facts: Mapping[str, Mapping[str, JsonValue]],
    objective: Objective,
) -> list[Spending]:
    """The spending of each cause, the largest first within its kind. Facts are by flow id."""
    judged = [event for event in events if event.good is not None]
    bad = [event for event in judged if not event.good]
    if not bad:
        return []
    valid, lost = _weight(judged), _weight(bad)
    good = len(judged) - len(bad)
    causes = _CausesOf(facts)
    carried: dict[Cause, list[Event]] = defaultdict(list)
    for event in bad:
        for cause in causes.of(event):
            carried[cause].append(event)
    among_good = causes.counted(event for event in judged if event.good)
    return sorted(
        (
            _spending(cause, carriers, among_good[cause], good, lost, valid, objective)
            for cause, carriers in carried.items()
        ),
        key=lambda it: (list(DIMENSIONS).index(it.dimension), -it.spent, it.cause),
    )


Cause = tuple[str, str]


def _spending(
    cause: Cause,
    carriers: Sequence[Event],
    among_good: int,
    good: int,
    lost: Fraction,
    valid: Fraction,
    objective: Objective,
) -> Spending:
    weight = _weight(carriers)
    return Spending(
        dimension=cause[0],
        cause=cause[1],
        bad_flows=len(carriers),
        spent=weight / lost,
        share_of_good=Fraction(among_good, good) if good else None,
        remaining_without=1 - (lost - weight) / (valid * objective.budget),
        flow_ids=[event.flow_id for event in carriers[:FLOWS_SHOWN_MAX]],
    )


def _weight(events: Iterable[Event]) -> Fraction:
    """How many flows these stand for. Weights are few, so each is multiplied once."""
    weights: dict[int, Fraction] = {}
    counts: Counter[int] = Counter()
    for event in events:
        weights[id(event.weight)] = event.weight
        counts[id(event.weight)] += 1
    return sum((weights[key] * count for key, count in counts.items()), start=Fraction(0))


class _CausesOf:
    """The causes of flows, worked out once for each kind."""

    def __init__(self, facts: Mapping[str, Mapping[str, JsonValue]]) -> None:
        self._facts = facts
        self._known: dict[int | str, Sequence[Cause]] = {}

    def of(self, event: Event) -> Sequence[Cause]:
        return self._at(self._key(event), event)

    def counted(self, events: Iterable[Event]) -> Counter[Cause]:
        """How many of the events carry each cause."""
        examples: dict[int | str, Event] = {}
        counts: Counter[int | str] = Counter()
        for event in events:
            key = self._key(event)
            counts[key] += 1
            examples[key] = event
        found: Counter[Cause] = Counter()
        for key, count in counts.items():
            for cause in self._at(key, examples[key]):
                found[cause] += count
        return found

    def _key(self, event: Event) -> int | str:
        values = self._facts.get(event.flow_id)
        return values.kind if isinstance(values, Values) else event.flow_id

    def _at(self, key: int | str, event: Event) -> Sequence[Cause]:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = list(_causes(self._facts.get(event.flow_id, {})))
        return found


def _causes(values: Mapping[str, JsonValue]) -> Iterator[Cause]:
    for dimension, names in DIMENSIONS.items():
        found: set[str] = set()
        for name in names:
            value = values.get(name)
            found.update(str(entry) for entry in (value if isinstance(value, list) else [value]))
        yield from ((dimension, cause) for cause in sorted(found - {"None", ""}))
