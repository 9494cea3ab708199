"""The documents and the risk report of `retrospan governance`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrospan.documents import Document
from retrospan.text import markdown_cell
from retrospan.timespan import humane

if TYPE_CHECKING:
    from analyzer.oversight.backtest import Backtest
    from analyzer.oversight.measure import Measure
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


def risk_report(measures: Sequence["Measure"], decisions: int, root_hash: str | None) -> str:
    """The metrics as a document for those who answer for the risk: clause, evidence, what lacks."""
    from analyzer.oversight.regulation import CAVEAT, CLAUSES
    from analyzer.oversight.report import metrics

    by_name: dict[str, list[Measure]] = {}
    for it in measures:
        by_name.setdefault(it.metric, []).append(it)
    lines = [
        "# Decisions: evidence for risk and audit",
        "",
        f"{CAVEAT}",
        "",
        f"Decisions: {decisions}. Root of their log: {root_hash or 'none'}. Intervals are at "
        "95 %; *unknown* counts what could not be told. What is not recorded counts for nothing.",
    ]
    for clause in CLAUSES:
        lines += ["", f"## {clause.name}", "", f"Asks that {clause.asks}. Supports evidence:", ""]
        lines += _table([it for name in clause.metrics for it in by_name.get(name, [])])
        lines += ["", f"What is not here: {clause.lacks}."]
    lines += ["", "## All metrics", ""]
    lines += [f"- `{metric.name}`: {metric.title}" for metric in metrics()]
    lines += ["", *_table(measures)]
    return "\n".join(lines) + "\n"


def _table(measures: Sequence["Measure"]) -> list[str]:
    rows = ["| metric | value | 95 % interval | n | unknown | |", "|---|---|---|---|---|---|"]
    for it in measures:
        value = value_text(it.unit, it.value) or it.status.value.replace("_", " ")
        bounds = "–"
        if it.low is not None and it.high is not None:
            bounds = f"{value_text(it.unit, it.low)} to {value_text(it.unit, it.high)}"
        few = "insufficient; " if it.value is not None and it.status.value == "insufficient" else ""
        cells = [it.metric, value, bounds, str(it.n), str(it.unknown), few + it.note]
        rows.append(
            "| " + " | ".join(markdown_cell(cell) if cell else "–" for cell in cells) + " |"
        )
    return rows
