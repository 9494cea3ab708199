"""What decisions cost: by the record's own price, else by tokens and the price table.

(uncached input + cache reads + cache writes + output, each times its price per million tokens).
Input tokens include cached ones, as OpenTelemetry has it. A model without a price is unknown.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import fsum

import numpy as np

from analyzer.conventions import decimal_of
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import SHARE_N_MIN, Case, Measure, Metric, Status, nothing
from analyzer.oversight.resampling import Places, bootstrap
from store.conclusions import FlowOutcome
from store.model import JsonValue

NAME = "decision_cost"
MILLION = Decimal(1_000_000)


def cost_of(it: Joined, prices: Mapping[str, Mapping[str, Decimal]]) -> Decimal | None:
    """US dollars; None where neither a cost nor tokens with a price are known."""
    usage = it.decision.record.get("usage")
    if not isinstance(usage, dict):
        return None
    told = _number(usage.get("cost_usd"))
    if told is not None:
        return told
    price = prices.get(f"{it.decision.model_name}@{it.decision.model_version}")
    price = price or prices.get(it.decision.model_name or "")
    given, made = _number(usage.get("input_tokens")), _number(usage.get("output_tokens"))
    if price is None or given is None or made is None:
        return None
    read = _number(usage.get("cache_read_tokens")) or Decimal(0)
    written = _number(usage.get("cache_write_tokens")) or Decimal(0)
    plain = given - read - written
    if plain < 0:
        return None
    parts = {"input": plain, "cache_read": read, "cache_write": written, "output": made}
    if any(tokens and name not in price for name, tokens in parts.items()):
        return None
    return (
        sum((tokens * price.get(name, Decimal(0)) for name, tokens in parts.items()), Decimal(0))
        / MILLION
    )


def _number(value: JsonValue) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    found = decimal_of(str(value))
    return found if found is not None and found.is_finite() and found >= 0 else None


def _measure(case: Case) -> Sequence[Measure]:
    costs = [(it, cost_of(it, case.prices)) for it in case.decisions]
    known = [(it, cost) for it, cost in costs if cost is not None]
    unknown = len(costs) - len(known)
    total = sum((cost for _, cost in known), Decimal(0))
    absent = Status.UNKNOWN if unknown else Status.NOT_APPLICABLE
    spent_in_all = float(total) if known else None
    whole = Measure(
        metric=f"{NAME}.sum", unit="usd", value=spent_in_all, n=len(known), unknown=unknown,
        low=spent_in_all, high=None if unknown else spent_in_all,
        status=Status.MEASURED if known else absent, counted=True,
        note="at least; others have no known cost" if known and unknown else "added up",
    )  # fmt: skip
    spent: dict[str, Decimal] = {}
    good: set[str] = set()
    unsure: set[str] = set()
    for it, cost in costs:
        if it.flow is None:
            continue
        flow_id = it.flow.flow_id
        if cost is None:
            unsure.add(flow_id)
        spent[flow_id] = spent.get(flow_id, Decimal(0)) + (cost or Decimal(0))
        if it.flow.outcome is FlowOutcome.SUCCEEDED:
            good.add(flow_id)
    pairs = [(spent[it], it in good) for it in sorted(spent) if it not in unsure]
    resamples = case.settings.resamples
    return [
        whole,
        _per(f"{NAME}.per_flow", [(cost, True) for cost, _ in pairs], len(unsure), resamples,
             "of flows all of whose decisions have a cost"),
        _per(f"{NAME}.per_successful_flow", pairs, len(unsure), resamples,
             "failed flows cost too; per flow that succeeded"),
    ]  # fmt: skip


def _per(
    name: str, pairs: Sequence[tuple[Decimal, bool]], unknown: int, resamples: int, note: str
) -> Measure:
    """All that flows cost by how many of them count, with a bootstrap interval over flows."""
    n = sum(counts for _, counts in pairs)
    if not n:
        return nothing(name, "usd", note, unknown=unknown)
    costs = np.array([float(cost) for cost, _ in pairs])
    counted = np.array([counts for _, counts in pairs])

    def estimate(places: Places) -> float:
        return fsum(costs[places]) / max(1, int(counted[places].sum()))

    few = n < SHARE_N_MIN
    bounds = None if few else bootstrap(pairs, estimate, resamples)
    return Measure(
        metric=name, unit="usd", value=float(sum(cost for cost, _ in pairs) / n), n=n,
        unknown=unknown, low=bounds.low if bounds else None, high=bounds.high if bounds else None,
        status=Status.INSUFFICIENT if few else Status.MEASURED, note=note,
    )  # fmt: skip


METRIC = Metric(name=NAME, title="what decisions cost", measure=_measure)
