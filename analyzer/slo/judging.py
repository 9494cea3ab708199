"""What an SLO makes of flows, asked once for all that its predicates cannot tell apart.

Flows of one kind share all facts but their id and their duration. A predicate that compares the
duration with numbers, and uses it in no other way, has one answer between two such numbers; one
that reads the id, or does more with the duration, is asked of every flow by itself.
"""

import re
from collections.abc import Sequence

import polars as pl

from analyzer.expression import Expression
from analyzer.facts import FlowTable, Values
from analyzer.slo.model import Slo
from store.errors import InvariantError

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_COMPARED = re.compile(
    rf"(?:^|[(!?:,]|&&|\|\|)\s*duration_ms\s*(?:<=|>=|==|!=|<|>)\s*({_NUMBER})\s*(?=$|[)?:,]|&&|\|\|)"
)
_ALIKE = ("kind", "band")


def judged(slo: Slo, flows: FlowTable) -> pl.DataFrame:
    """The rows of the flows an SLO counts, with `good`: null where a fact it needs is unknown.

    A flow of which nobody knows whether it counts is there too, and never good or bad.
    """
    if slo.good is None or slo.valid is None:
        raise InvariantError(f"SLO {slo.name} reads {slo.source}, which has no flows")
    rows = flows.rows.with_columns(band=_bands(_bounds(slo.good, slo.valid)))
    alike = rows.group_by(_ALIKE, maintain_order=True).agg(pl.col("flow_id", "duration_ms").first())
    answers: list[tuple[int, int | None, bool | None]] = []
    for kind, band, flow_id, duration_ms in alike.iter_rows():
        values = Values(kind, flows.kinds[kind], flow_id, duration_ms)
        counts = slo.valid.holds(values)
        if counts is not False:
            answers.append((kind, band, slo.good.holds(values) if counts else None))
    schema = {"kind": pl.UInt64, "band": pl.UInt32, "good": pl.Boolean}
    told = pl.DataFrame(answers, schema=schema, orient="row")
    return rows.join(told, on=_ALIKE, how="inner", nulls_equal=True, maintain_order="left")


def _bands(bounds: Sequence[float] | None) -> pl.Expr:
    """Which flows of a kind are alike: by number, null for those whose duration is unknown."""
    if bounds is None:
        return pl.int_range(pl.len(), dtype=pl.UInt32)
    lasted = pl.col("duration_ms")
    passed = [(lasted >= bound).cast(pl.UInt32) + (lasted > bound) for bound in bounds]
    none = pl.when(lasted.is_not_null()).then(pl.lit(0, pl.UInt32))
    return pl.sum_horizontal(none, *passed, ignore_nulls=False).cast(pl.UInt32)


def _bounds(*expressions: Expression) -> Sequence[float] | None:
    """The numbers that durations are compared with; None where flows of a kind may differ."""
    bounds: set[float] = set()
    for one in expressions:
        if "flow_id" in one.names:
            return None
        if "duration_ms" in one.names:
            numbers = _COMPARED.findall(one.text)
            if len(numbers) != len(re.findall(r"\bduration_ms\b", one.text)):
                return None
            bounds.update(map(float, numbers))
    return sorted(bounds)
