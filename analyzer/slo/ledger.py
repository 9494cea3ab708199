"""Who spent the budget: every bad event is a flow, and every flow has causes to show.

A flow can have several causes, so shares do not add up to one. "Without this cause" counts the
flows that carry it as good: the most that removing it can save, not what it would save.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from analyzer.slo.model import Objective
from analyzer.slo.timeline import Event
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
    valid = sum((event.weight for event in judged), start=Fraction(0))
    if not bad:
        return []
    lost = sum((event.weight for event in bad), start=Fraction(0))
    good = len(judged) - len(bad)
    carried = _carriers(bad, facts)
    among_good = _carriers((event for event in judged if event.good), facts)
    return sorted(
        (
            _spending(cause, carriers, len(among_good[cause]), good, lost, valid, objective)
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
    weight = sum((event.weight for event in carriers), start=Fraction(0))
    return Spending(
        dimension=cause[0],
        cause=cause[1],
        bad_flows=len(carriers),
        spent=weight / lost,
        share_of_good=Fraction(among_good, good) if good else None,
        remaining_without=1 - (lost - weight) / (valid * objective.budget),
        flow_ids=[event.flow_id for event in carriers[:FLOWS_SHOWN_MAX]],
    )


def _carriers(
    events: Iterable[Event], facts: Mapping[str, Mapping[str, JsonValue]]
) -> dict[Cause, list[Event]]:
    carried: dict[Cause, list[Event]] = defaultdict(list)
    for event in events:
        for cause in _causes(facts.get(event.flow_id, {})):
            carried[cause].append(event)
    return carried


def _causes(values: Mapping[str, JsonValue]) -> Iterator[Cause]:
    for dimension, names in DIMENSIONS.items():
        found: set[str] = set()
        for name in names:
            value = values.get(name)
            found.update(str(entry) for entry in (value if isinstance(value, list) else [value]))
        yield from ((dimension, cause) for cause in sorted(found - {"None", ""}))
