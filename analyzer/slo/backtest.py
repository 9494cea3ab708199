"""When would each alert have fired over what was recorded, and what was gone by then.

A rule is looked at on a grid a fifth of its short window apart, as a rule evaluation would be, and
through the end of the last event's long window: an alert that has not resolved by then is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from analyzer.slo.budget import critical, sli
from analyzer.slo.model import BurnRule, Objective, Slo
from analyzer.slo.timeline import Timeline

STEPS_PER_SHORT_WINDOW = 5
STEPS_MAX = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One time an alert was on. `resolved_ns` is None when the data ends before it resolves.

    `first_bad_ns` is the first bad event its long window held; `bad_before` how many it held by
    then; `spent` the share of the period's whole budget that was gone when it fired.
    """

    fired_ns: int
    resolved_ns: int | None
    first_bad_ns: int
    bad_before: int
    spent: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHistory:
    """All firings of one rule; `step_ns` is how finely it was looked at."""

    rule: BurnRule
    step_ns: int
    firings: Sequence[Firing]


def backtest(slo: Slo, objective: Objective, line: Timeline) -> list[RuleHistory]:
    """The history of each rule of an SLO over all its events."""
    return [_history(slo, objective, line, rule) for rule in slo.rules]


def _history(slo: Slo, objective: Objective, line: Timeline, rule: BurnRule) -> RuleHistory:
    if not line.times:
        return RuleHistory(rule=rule, step_ns=0, firings=())
    first, last = line.times[0], line.times[-1]
    length = last - first + rule.long_ns
    step_ns = max(1, rule.short_ns // STEPS_PER_SHORT_WINDOW, -(-length // STEPS_MAX))
    firings: list[Firing] = []
    on: Firing | None = None
    for at_ns in range(first + step_ns, last + step_ns + 1, step_ns):
        burning = critical(line, slo.method, objective, rule, at_ns)
        if burning and on is None:
            on = _fired(slo, objective, line, rule, at_ns)
        elif not burning and on is not None:
            firings.append(_resolved(on, at_ns))
            on = None
    if on is not None:
        firings.append(on)
    return RuleHistory(rule=rule, step_ns=step_ns, firings=firings)


def _fired(slo: Slo, objective: Objective, line: Timeline, rule: BurnRule, at_ns: int) -> Firing:
    bad = line.between(at_ns - rule.long_ns, at_ns).filter(~pl.col("good"))["at_ns"]
    start_ns = slo.window.start_ns(at_ns)
    so_far = sli(line, slo.method, objective, start_ns, at_ns)
    whole = sli(line, slo.method, objective, start_ns, line.times[-1] + 1)
    return Firing(
        fired_ns=at_ns,
        resolved_ns=None,
        first_bad_ns=int(bad[0]),
        bad_before=len(bad),
        spent=_spent(so_far.valid - so_far.good, whole.valid, objective),
    )


def _spent(bad: Fraction, valid: Fraction, objective: Objective) -> Fraction | None:
    """Against the budget of all that the data holds of the period: the only total that is known."""
    return bad / (valid * objective.budget) if valid else None


def _resolved(firing: Firing, at_ns: int) -> Firing:
    return Firing(
        fired_ns=firing.fired_ns,
        resolved_ns=at_ns,
        first_bad_ns=firing.first_bad_ns,
        bad_before=firing.bad_before,
        spent=firing.spent,
    )
