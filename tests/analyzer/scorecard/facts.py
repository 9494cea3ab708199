"""Flows as the scorecard sees them, written by hand."""

from fractions import Fraction
from typing import Any

from analyzer.facts import FlowFacts

START = 1_700_000_000_000_000_000
MS = 1_000_000


def flow(
    number: int,
    outcome: str = "succeeded",
    *,
    ms: int = 100,
    ended: bool = True,
    weight: Fraction | None = Fraction(1),
    **values: Any,
) -> FlowFacts:
    """Flow `fN` that began N seconds after START."""
    start_ns = START + number * 1_000 * MS
    known: dict[str, Any] = {
        "name": "payment",
        "service": "shop",
        "services": ["shop"],
        "outcome": outcome,
        "succeeded": outcome == "succeeded",
        "complete": True,
        "failing_services": [],
        "residual_effects": 0,
    }
    return FlowFacts(
        flow_id=f"f{number:03d}",
        at_ns=start_ns + ms * MS if ended else start_ns,
        start_ns=start_ns,
        ended=ended,
        weight=weight,
        values=known | values,
    )
