"""What a metric is: a question about joined decisions, and its answer with how sure it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import fsum

from analyzer.oversight.joined import Joined
from analyzer.oversight.policy import Policy
from analyzer.oversight.settings import OversightSettings
from analyzer.statistics.proportions import wilson
from analyzer.statistics.quantiles import quantile_ranks
from store.conclusions import Flow
from store.decision_log import LogCheck
from store.model import JsonValue

SHARE_N_MIN = 10
"""A share of fewer is told with its interval, as insufficient."""


class Status(StrEnum):
    """Whether the value can be used."""

    MEASURED = "measured"
    INSUFFICIENT = "insufficient"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One value with its interval at 95 %, how many it is of, and how many could not be told.

    `unit` is share, ns, usd, score or count. `n` counts what the value is of; `unknown` what would
    belong to it but lacks a field, which `note` names. `detail` holds the parts of the value.
    `counted` says that it was counted whole and is no estimate: its interval is the value itself,
    or begins there where parts are unknown.
    """

    metric: str
    unit: str
    value: float | None
    n: int
    unknown: int = 0
    low: float | None = None
    high: float | None = None
    status: Status = Status.MEASURED
    note: str = ""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    counted: bool = False

    @property
    def unknown_share(self) -> float | None:
        """The share that could not be told; None of nothing."""
        total = self.n + self.unknown
        return self.unknown / total if total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a metric is asked of: joined decisions by time, flows, the end of the data.

    `prices` are US dollars per million tokens, by model and kind of token; `log` is the state of
    the decision log, None where only some of its decisions are looked at; `policies` are the
    policies whose files are at hand.
    """

    decisions: Sequence[Joined]
    flows: Sequence[Flow]
    data_end_ns: int
    settings: OversightSettings
    prices: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    log: LogCheck | None = None
    policies: Sequence[Policy] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A question with who answers it; `title` says in words what the value is."""

    name: str
    title: str
    measure: Callable[[Case], Sequence[Measure]]


def share(
    metric: str, hits: int, n: int, unknown: int = 0, *, note: str = "",
    detail: Mapping[str, JsonValue] | None = None,
) -> Measure:  # fmt: skip
    """A share with its Wilson interval. Of nothing it is not applicable, or unknown; never 1."""
    told = detail or {}
    if n == 0:
        status = Status.UNKNOWN if unknown else Status.NOT_APPLICABLE
        return Measure(
            metric=metric, unit="share", value=None, n=0, unknown=unknown, status=status,
            note=note, detail=told,
        )  # fmt: skip
    bounds = wilson(hits, n)
    assert bounds is not None
    return Measure(
        metric=metric, unit="share", value=hits / n, n=n, unknown=unknown, low=bounds.low,
        high=bounds.high, note=note, detail={"hits": hits, **told},
        status=Status.MEASURED if n >= SHARE_N_MIN else Status.INSUFFICIENT,
    )  # fmt: skip


def nothing(metric: str, unit: str, note: str, *, n: int = 0, unknown: int = 0) -> Measure:
    """A metric that has no value: unknown where data is missing, else not applicable."""
    absent = Status.UNKNOWN if unknown else Status.NOT_APPLICABLE
    status = Status.INSUFFICIENT if n else absent
    return Measure(
        metric=metric, unit=unit, value=None, n=n, unknown=unknown, status=status, note=note
    )


def quantile(
    metric: str, values: Sequence[int | float], wanted: Fraction, *, unit: str = "ns",
    unknown: int = 0, note: str = "",
) -> Measure:  # fmt: skip
    """A quantile by order statistics with its interval; without one it is insufficient."""
    if not values:
        return nothing(metric, unit, note or "nothing to measure", unknown=unknown)
    ordered = sorted(values)
    ranks = quantile_ranks(len(ordered), wanted)
    low = None if ranks.low is None else float(ordered[ranks.low - 1])
    high = None if ranks.high is None else float(ordered[ranks.high - 1])
    few = low is None or high is None
    said = [*([note] if note else []), *(["too few for an interval"] if few else [])]
    return Measure(
        metric=metric, unit=unit, value=float(ordered[ranks.rank - 1]), n=len(ordered), low=low,
        high=high, unknown=unknown, note="; ".join(said),
        status=Status.INSUFFICIENT if few else Status.MEASURED,
    )  # fmt: skip


def mean(values: Sequence[float]) -> float:
    """The mean, with a sum that does not depend on the order."""
    return fsum(values) / len(values)
