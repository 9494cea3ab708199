"""Whether experiments kept away from the flows that are declared critical."""

from collections.abc import Sequence

from analyzer.oversight.measure import Case, Measure, Metric, nothing, share
from analyzer.oversight.metrics.arms import arms_of

NAME = "experiment_isolation"


def _measure(case: Case) -> Sequence[Measure]:
    critical = frozenset(case.settings.critical_flows)
    if not critical:
        return [nothing(NAME, "share", "no critical flow is declared: [governance] critical_flows")]
    acted = [
        it for it in case.decisions
        if it.first_action is not None and it.flow is not None and it.flow.name in critical
    ]  # fmt: skip
    told = [it for it in acted if arms_of(it)]
    control = case.settings.control_arms
    touched = [it for it in told if any(arm.lower() not in control for arm in arms_of(it).values())]
    return [
        share(
            NAME, len(touched), len(told), len(acted) - len(told),
            note="carried out in an experimental arm of a critical flow; should be 0",
            detail={"decisions": [it.decision.decision_id for it in touched[:20]]},
        )
    ]  # fmt: skip


METRIC = Metric(name=NAME, title="critical effects in experimental arms", measure=_measure)
