"""How much of the time of flows they waited for decisions, along their critical paths."""

from collections.abc import Sequence
from math import fsum

import numpy as np

from analyzer.oversight.measure import Case, Measure, Metric, Status, nothing, share
from analyzer.oversight.resampling import Places, bootstrap

NAME = "decision_latency"
NS_PER_MS = 1_000_000


def _measure(case: Case) -> Sequence[Measure]:
    waits: dict[str, tuple[int, int]] = {}
    unknown = 0
    singles = []
    for it in case.decisions:
        if it.decision_ns is None or not it.flow_ns or it.flow is None:
            unknown += 1
            continue
        singles.append(it.decision_ns)
        waited, whole = waits.get(it.flow.flow_id, (0, it.flow_ns))
        waits[it.flow.flow_id] = (waited + it.decision_ns, whole)
    budget = case.settings.decision_budget_ms
    found = [_share(waits, unknown, case.settings.resamples)]
    if budget is not None:
        over = sum(ns > budget * NS_PER_MS for ns in singles)
        found.append(
            share(f"{NAME}.over_budget", over, len(singles), unknown, note=f"over {budget} ms")
        )
    return found


def _share(waits: dict[str, tuple[int, int]], unknown: int, resamples: int) -> Measure:
    pairs = [waits[flow_id] for flow_id in sorted(waits)]
    if not pairs:
        return nothing(f"{NAME}.share", "share", "no critical path is known", unknown=unknown)

    waited, whole = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))

    def estimate(places: Places) -> float:
        return fsum(waited[places]) / fsum(whole[places])

    bounds = bootstrap(pairs, estimate, resamples)
    return Measure(
        metric=f"{NAME}.share", unit="share", value=estimate(np.arange(len(pairs))), n=len(pairs),
        unknown=unknown, low=bounds.low, high=bounds.high,
        status=Status.MEASURED,
        note="of the time of flows with decisions; decision and gate steps on the critical path",
    )  # fmt: skip


METRIC = Metric(name=NAME, title="share of flows' time spent in decisions", measure=_measure)
