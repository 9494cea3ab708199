"""Tokens, money and time of decisions, per group of flows.

The price file counts; where it has no price for a model the cost recorded with the decision does,
if it is in the same currency; else the cost is unknown. A flow with more calls of a model than
decisions paid for something nobody wrote down: its cost is unknown too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from analyzer.cost.prices import Prices, Usage
from analyzer.facts import FlowFacts
from analyzer.statistics.quantiles import quantile_ranks
from store.query import ask
from store.session import Session

HERE: Final = Path(__file__).resolve().parent
RECORDED_CURRENCY: Final = "USD"
FLOWS_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One decision. `cost` is None where it is not known; `source` is priced, recorded, unknown."""

    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost: Fraction | None
    source: str
    latency_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowUse:
    """All decisions of one flow, and how many calls of models have none."""

    uses: Sequence[Use]
    uncounted_calls: int

    @property
    def cost(self) -> Fraction | None:
        """What the flow's models cost; None where a part is not known."""
        known = [use.cost for use in self.uses if use.cost is not None]
        if self.uncounted_calls or len(known) < len(self.uses):
            return None
        return sum(known, start=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A value by order statistics with its bounds; a bound is None where values are too few."""

    value: Fraction
    low: Fraction | None
    high: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """What one model was used for in a group."""

    model: str
    decisions: int
    input_tokens: int
    output_tokens: int
    cost: Fraction
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a group of flows spent on models.

    `flows` have a known cost, `unknown` have not; `total`, `per_flow`, `per_success` and the
    quantiles are of the known ones. `sources` counts decisions by where their cost is from.
    """

    flows: int
    unknown: int
    succeeded: int
    decisions: int
    sources: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    tokens_unknown: int
    total: Fraction
    per_flow: Fraction | None
    per_success: Fraction | None
    p50: Quantile | None
    p95: Quantile | None
    latency_p50: Quantile | None
    latency_p95: Quantile | None
    latency_n: int
    models: Sequence[ModelUse]
    uncounted_calls: int
    dearest_flow_ids: Sequence[str]


NOTHING: Final = FlowUse(uses=(), uncounted_calls=0)


def read_uses(session: Session, prices: Prices) -> dict[str, FlowUse]:
    """The uses of every flow that has any."""
    uses: dict[str, list[Use]] = {}
    for row in ask(session, HERE / "usage.sql", {}).iter_rows(named=True):
        uses.setdefault(row["flow_id"], []).append(_use(row, prices))
    calls = dict(ask(session, HERE / "model_calls.sql", {}).iter_rows())
    return {
        flow_id: FlowUse(
            uses=uses.get(flow_id, ()),
            uncounted_calls=max(0, calls.get(flow_id, 0) - len(uses.get(flow_id, ()))),
        )
        for flow_id in sorted(uses.keys() | calls.keys())
    }


def _use(row: Mapping[str, Any], prices: Prices) -> Use:
    tokens = row["input_tokens"], row["output_tokens"]
    cost = None
    if row["model_name"] and None not in tokens and min(tokens) >= 0:
        usage = Usage(
            input=tokens[0],
            output=tokens[1],
            cache_read=row["cache_read"] or 0,
            cache_write=row["cache_write"] or 0,
        )
        cost = prices.cost(row["model_name"], row["model_version"], row["time_ns"], usage)
    source = "priced" if cost is not None else "unknown"
    if cost is None and prices.currency == RECORDED_CURRENCY:
        cost = _recorded(row["cost_usd"])
        source = source if cost is None else "recorded"
    version = f"@{row['model_version']}" if row["model_version"] else ""
    return Use(
        model=f"{row['model_name']}{version}" if row["model_name"] else "unknown",
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cost=cost,
        source=source,
        latency_ns=row["latency_ns"],
    )


def _recorded(text: str | None) -> Fraction | None:
    try:
        amount = Decimal(text or "")
    except InvalidOperation:
        return None
    return Fraction(amount) if amount.is_finite() and amount >= 0 else None


def spending(flows: Iterable[FlowFacts], uses: Mapping[str, FlowUse]) -> Spending:
    """What these flows spent, in any order. Flows that have not ended are left out."""
    ended = [flow for flow in flows if flow.ended]
    by_flow = [(flow, uses.get(flow.flow_id, NOTHING)) for flow in ended]
    every = [use for _, found in by_flow for use in found.uses]
    costs = sorted(
        (cost, flow.flow_id) for flow, found in by_flow if (cost := found.cost) is not None
    )
    succeeded = sum(
        flow.values["succeeded"] is True and found.cost is not None for flow, found in by_flow
    )
    total = sum((cost for cost, _ in costs), start=Fraction(0))
    latencies = [Fraction(use.latency_ns) for use in every if use.latency_ns is not None]
    return Spending(
        flows=len(costs),
        unknown=len(ended) - len(costs),
        succeeded=succeeded,
        decisions=len(every),
        sources=dict(sorted(Counter(use.source for use in every).items())),
        input_tokens=sum(use.input_tokens or 0 for use in every),
        output_tokens=sum(use.output_tokens or 0 for use in every),
        tokens_unknown=sum(None in (use.input_tokens, use.output_tokens) for use in every),
        total=total,
        per_flow=total / len(costs) if costs else None,
        per_success=total / succeeded if succeeded else None,
        p50=_quantile([cost for cost, _ in costs], Fraction(1, 2)),
        p95=_quantile([cost for cost, _ in costs], Fraction(95, 100)),
        latency_p50=_quantile(sorted(latencies), Fraction(1, 2)),
        latency_p95=_quantile(sorted(latencies), Fraction(95, 100)),
        latency_n=len(latencies),
        models=_models(every),
        uncounted_calls=sum(found.uncounted_calls for _, found in by_flow),
        dearest_flow_ids=[flow_id for cost, flow_id in reversed(costs) if cost][:FLOWS_SHOWN_MAX],
    )


def _quantile(ordered: Sequence[Fraction], at: Fraction) -> Quantile | None:
    if not ordered:
        return None
    ranks = quantile_ranks(len(ordered), at)
    return Quantile(
        value=ordered[ranks.rank - 1],
        low=None if ranks.low is None else ordered[ranks.low - 1],
        high=None if ranks.high is None else ordered[ranks.high - 1],
    )


def _models(every: Sequence[Use]) -> list[ModelUse]:
    by_model: dict[str, list[Use]] = {}
    for use in every:
        by_model.setdefault(use.model, []).append(use)
    return [
        ModelUse(
            model=model,
            decisions=len(uses),
            input_tokens=sum(use.input_tokens or 0 for use in uses),
            output_tokens=sum(use.output_tokens or 0 for use in uses),
            cost=sum((use.cost for use in uses if use.cost is not None), start=Fraction(0)),
            unknown=sum(use.cost is None for use in uses),
        )
        for model, uses in sorted(by_model.items())
    ]
