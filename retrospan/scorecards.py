"""The scorecard as a document and as tables."""

from fractions import Fraction
from typing import Any

from analyzer.cost.prices import Prices
from analyzer.cost.spent import Quantile, Spending
from analyzer.scorecard.blast import Blast
from analyzer.scorecard.card import Card, Scorecard
from analyzer.scorecard.metric import DEFINITIONS, Metric
from retrospan.documents import Document
from retrospan.listing import Column, Row, field
from retrospan.objectives import number
from retrospan.timespan import humane
from store.model import JsonValue

DIGITS = 6
COST_DIGITS = 9
IDS_IN_TABLE = 2


def scorecard_document(found: Scorecard, by: str, prices: Prices) -> Document:
    """`retrospan.scorecard/1`: shares 0 to 1 with six digits, times in ns, money as text."""
    return {
        "schema": "retrospan.scorecard/1",
        "by": by,
        "since_ns": found.since_ns,
        "until_ns": found.until_ns,
        "prices_version": prices.version or None,
        "currency": prices.currency,
        "definitions": [
            {
                "metric": name,
                "title": it.title,
                "unit": it.unit,
                "meaning": it.meaning,
                "behind": it.behind,
            }
            for name, it in DEFINITIONS.items()
        ],
        "scopes": [_scope(card) for card in found.cards],
        "failing_services": [_blast(one) for one in found.blasts],
    }


def _scope(card: Card) -> Document:
    return {
        "by": card.by.value,
        "name": card.name,
        "flows": card.flows,
        "open": card.open_flows,
        "metrics": [_metric(it) for it in card.metrics],
        "cost": _cost(card.spending),
    }


def _metric(it: Metric) -> Document:
    return {
        "metric": it.name,
        "value": _plain(it.value),
        "low": _plain(it.low),
        "high": _plain(it.high),
        "n": it.n,
        "unknown": it.unknown,
        "unknown_share": number(it.unknown_share),
        "flow_count": it.flow_count,
        "flow_ids": list(it.flow_ids),
        "cases": [{"name": one.name, "value": one.value} for one in it.cases],
    }


def _plain(value: Fraction | float | int | None) -> float | int | None:
    if isinstance(value, Fraction):
        return number(value)
    return round(value, DIGITS) if isinstance(value, float) else value


def _blast(one: Blast) -> Document:
    return {
        "service": one.service,
        "since_ns": one.since_ns,
        "until_ns": one.until_ns,
        "reached": _metric(one.reached),
        "containment": _metric(one.containment),
        "kinds": list(one.kinds),
        "teams": list(one.teams),
        "regions": list(one.regions),
    }


def _cost(it: Spending) -> Document:
    return {
        "flows": it.flows,
        "unknown": it.unknown,
        "succeeded": it.succeeded,
        "decisions": it.decisions,
        "decisions_priced": it.sources.get("priced", 0),
        "decisions_recorded": it.sources.get("recorded", 0),
        "decisions_unknown": it.sources.get("unknown", 0),
        "uncounted_calls": it.uncounted_calls,
        "input_tokens": it.input_tokens,
        "output_tokens": it.output_tokens,
        "tokens_unknown": it.tokens_unknown,
        "total": amount(it.total) if it.flows else None,
        "per_flow": amount(it.per_flow),
        "per_success": amount(it.per_success),
        "p50": _quantile(it.p50),
        "p95": _quantile(it.p95),
        "latency_n": it.latency_n,
        "latency_p50": _time(it.latency_p50),
        "latency_p95": _time(it.latency_p95),
        "models": [
            {
                "model": one.model,
                "decisions": one.decisions,
                "input_tokens": one.input_tokens,
                "output_tokens": one.output_tokens,
                "cost": amount(one.cost) if one.unknown < one.decisions else None,
                "unknown": one.unknown,
            }
            for one in it.models
        ],
        "dearest_flow_ids": list(it.dearest_flow_ids),
    }


def amount(value: Fraction | None) -> str | None:
    """Money as decimal text, rounded to nine digits after the point, half to even."""
    if value is None:
        return None
    scaled = round(value * 10**COST_DIGITS)
    return f"{scaled // 10**COST_DIGITS}.{scaled % 10**COST_DIGITS:0{COST_DIGITS}d}"


def _quantile(it: Quantile | None) -> JsonValue:
    if it is None:
        return None
    return {"value": amount(it.value), "low": amount(it.low), "high": amount(it.high)}


def _time(it: Quantile | None) -> JsonValue:
    if it is None:
        return None
    bounds = {"low": it.low, "high": it.high}
    found: dict[str, JsonValue] = {"value_ns": int(it.value)}
    return found | {
        f"{name}_ns": None if bound is None else int(bound) for name, bound in bounds.items()
    }


