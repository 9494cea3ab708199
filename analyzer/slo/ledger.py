"""Who spent the budget: every bad event is a flow, and every flow has causes to show.

A flow can have several causes, so shares do not add up to one. "Without this cause" counts the
flows that carry it as good: the most that removing it can save, not what it would save.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from analyzer.slo.model import Objective
from analyzer.slo.timeline import Timeline
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


Causes = Mapping[int, Mapping[str, JsonValue]]
"""By kind of flow, the facts that name what may have caused its end."""


def ledger(
    line: Timeline, rows: pl.DataFrame, kinds: Causes, objective: Objective
) -> list[Spending]:
    """The spending of each cause over some rows of a timeline; within a kind the largest first."""
    judged = rows.drop_nulls("good")
    bad = judged.filter(~pl.col("good"))
    if bad.is_empty():
        return []
    valid, lost = line.weight_of(judged), line.weight_of(bad)
    good = judged.height - bad.height
    counted = judged.filter("good").group_by("kind").len()
    among_good: Counter[Cause] = Counter()
    for kind, count in counted.iter_rows():
        among_good.update(dict.fromkeys(causes_of(kinds.get(kind, {})), count))
    carried: dict[Cause, list[int]] = defaultdict(list)
    for kind in bad["kind"].unique().sort():
        for cause in causes_of(kinds.get(kind, {})):
            carried[cause].append(kind)
    found = []
    for cause, carriers in carried.items():
        them = bad.filter(pl.col("kind").is_in(carriers))
        weight = line.weight_of(them)
        found.append(
            Spending(
                dimension=cause[0],
                cause=cause[1],
                bad_flows=them.height,
                spent=weight / lost,
                share_of_good=Fraction(among_good[cause], good) if good else None,
                remaining_without=1 - (lost - weight) / (valid * objective.budget),
                flow_ids=them["flow_id"].head(FLOWS_SHOWN_MAX).to_list(),
            )
        )
    return sorted(found, key=lambda it: (list(DIMENSIONS).index(it.dimension), -it.spent, it.cause))


Cause = tuple[str, str]


def causes_of(values: Mapping[str, JsonValue]) -> list[Cause]:
    """The causes that the facts of a flow name, each once."""
    causes: list[Cause] = []
    for dimension, names in DIMENSIONS.items():
        found: set[str] = set()
        for name in names:
            value = values.get(name)
            found.update(str(entry) for entry in (value if isinstance(value, list) else [value]))
        causes += [(dimension, cause) for cause in sorted(found - {"None", ""})]
    return causes
