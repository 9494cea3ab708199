"""Decisions as a document for those who answer for the risk: clause, evidence, what is not here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retrospan.oversight_documents import value_text
from retrospan.text import markdown_cell, markdown_code
from retrospan.timespan import rfc3339

if TYPE_CHECKING:
    from analyzer.oversight.measure import Case, Measure
    from store.conclusions import Finding

NAMED_MAX = 20
READING = (
    "Intervals are at 95 %. *n* is how many a value is of, *unknown* how many more would belong to "
    "it but lack what it needs. Nothing is taken for good because it is not recorded."
)


def risk_report(case: "Case", measures: Sequence["Measure"], findings: Sequence["Finding"]) -> str:
    """Markdown: what it is about, what was found, each clause with its evidence, every metric."""
    from analyzer.oversight.regulation import CAVEAT, CLAUSES
    from analyzer.oversight.report import metrics

    by_name: dict[str, list[Measure]] = {}
    for it in measures:
        by_name.setdefault(it.metric, []).append(it)
    lines = ["# Decisions: evidence for risk and audit", "", CAVEAT, "", *_about(case), "", READING]
    lines += ["", "## What was found", "", *_found(findings)]
    for clause in CLAUSES:
        among = [it for name in clause.metrics for it in by_name.get(name, [])]
        lines += ["", f"## {clause.name}", "", f"Asks that {clause.asks}.", "", *_evidence(among)]
        lines += ["", f"What is not here: {clause.lacks}."]
    lines += ["", "## All metrics", ""]
    lines += [f"- `{metric.name}`: {metric.title}" for metric in metrics()]
    lines += ["", *_table(measures)]
    return "\n".join(lines) + "\n"


def _about(case: "Case") -> list[str]:
    """Of which decisions it tells: how many, when, whose; and by what the log is recognised."""
    decisions = [it.decision for it in case.decisions]
    times = [it.decision.time_ns for it in case.decisions if it.dated]
    models = (
        f"{it.model_name}@{it.model_version or '?'}" if it.model_name else "" for it in decisions
    )
    span = f", made from {rfc3339(min(times))} to {rfc3339(max(times))}" if times else ""
    root = case.log.root_hash.hex() if case.log is not None and case.log.leaves else "none"
    return [
        f"- Decisions: {len(decisions)}{span}.",
        f"- Models: {_listed(models)}.",
        f"- Kinds of flows: {_listed(it.flow.name for it in case.decisions if it.flow)}.",
        f"- Root of the decision log: {root}.",
    ]


def _listed(names: Iterable[str]) -> str:
    """The names with how many decisions each has; the rest only counted."""
    counted = sorted(Counter(names).items())
    told = [f"{markdown_code(name) if name else 'none named'} ({n})" for name, n in counted]
    more = len(told) - NAMED_MAX
    return ", ".join(told[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "") or "none"


def _found(findings: Sequence["Finding"]) -> list[str]:
    """What the checks of decisions found, counted; silence is told as what it is."""
    import analyzer.governance
    from analyzer.detectors import Detector
    from analyzer.discovery import discover

    counted = Counter((it.detector, it.verdict.value) for it in findings)
    rows = [
        f"| `{name}` | {counted[name, 'violation']} | {counted[name, 'suspected']} |"
        for name in discover(analyzer.governance, "DETECTOR", Detector)
    ]
    return [
        "| check | violations | suspected |",
        "|---|---|---|",
        *rows,
        "",
        "A finding tells of one decision or of many, with its evidence: `retrospan findings list "
        "--where detector=NAME`. None found is no proof that there is none: which checks "
        "lacked data, `retrospan findings coverage` tells.",
    ]


def _evidence(measures: Sequence["Measure"]) -> list[str]:
    """The metrics that say something, as a table; the others by name, with why they do not."""
    told = [it for it in measures if it.value is not None]
    silent = [it for it in measures if it.value is None]
    lines = ["Supports evidence for it:", "", *_table(told)] if told else ["Nothing is measured."]
    if silent:
        why = "; ".join(
            f"`{it.metric}` ({it.status.value.replace('_', ' ')}: {markdown_code(it.note)})"
            for it in silent
        )
        lines += ["", f"Could support it, but says nothing here: {why}."]
    return lines


def _table(measures: Sequence["Measure"]) -> list[str]:
    rows = ["| metric | value | 95 % interval | n | unknown | |", "|---|---|---|---|---|---|"]
    for it in measures:
        value = value_text(it.unit, it.value) or it.status.value.replace("_", " ")
        few = "insufficient; " if it.value is not None and it.status.value == "insufficient" else ""
        note = markdown_cell(few + it.note) if few or it.note else ""
        rows.append(f"| `{it.metric}` | {value} | {_bounds(it)} | {it.n} | {it.unknown} | {note} |")
    return rows


def _bounds(it: "Measure") -> str:
    if it.low is None:
        return "–"
    if it.counted and it.low == it.high:
        return "exact"
    if it.high is None:
        return f"at least {value_text(it.unit, it.low)}"
    return f"{value_text(it.unit, it.low)} to {value_text(it.unit, it.high)}"
