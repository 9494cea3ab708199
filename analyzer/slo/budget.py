"""SLI, error budget, burn rate and alert states over a timeline.

Formulae: OpenSLO v1, "budgetingMethod"; Google SRE workbook, chapter 5; states after Kibana
issue 195139. No data is None, never 100 %.
"""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction

from analyzer.slo.model import BurnRule, Method, Objective
from analyzer.slo.slices import slices_of
from analyzer.slo.timeline import Timeline
from analyzer.statistics.proportions import wilson

BAD_EVENTS_MIN = 5
"""An alert on fewer bad events says more about traffic than about the service."""
COVERAGE_PART = 720
"""Coverage looks at slices of one 720th of the period: an hour of thirty days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sli:
    """The indicator over one window. `good` of `valid` are events, or slices of time.

    `low` and `high` bound it: a Wilson interval (95 %) of events; None for slices.
    """

    value: Fraction | None
    good: Fraction
    valid: Fraction
    flows: int
    unknown: int
    low: float | None = None
    high: float | None = None


def sli(line: Timeline, method: Method, objective: Objective, since_ns: int, until_ns: int) -> Sli:
    """The indicator over [since, until) by the SLO's method."""
    counts = line.counts(since_ns, until_ns)
    if method is Method.OCCURRENCES or objective.slice_ns is None:
        low, high = _interval(counts.ratio, counts.flows)
        return Sli(
            value=counts.ratio,
            good=counts.good,
            valid=counts.valid,
            flows=counts.flows,
            unknown=counts.unknown,
            low=low,
            high=high,
        )
    wanted = (objective.slice_target or Fraction(0)) if method is Method.TIMESLICES else None
    good, slices = slices_of(line, objective.slice_ns, wanted).over(line, since_ns, until_ns)
    return Sli(
        value=good / slices if slices else None,
        good=good,
        valid=Fraction(slices),
        flows=counts.flows,
        unknown=counts.unknown,
    )


def _interval(ratio: Fraction | None, flows: int) -> tuple[float | None, float | None]:
    """Of the share that was seen; a weighted share has the interval of the flows behind it."""
    if ratio is None:
        return None, None
    interval = wilson(round(ratio * flows), flows)
    return (None, None) if interval is None else (interval.low, interval.high)


def _slices_with_data(line: Timeline, slice_ns: int, since_ns: int, until_ns: int) -> list[int]:
    times = line.times
    first, last = bisect_left(times, since_ns), bisect_left(times, until_ns)
    return sorted({at_ns // slice_ns for at_ns in times[first:last]})


def coverage(line: Timeline, period_ns: int, since_ns: int, until_ns: int) -> Fraction:
    """Share of the window's slices that have any event."""
    slice_ns = max(1, period_ns // COVERAGE_PART)
    seen = len(_slices_with_data(line, slice_ns, since_ns, until_ns))
    there = (until_ns - 1) // slice_ns - since_ns // slice_ns + 1
    return Fraction(seen, there)


def burn_rate(value: Fraction | None, objective: Objective) -> Fraction | None:
    """Error ratio over budget: 1 spends exactly the budget in one period."""
    return None if value is None else (1 - value) / objective.budget


def budget_remaining(value: Fraction | None, objective: Objective) -> Fraction | None:
    """Share of the budget of what was seen that is left; below 0 when overspent."""
    burn = burn_rate(value, objective)
    return None if burn is None else 1 - burn


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """One rule at one moment.

    `state` is critical (both windows burn), recovering (only the long one), increasing (only the
    short one), ok, low_traffic (would be critical, on too few bad events) or no_data.
    """

    rule: BurnRule
    state: str
    long_burn: Fraction | None
    short_burn: Fraction | None
    bad_flows: int


def alert_state(
    line: Timeline, method: Method, objective: Objective, rule: BurnRule, at_ns: int
) -> AlertState:
    """The state of a rule, seen at `at_ns`."""
    long = sli(line, method, objective, at_ns - rule.long_ns, at_ns)
    short = sli(line, method, objective, at_ns - rule.short_ns, at_ns)
    burns = burn_rate(long.value, objective), burn_rate(short.value, objective)
    bad = line.bad_flows(at_ns - rule.long_ns, at_ns)
    return AlertState(
        rule=rule,
        state=_state(burns[0], burns[1], rule.threshold, bad, method),
        long_burn=burns[0],
        short_burn=burns[1],
        bad_flows=bad,
    )


def critical(
    line: Timeline, method: Method, objective: Objective, rule: BurnRule, at_ns: int
) -> bool:
    """Whether `alert_state` is critical; of occurrences in integers, for looking often."""
    if method is not Method.OCCURRENCES:
        return alert_state(line, method, objective, rule, at_ns).state == "critical"
    most = rule.threshold * objective.budget
    return (
        line.bad_flows(at_ns - rule.long_ns, at_ns) >= BAD_EVENTS_MIN
        and line.loses(at_ns - rule.short_ns, at_ns, most)
        and line.loses(at_ns - rule.long_ns, at_ns, most)
    )


def _state(
    long: Fraction | None, short: Fraction | None, threshold: Fraction, bad: int, method: Method
) -> str:
    if long is None:
        return "no_data"
    if long >= threshold and short is not None and short >= threshold:
        few = method is Method.OCCURRENCES and bad < BAD_EVENTS_MIN
        return "low_traffic" if few else "critical"
    if long >= threshold:
        return "recovering"
    return "increasing" if short is not None and short >= threshold else "ok"


def minutes_to_exhaustion(
    remaining: Fraction | None, burn: Fraction | None, period_ns: int
) -> Fraction | None:
    """Minutes until the budget is gone at this burn; None when nothing burns or none is left."""
    if remaining is None or burn is None or burn <= 0 or remaining <= 0:
        return None
    return remaining * period_ns / burn / 60_000_000_000
