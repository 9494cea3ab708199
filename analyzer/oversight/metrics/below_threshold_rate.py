"""How many of what was carried out was less sure than it had to be, with nobody asked."""

from collections.abc import Sequence

from analyzer.oversight.joined import ESCALATED, Joined
from analyzer.oversight.measure import Case, Measure, Metric, share

NAME = "below_threshold_rate"


def unasked(it: Joined) -> bool | None:
    """Whether it was below its threshold and nobody was asked; None where one is not recorded."""
    if it.below_threshold is None:
        return None
    return it.below_threshold and not it.reviewed and it.outcome not in ESCALATED


def _measure(case: Case) -> Sequence[Measure]:
    told = [unasked(it) for it in case.decisions if it.acted is True]
    known = [it for it in told if it is not None]
    return [
        share(
            NAME, sum(known), len(known), len(told) - len(known),
            note="unknown: confidence or threshold is not recorded",
        )
    ]  # fmt: skip


METRIC = Metric(
    name=NAME, title="carried out below the threshold without an escalation", measure=_measure
)
