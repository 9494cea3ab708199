"""Numbers of lists of flows and of counts over them: pure, every share with its n."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

BUCKET_COUNT_MAX = 60
_SECOND = 1_000_000_000
# Widths people read easily: 1 s to 7 d.
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY_S = 86_400

OUTCOMES = (
    "succeeded",
    "compensated",
    "partially_compensated",
    "compensation_failed",
    "failed",
    "in_progress",
    "unknown",
)
ENDED = ("succeeded", "compensated", "partially_compensated", "compensation_failed", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Part of a whole; `unknown` is what could not be told and is in neither."""

    part: int
    whole: int
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The cards: each number counts flows unless its name says otherwise."""

    flows: int
    ended_well: Share
    violations: Share
    suspected: int
    flows_with_effects: int
    effects: int
    below_threshold: Share
    identical: Share
    stuck: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Flows per bucket of their start and outcome. `labels` are UTC."""

    starts_ns: Sequence[int]
    width_ns: int
    counts: dict[str, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """Flows that ended, per bucket of their start and of their duration.

    `cells` are (bucket of start, bucket of duration, flows); `bounds_ns` the least duration of
    each bucket, on a 1-2-5 scale.
    """

    starts_ns: Sequence[int]
    width_ns: int
    bounds_ns: Sequence[int]
    cells: Sequence[tuple[int, int, int]]


def health(flows: pl.DataFrame) -> Health:
    """Counts the cards over a list of flows, as `sql/health.sql` does over all in scope."""
    violated = pl.col("verdict") == "violation"
    good = pl.col("outcome").is_in(["succeeded", "compensated"]) & ~violated.fill_null(False)
    ended = pl.col("outcome").is_in(list(ENDED))
    came_to_rest = pl.col("outcome").is_in(["succeeded", "compensated", "failed"])
    return health_of(
        flows.select(
            flows=pl.len(),
            ended=ended.sum(),
            good=(ended & good).sum(),
            not_ended=(~ended).sum(),
            violated=violated.sum(),
            suspected=(pl.col("verdict") == "suspected").sum(),
            checked=pl.col("verdict").is_not_null().sum(),
            unsettled=pl.col("verdict").is_in(["unknown", "open"]).sum(),
            with_effects=(pl.col("effects") > 0).sum(),
            effects=pl.col("effects").sum(),
            below=pl.col("decisions_below").sum(),
            judged=pl.col("decisions_judged").sum(),
            decisions=pl.col("decisions").sum(),
            identical=(pl.col("replay") == "identical").sum(),
            replayed=pl.col("replay").is_not_null().sum(),
            with_saga=pl.col("has_saga").sum(),
            stuck=(pl.col("has_saga") & ((pl.col("effects") > 0) | ~came_to_rest)).sum(),
        ).row(0, named=True)
    )


def health_of(counts: Mapping[str, int]) -> Health:
    """The counts of `sql/health.sql`.

    Well ended: succeeded or compensated, and no check of it violated. Stuck: a saga that left
    effects standing or never came to rest.
    """
    return Health(
        flows=counts["flows"],
        ended_well=Share(part=counts["good"], whole=counts["ended"], unknown=counts["not_ended"]),
        violations=Share(
            part=counts["violated"], whole=counts["checked"], unknown=counts["unsettled"]
        ),
        suspected=counts["suspected"],
        flows_with_effects=counts["with_effects"],
        effects=counts["effects"],
        below_threshold=Share(
            part=counts["below"],
            whole=counts["judged"],
            unknown=counts["decisions"] - counts["judged"],
        ),
        identical=Share(part=counts["identical"], whole=counts["replayed"]),
        stuck=Share(part=counts["stuck"], whole=counts["with_saga"]),
    )


def timeline(flows: pl.DataFrame) -> Timeline | None:
    """Outcomes over time in at most `BUCKET_COUNT_MAX` buckets; None without flows."""
    if flows.is_empty():
        return None
    starts = flows["start_ns"]
    first, last = int(str(starts.min())), int(str(starts.max()))
    width = bucket_width_ns(last - first)
    grouped = flows.group_by((pl.col("start_ns") // width).alias("bucket"), "outcome").len()
    return timeline_of(grouped.rows(), first, last)


def timeline_of(rows: Iterable[tuple[int, str, int]], first_ns: int, last_ns: int) -> Timeline:
    """The same of (bucket, outcome, flows) between the first and the last start."""
    width = bucket_width_ns(last_ns - first_ns)
    low = first_ns // width
    length = last_ns // width - low + 1
    counts = {outcome: [0] * length for outcome in OUTCOMES}
    for bucket, outcome, number in rows:
        counts.setdefault(outcome, [0] * length)[bucket - low] = number
    return Timeline(
        starts_ns=[(low + n) * width for n in range(length)],
        width_ns=width,
        counts={outcome: tuple(numbers) for outcome, numbers in counts.items() if any(numbers)},
    )


def heat(flows: pl.DataFrame) -> Heat | None:
    """Durations over time; None when no flow ended."""
    ended = flows.drop_nulls("duration_ns")
    if ended.is_empty():
        return None
    first, last = int(str(ended["start_ns"].min())), int(str(ended["start_ns"].max()))
    width = bucket_width_ns(last - first)
    low = first // width
    shortest, longest = int(str(ended["duration_ns"].min())), int(str(ended["duration_ns"].max()))
    steps = [digit * 10**power for power in range(3, 19) for digit in (1, 2, 5)]
    bounds = [0, *steps]
    kept = [
        bound
        for bound, above in zip(bounds, [*steps, None], strict=True)
        if bound <= longest and (above is None or above > shortest)
    ]
    rows = pl.Series(kept).search_sorted(ended["duration_ns"], side="right").cast(pl.Int64) - 1
    counted = (
        ended.select(
            ((pl.col("start_ns") // width) - low).alias("at"),
            rows.alias("row"),
        )
        .group_by("at", "row")
        .len()
        .sort("at", "row")
    )
    return Heat(
        starts_ns=[(low + n) * width for n in range(last // width - low + 1)],
        width_ns=width,
        bounds_ns=kept,
        cells=list(counted.iter_rows()),
    )


def bucket_width_ns(span_ns: int) -> int:
    """The smallest readable width that keeps the chart within its number of buckets."""
    for width_s in _WIDTHS_S:
        if span_ns // (width_s * _SECOND) + 2 <= BUCKET_COUNT_MAX:
            return width_s * _SECOND
    days = span_ns // (_DAY_S * _SECOND) // (BUCKET_COUNT_MAX - 2) + 1
    return days * _DAY_S * _SECOND
