"""The documents of `retrospan governance`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrospan.documents import Document
from retrospan.timespan import humane

if TYPE_CHECKING:
    from analyzer.oversight.backtest import Backtest
    from analyzer.oversight.report import Sliced

CHANGES_MAX = 1_000


def metric_row(it: "Sliced") -> Document:
    """One metric with all that qualifies it."""
    found = it.measure
    return {
        "metric": found.metric,
        "unit": found.unit,
        "value": found.value,
        "n": found.n,
        "low": found.low,
        "high": found.high,
        "unknown": found.unknown,
        "unknown_share": found.unknown_share,
        "status": found.status.value,
        "filter": dict(it.filter),
        "note": found.note,
        "detail": dict(found.detail),
    }


def governance_document(rows: Sequence[Document], decisions: int) -> Document:
    return {
        "schema": "retrospan.governance/1",
        "decisions": decisions,
        "metrics": [dict(row) for row in rows],
    }


def backtest_document(found: "Backtest", policy: Document) -> Document:
    """What another policy would have answered."""
    share = found.share
    return {
        "schema": "retrospan.governance_backtest/1",
        "policy": policy,
        "n": found.n,
        "unknown": found.unknown,
        "changed": len(found.changes),
        "claim": None if share is None else "C2" if not found.unknown else "C3",
        "share_low": None if share is None else share.low,
        "share_high": None if share is None else share.high,
        "table": [
            {"recorded": recorded or None, "answered": answered, "n": n}
            for (recorded, answered), n in found.table.items()
        ],
        "flows": list(found.flow_ids),
        "changes": [
            {
                "decision_id": it.decision_id,
                "flow_id": it.flow_id,
                "recorded": it.recorded or None,
                "answered": it.answered,
                "acted": it.acted,
                "reviewed": it.reviewed,
            }
            for it in found.changes[:CHANGES_MAX]
        ],
    }


def value_text(unit: object, value: object) -> str | None:
    """A value as people read it."""
    if not isinstance(value, int | float):
        return None
    if unit == "ns":
        return str(humane(int(value)))
    if unit == "share":
        return f"{value * 100:.1f} %"
    return f"{value:.6g}" + (" USD" if unit == "usd" else "")
