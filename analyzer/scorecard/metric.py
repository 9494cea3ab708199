"""One number of the scorecard with all that it needs to be believed.

Shares have Wilson intervals, quantiles those of order statistics, both 95 %. Of nothing there is no
value, never 0 or 100 %. A flow that was sampled counts as many as it stands for; one that was
sampled in an unknown way is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from analyzer.facts import FlowFacts
from analyzer.statistics.proportions import wilson
from analyzer.statistics.quantiles import quantile_ranks

FLOWS_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a metric says. `unit` is share, ns or flows; `behind` names the flows it lists."""

    title: str
    unit: str
    meaning: str
    behind: str = ""


def _share(title: str, meaning: str, behind: str) -> Definition:
    return Definition(title=title, unit="share", meaning=meaning, behind=behind)


def _time(title: str, meaning: str, behind: str = "") -> Definition:
    return Definition(title=title, unit="ns", meaning=meaning, behind=behind)


DEFINITIONS: Final[Mapping[str, Definition]] = {
    "latency_p50": _time("latency, median", "start to end of flows that ended", "slower flows"),
    "latency_p95": _time("latency, p95", "start to end of flows that ended", "slower flows"),
    "latency_p99": _time("latency, p99", "start to end of flows that ended", "slower flows"),
    "error_rate": _share(
        "error rate",
        "flows that failed, or were undone in part or not at all, of flows that ended; a handled "
        "inner error is no failed flow",
        "failed flows",
    ),
    "undone_rate": _share(
        "given up and undone",
        "flows that were given up and undone in full, of flows that ended",
        "undone flows",
    ),
    "time_to_detect": _time("time to detect", "incident start to detection, median"),
    "time_to_mitigate": _time("time to mitigate", "incident start to mitigation, median"),
    "time_to_recover": _time("time to recover", "incident start to full recovery, median"),
    "rollback_success": _share(
        "successful rollbacks",
        "versions taken back after which the bad share came back inside its interval and nothing "
        "was left open, of versions taken back",
        "flows left open",
    ),
    "compensation_success": _share(
        "compensation success",
        "flows given up with effects that were undone in full, of those with effects to undo",
        "flows not undone",
    ),
    "time_inconsistent_p95": _time(
        "time inconsistent, p95",
        "first effect to the end of the last compensation of flows undone in full; flows never "
        "undone are counted in compensation success",
        "slower flows",
    ),
    "gate_coverage": _share(
        "gate coverage",
        "decisions carried out that a gate, or the person it asked, let pass before, of decisions "
        "carried out; the same as in the governance report",
        "flows with an action without a gate",
    ),
    "below_threshold_actions": _share(
        "below-threshold actions",
        "decisions carried out below their threshold that neither were escalated nor reviewed, of "
        "those carried out with confidence and threshold",
        "flows with such an action",
    ),
    "audit_completeness": _share(
        "audit completeness",
        "decisions whose record has actor, model and version, input or its hash, output, "
        "confidence, threshold, policy and version, its outcome, trace and span, and the action "
        "if one was carried out, of all decisions of the flows",
        "flows with an incomplete record",
    ),
    "conservation": _share(
        "conservation",
        "flows given up whose accounts (money by resource and currency, stock) all come to zero, "
        "of those with an account",
        "flows with an account that does not",
    ),
    "duplicate_effects": _share(
        "duplicate effects",
        "flows in which one effect or one compensation took place twice, of flows that ended and "
        "were seen whole",
        "flows with a duplicate",
    ),
    "lost_effects": _share(
        "lost effects",
        "flows past the point of no return in which a step that must succeed never did, of flows "
        "with such a step",
        "flows with a lost effect",
    ),
    "seen_whole": _share(
        "seen whole", "flows without a missing or unfinished span, of all flows", "flows with gaps"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One case a metric is made of, such as an incident or a rollback; None where not known."""

    name: str
    value: int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number over `n` cases; `unknown` more could not be told and are not in it.

    `value` is None without any. `low` and `high` bound it where that many cases allow a bound.
    `flow_ids` are the first of `flow_count` flows behind it (see `Definition.behind`).
    """

    name: str
    value: Fraction | int | None
    low: float | int | None
    high: float | int | None
    n: int
    unknown: int
    flow_ids: Sequence[str] = ()
    flow_count: int = 0
    cases: Sequence[Listed] = ()

    @property
    def unknown_share(self) -> Fraction | None:
        """Unknown of all cases; None without any."""
        every = self.n + self.unknown
        return Fraction(self.unknown, every) if every else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one flow adds to a share: `hits` of `n` cases, `unknown` more; `shown` lists it."""

    flow: FlowFacts
    hits: int
    n: int
    unknown: int
    shown: bool


def answered(flow: FlowFacts, holds: bool | None, shown: bool | None = None) -> Part:
    """One yes, no or unknown of one flow; a yes is what is shown unless said otherwise."""
    known = holds is not None
    return Part(
        flow=flow,
        hits=int(holds is True),
        n=int(known),
        unknown=int(not known),
        shown=(holds is True) if shown is None else shown,
    )


def share(name: str, parts: Iterable[Part]) -> Metric:
    """A share over the parts of many flows, in any order."""
    hits = valid = Fraction(0)
    n = unknown = 0
    shown = []
    for part in parts:
        weight = part.flow.weight
        if weight is None:
            unknown += part.n + part.unknown
        else:
            n += part.n
            unknown += part.unknown
            hits += weight * part.hits
            valid += weight * part.n
        if part.shown:
            shown.append((part.flow.at_ns, part.flow.flow_id))
    value = hits / valid if valid else None
    interval = None if value is None else wilson(round(value * n), n)
    shown.sort()
    return Metric(
        name=name,
        value=value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n=n,
        unknown=unknown,
        flow_ids=[flow_id for _, flow_id in shown[:FLOWS_SHOWN_MAX]],
        flow_count=len(shown),
    )


def counted(
    name: str,
    hits: int,
    n: int,
    unknown: int,
    flow_ids: Sequence[str] = (),
    flow_count: int | None = None,
    cases: Sequence[Listed] = (),
) -> Metric:
    """A share of cases that are no flows, such as accounts and rollbacks."""
    interval = wilson(hits, n)
    return Metric(
        name=name,
        value=Fraction(hits, n) if n else None,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n=n,
        unknown=unknown,
        flow_ids=list(flow_ids[:FLOWS_SHOWN_MAX]),
        flow_count=len(flow_ids) if flow_count is None else flow_count,
        cases=cases,
    )


def quantile(
    name: str, at: Fraction, values: Sequence[tuple[int, FlowFacts]], open_: int
) -> Metric:
    """A quantile of a time over flows; `open_` flows have not ended. Its flows are the slower ones.

    Of weighted flows it is the smallest value that at least that share of the weight does not
    exceed, without an interval.
    """
    known = sorted(
        ((value, flow.flow_id, flow.weight) for value, flow in values if flow.weight is not None),
        key=lambda it: (it[0], it[1]),
    )
    unknown = len(values) - len(known) + open_
    if not known:
        return Metric(name=name, value=None, low=None, high=None, n=0, unknown=unknown)
    low: int | None = None
    high: int | None = None
    if all(weight == 1 for _, _, weight in known):
        ranks = quantile_ranks(len(known), at)
        value = known[ranks.rank - 1][0]
        low = None if ranks.low is None else known[ranks.low - 1][0]
        high = None if ranks.high is None else known[ranks.high - 1][0]
    else:
        value = _weighted(known, at)
    slower = [flow_id for time, flow_id, _ in reversed(known) if time > value]
    return Metric(
        name=name,
        value=value,
        low=low,
        high=high,
        n=len(known),
        unknown=unknown,
        flow_ids=slower[:FLOWS_SHOWN_MAX],
        flow_count=len(slower),
    )


def _weighted(known: Sequence[tuple[int, str, Fraction | None]], at: Fraction) -> int:
    wanted = at * sum((weight or Fraction(0) for _, _, weight in known), start=Fraction(0))
    reached = Fraction(0)
    for value, _, weight in known:
        reached += weight or Fraction(0)
        if reached >= wanted:
            return value
    return known[-1][0]


def median_of_cases(name: str, cases: Sequence[Listed]) -> Metric:
    """The median of the cases whose value is a known number, with the whole list."""
    values = sorted(it.value for it in cases if isinstance(it.value, int))
    if not values:
        return Metric(
            name=name, value=None, low=None, high=None, n=0, unknown=len(cases), cases=cases
        )
    ranks = quantile_ranks(len(values), Fraction(1, 2))
    return Metric(
        name=name,
        value=values[ranks.rank - 1],
        low=None if ranks.low is None else values[ranks.low - 1],
        high=None if ranks.high is None else values[ranks.high - 1],
        n=len(values),
        unknown=len(cases) - len(values),
        cases=cases,
    )
