"""What decisions cost: by the record's own price, else by tokens and the price table.

(uncached input + cache reads + cache writes + output, each times its price per million tokens).
Input tokens include cached ones, as OpenTelemetry has it. A model without a price is unknown.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from analyzer.conventions import decimal_of
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, Status
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
    flows = {it.flow.flow_id for it, _ in known if it.flow is not None}
    good = {
        it.flow.flow_id for it, _ in known
        if it.flow is not None and it.flow.outcome is FlowOutcome.SUCCEEDED
    }  # fmt: skip
    return [
        _per(f"{NAME}.sum", total, min(1, len(known)), len(known), unknown, "of those known"),
        _per(f"{NAME}.per_flow", total, len(flows), len(flows), unknown, "of all decisions"),
        _per(
            f"{NAME}.per_successful_flow", total, len(good), len(good), unknown,
            "of all decisions, those of failed flows too, per flow that succeeded",
        ),
    ]  # fmt: skip


def _per(name: str, total: Decimal, by: int, n: int, unknown: int, note: str) -> Measure:
    absent = Status.UNKNOWN if unknown else Status.NOT_APPLICABLE
    return Measure(
        metric=name, unit="usd", value=float(total / by) if by else None, n=n, unknown=unknown,
        status=Status.MEASURED if by else absent, note=note,
    )  # fmt: skip


METRIC = Metric(name=NAME, title="what decisions cost", measure=_measure)
