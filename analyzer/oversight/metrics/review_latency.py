"""How long people took from a decision to their word on it, and which still wait."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from analyzer.oversight.joined import ESCALATED, Joined
from analyzer.oversight.measure import Case, Measure, Metric, quantile, share

NAME = "review_latency"
QUANTILES = {"p50": Fraction(1, 2), "p95": Fraction(19, 20)}
NS_PER_SECOND = 1_000_000_000


def _latency(it: Joined) -> int | None:
    """From when the decision was made to the review, in nanoseconds."""
    told = it.review.get("time")
    if not isinstance(told, str):
        return None
    try:
        at = datetime.fromisoformat(told.replace("Z", "+00:00"))
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    whole = int(at.replace(microsecond=0).timestamp()) * NS_PER_SECOND + at.microsecond * 1_000
    waited = whole - it.decision.time_ns
    return waited if waited >= 0 else None


def _measure(case: Case) -> Sequence[Measure]:
    reviewed = [it for it in case.decisions if it.reviewed]
    found = sorted(ns for it in reviewed if (ns := _latency(it)) is not None)
    unknown = len(reviewed) - len(found)
    measures = [
        quantile(
            f"{NAME}.{name}", found, it, unknown=unknown, note="from the decision to the review"
        )
        for name, it in QUANTILES.items()
    ]
    waiting = [it for it in case.decisions if it.outcome in ESCALATED and not it.reviewed]
    limit_ns = case.settings.review_limit_s * NS_PER_SECOND
    stuck = sum(case.data_end_ns - it.decision.time_ns > limit_ns for it in waiting)
    asked = len(waiting) + sum(it.outcome in ESCALATED for it in reviewed)
    return [
        *measures,
        share(
            f"{NAME}.pending", len(waiting), asked,
            note=f"escalated and not answered; {stuck} for longer than the limit",
            detail={"stuck": stuck},
        ),
    ]  # fmt: skip


METRIC = Metric(name=NAME, title="time from a decision to its review", measure=_measure)
