"""How many of what was carried out was less sure than it had to be, with nobody asked."""

from collections.abc import Sequence

from analyzer.oversight.joined import ESCALATED
from analyzer.oversight.measure import Case, Measure, Metric, share

NAME = "below_threshold_rate"


def _measure(case: Case) -> Sequence[Measure]:
    acted = [it for it in case.decisions if it.acted is True]
    known = [it for it in acted if it.below_threshold is not None]
    hits = sum(
        bool(it.below_threshold) and not it.reviewed and it.outcome not in ESCALATED for it in known
    )
    return [
        share(
            NAME, hits, len(known), len(acted) - len(known),
            note="unknown: confidence or threshold is not recorded",
        )
    ]  # fmt: skip


METRIC = Metric(
    name=NAME, title="carried out below the threshold without an escalation", measure=_measure
)
