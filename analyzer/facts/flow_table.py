"""The facts of many flows as columns, for what judges all of them at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from analyzer.facts.flow_facts import NS_PER_MS, Asked, FlowFacts, Values, common_facts
from store.model import JsonValue

COLUMNS: Mapping[str, type[pl.DataType]] = {
    "at_ns": pl.Int64,
    "flow_id": pl.String,
    "ended": pl.Boolean,
    "weight": pl.String,
    "duration_ms": pl.Float64,
    "kind": pl.UInt64,
}
ORDER = ("at_ns", "flow_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTable:
    """One row per flow, by `at_ns` and `flow_id`, with the columns `COLUMNS`.

    `weight` is an exact fraction as text; it and `duration_ms` are null where unknown. `kinds` has
    what the flows of each kind share.
    """

    rows: pl.DataFrame
    kinds: Mapping[int, Mapping[str, JsonValue]]


def asked_table(asked: Asked) -> FlowTable:
    """The flows a store was asked for."""
    start, end = pl.col("start_ns"), pl.col("end_ns")
    rows = asked.flows.select(
        pl.coalesce(end, start).alias("at_ns"),
        "flow_id",
        (end.is_not_null() & ~pl.col("running")).alias("ended"),
        pl.col("sampling_weight").alias("weight"),
        ((end - start) / NS_PER_MS).alias("duration_ms"),
        pl.col("facts").alias("kind"),
    )
    return FlowTable(rows=rows.sort(ORDER), kinds=common_facts(asked))


def table_of(flows: Iterable[FlowFacts]) -> FlowTable:
    """Flows that were made one by one; those that belong to no kind are each their own."""
    numbers: dict[int | str, int] = {}
    kinds: dict[int, Mapping[str, JsonValue]] = {}
    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for flow in flows:
        values = flow.values
        shared = values if isinstance(values, Values) else None
        kind = numbers.setdefault(flow.flow_id if shared is None else shared.kind, len(numbers))
        kinds[kind] = values if shared is None else shared.common
        lasted = values.get("duration_ms")
        weight = None if flow.weight is None else str(flow.weight)
        row = (flow.at_ns, flow.flow_id, flow.ended, weight, lasted, kind)
        for column, value in zip(rows.values(), row, strict=True):
            column.append(value)
    return FlowTable(rows=pl.DataFrame(rows, schema=COLUMNS).sort(ORDER), kinds=kinds)
