"""Good and valid events in time, counted over any window in logarithmic time.

Weights are exact: sampled flows count as the fraction they stand for, over one common denominator,
so that every sum is a sum of integers.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

import polars as pl

from analyzer.facts import FlowFacts, FlowTable, table_of
from analyzer.slo.judging import judged
from analyzer.slo.model import Slo
from store.errors import InvariantError

DENOMINATOR_MAX = 1 << 56
"""W3C thresholds are 56 bits; a denominator beyond that is no sampling weight."""
_INT64_MAX = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One flow as an event of an SLO; `good` is None where a fact it needs is unknown. Events of
    one `kind` have the same causes."""

    at_ns: int
    flow_id: str
    good: bool | None
    weight: Fraction
    kind: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Weighted counts; `flows` and `unknown` are unweighted. `valid` are the good and the bad."""

    good: Fraction
    valid: Fraction
    flows: int
    unknown: int

    @property
    def ratio(self) -> Fraction | None:
        """Good of valid; None without any."""
        return self.good / self.valid if self.valid else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The events of an SLO by time. `open_flows` have not ended; `unweighted` have no weight.

    `rows` has `at_ns`, `flow_id`, `good`, `weight` and `kind` of each event; the sums have one
    entry more than there are events. `sliced` keeps what `slices_of` made.
    """

    rows: pl.DataFrame = field(compare=False, repr=False)
    weights: Mapping[str, Fraction]
    open_flows: int
    unweighted: int
    unit: int
    times: Sequence[int]
    good: Sequence[int]
    valid: Sequence[int]
    known: Sequence[int]
    bad: Sequence[int]
    sliced: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def counts(self, since_ns: int, until_ns: int) -> Counts:
        """What happened in [since, until)."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        known = self.known[last] - self.known[first]
        return Counts(
            good=Fraction(self.good[last] - self.good[first], self.unit),
            valid=Fraction(self.valid[last] - self.valid[first], self.unit),
            flows=known,
            unknown=last - first - known,
        )

    def loses(self, since_ns: int, until_ns: int, share: Fraction) -> bool:
        """Whether at least this share of what is valid in [since, until) was not good."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        valid = self.valid[last] - self.valid[first]
        good = self.good[last] - self.good[first]
        return valid > 0 and (valid - good) * share.denominator >= share.numerator * valid

    def bad_flows(self, since_ns: int, until_ns: int) -> int:
        """How many flows were bad in [since, until), however many each stands for."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        return self.bad[last] - self.bad[first]

    def between(self, since_ns: int, until_ns: int) -> pl.DataFrame:
        """The rows of [since, until)."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        return self.rows.slice(first, last - first)

    @property
    def events(self) -> list[Event]:
        """All events, one by one."""
        return self.events_of(self.rows)

    def events_of(self, rows: pl.DataFrame) -> list[Event]:
        """The events of some of its rows."""
        return [
            Event(at_ns=at_ns, flow_id=flow_id, good=good, weight=self.weights[weight], kind=kind)
            for at_ns, flow_id, good, weight, kind in rows.iter_rows()
        ]

    def weight_of(self, rows: pl.DataFrame) -> Fraction:
        """How many flows some of its rows stand for."""
        counted = rows.group_by("weight").len().iter_rows()
        return sum((self.weights[weight] * n for weight, n in counted), start=Fraction(0))


def timeline(slo: Slo, flows: FlowTable | Iterable[FlowFacts]) -> Timeline:
    """The flows an SLO counts, judged. Flows whose validity is unknown count as unknown."""
    counted = judged(slo, flows if isinstance(flows, FlowTable) else table_of(flows))
    ended = counted.filter("ended")
    return _summed(
        ended.with_columns(pl.col("weight").fill_null("1")),
        open_flows=counted.height - ended.height,
        unweighted=ended["weight"].null_count(),
    )


def summed(events: Iterable[Event]) -> Timeline:
    """A timeline of these events."""
    ordered = sorted(events, key=lambda event: (event.at_ns, event.flow_id))
    return _summed(
        pl.DataFrame(
            [(it.at_ns, it.flow_id, it.good, str(it.weight), it.kind) for it in ordered],
            schema={
                "at_ns": pl.Int64,
                "flow_id": pl.String,
                "good": pl.Boolean,
                "weight": pl.String,
                "kind": pl.UInt64,
            },
            orient="row",
        )
    )


def _summed(rows: pl.DataFrame, open_flows: int = 0, unweighted: int = 0) -> Timeline:
    weights = {text: Fraction(text) for text in rows["weight"].unique().sort()}
    unit = lcm(*(weight.denominator for weight in weights.values()))
    if unit > DENOMINATOR_MAX:
        raise InvariantError("sampling weights have no common denominator of 56 bits")
    whole = {text: int(weight * unit) for text, weight in weights.items()}
    good = pl.col("good")
    weight = pl.col("weight").replace_strict(whole, return_dtype=pl.Int128)
    sums = rows.select(
        good=pl.when(good).then(weight).otherwise(0).cum_sum(),
        valid=pl.when(good.is_not_null()).then(weight).otherwise(0).cum_sum(),
        known=good.is_not_null().cast(pl.Int64).cum_sum(),
        bad=good.eq(False).fill_null(False).cast(pl.Int64).cum_sum(),
    )
    return Timeline(
        rows=rows.select("at_ns", "flow_id", "good", "weight", "kind"),
        weights=weights,
        open_flows=open_flows,
        unweighted=unweighted,
        unit=unit,
        times=array("q", rows["at_ns"].to_list()),
        good=_from_zero(sums["good"]),
        valid=_from_zero(sums["valid"]),
        known=_from_zero(sums["known"]),
        bad=_from_zero(sums["bad"]),
    )


def _from_zero(sums: pl.Series) -> Sequence[int]:
    numbers = [0, *sums.to_list()]
    return array("q", numbers) if numbers[-1] <= _INT64_MAX else numbers