def metric_rows(found: Scorecard) -> list[Row]:
    """One row for each metric of each scope."""
    return [
        {
            "by": card.by.value,
            "scope": card.name,
            **_metric(it),
            "title": DEFINITIONS[it.name].title,
            "unit": DEFINITIONS[it.name].unit,
            "behind": DEFINITIONS[it.name].behind,
        }
        for card in found.cards
        for it in card.metrics
    ]


def cost_rows(found: Scorecard, currency: str) -> list[Row]:
    """One row for the cost of each scope."""
    return [
        {"by": card.by.value, "scope": card.name, "currency": currency, **_cost(card.spending)}
        for card in found.cards
    ]


def blast_rows(found: Scorecard) -> list[Row]:
    """One row for each service at which a step failed."""
    return [_blast(one) for one in found.blasts]


def _named(row: Row) -> object:
    return "all flows" if row["by"] == "all" else f"{row['by']} {row['scope']}"


def _said(value: Any, unit: object) -> object:
    if value is None:
        return None
    return humane(value) if unit == "ns" else f"{value:.1%}"


def _bounds(low: Any, high: Any, unit: object) -> object:
    if low is None and high is None:
        return None
    return f"{_said(low, unit) or '?'} … {_said(high, unit) or '?'}"


def _cases(row: Row) -> object:
    """Cases where there are, else flows."""
    cases: Any = row["cases"]
    if cases:
        return "; ".join(f"{it['name']}: {_case(it['value'], row['unit'])}" for it in cases)
    return _flows(row["flow_ids"], row["flow_count"], str(row.get("behind", "")))


def _case(value: object, unit: object) -> object:
    if value is None:
        return "not known"
    return humane(value) if unit == "ns" and isinstance(value, int) else value


def _flows(ids: Any, count: object, behind: str) -> object:
    if not count:
        return None
    shown = ", ".join(ids[:IDS_IN_TABLE])
    more = ", …" if isinstance(count, int) and count > IDS_IN_TABLE else ""
    return f"{count} {behind or 'flows'}: {shown}{more}"


METRIC_COLUMNS = (
    Column(header="of", show=_named),
    field("metric", "title"),
    Column(header="value", show=lambda row: _said(row["value"], row["unit"]), right=True),
    Column(header="95 % interval", show=lambda row: _bounds(row["low"], row["high"], row["unit"])),
    field("n", "n", right=True),
    field("unknown", "unknown", right=True),
    Column(header="behind it", show=_cases),
)
METRIC_CELLS = (
    "by", "scope", "metric", "value", "low", "high", "n", "unknown", "unknown_share",
    "flow_count", "flow_ids",
)  # fmt: skip
COST_COLUMNS = (
    Column(header="of", show=_named),
    field("total", "total", right=True),
    field("per flow", "per_flow", right=True),
    field("per successful flow", "per_success", right=True),
    Column(header="flow p95", show=lambda row: _inner(row["p95"], "value"), right=True),
    field("currency", "currency"),
    field("flows (n)", "flows", right=True),
    field("unknown", "unknown", right=True),
    field("decisions", "decisions", right=True),
    field("tokens in", "input_tokens", right=True),
    field("tokens out", "output_tokens", right=True),
    Column(
        header="decision p95",
        show=lambda row: _said(_inner(row["latency_p95"], "value_ns"), "ns"),
        right=True,
    ),
    field("calls without a decision", "uncounted_calls", right=True),
)
COST_CELLS = (
    "by", "scope", "currency", "total", "per_flow", "per_success", "flows", "unknown",
    "succeeded", "decisions", "decisions_priced", "decisions_recorded", "decisions_unknown",
    "uncounted_calls", "input_tokens", "output_tokens", "tokens_unknown", "dearest_flow_ids",
)  # fmt: skip
BLAST_COLUMNS = (
    field("failing service", "service"),
    Column(header="flows met", show=lambda row: _inner(row["reached"], "flow_count"), right=True),
    Column(
        header="of all", show=lambda row: _said(_inner(row["reached"], "value"), ""), right=True
    ),
    Column(
        header="containment",
        show=lambda row: _said(_inner(row["containment"], "value"), ""),
        right=True,
    ),
    Column(
        header="95 % interval",
        show=lambda row: _bounds(
            _inner(row["containment"], "low"), _inner(row["containment"], "high"), ""
        ),
    ),
    Column(header="failed flows (n)", show=lambda row: _inner(row["containment"], "n"), right=True),
    Column(header="kinds", show=lambda row: _listed(row["kinds"])),
    Column(header="teams", show=lambda row: _listed(row["teams"])),
    Column(header="regions", show=lambda row: _listed(row["regions"])),
)


def _inner(value: Any, name: str) -> Any:
    return None if value is None else value[name]


def _listed(value: Any) -> object:
    return ", ".join(value) or None
