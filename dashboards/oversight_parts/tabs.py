"""Metrics of AI governance, told by question: versions, calibration, gates, cost, the log."""

import pkgutil
from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

import analyzer.governance
from analyzer.oversight.measure import Measure
from analyzer.oversight.report import By
from dashboards import links
from dashboards.check_titles import titled
from dashboards.components.address_filters import one_of
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.data import Overview
from dashboards.markup import facts, notes, worded
from dashboards.oversight_parts.measured import drift_rows, incomplete, rows, side_by_side
from dashboards.oversight_parts.read import (
    LOGGED_MAX,
    Looked,
    drifts,
    log_check,
    logged,
    measures,
    measures_of,
)
from dashboards.oversight_parts.reliability import reliability_chart
from dashboards.wide_ranges import wanted_of_store
from dashboards.wording import clean, plural
from store.decision_log import LogCheck

WORDS = {
    By.MODEL: "model version",
    By.POLICY: "policy version",
    By.ARM: "arm of an experiment",
    By.FLOW: "kind of flow",
}
FAULTS_SHOWN_MAX = 100


def versions_tab(found: Looked, end_ns: int) -> None:
    """Each metric beside itself for every version."""
    slices = [By.MODEL, *(it for it in By if it is not By.MODEL)]
    words = {it.value: WORDS[it] for it in slices}
    by = one_of("Side by side by", "by", list(words), words.__getitem__)
    table = side_by_side(measures(found, end_ns, By(by)))
    st.caption(
        "Value (95 % interval), n. ◆ intervals of two columns, of models and policies those of two "
        "versions, do not overlap. A dash does not apply; ? has too few, or lacks a field. "
        "Overlapping intervals show no difference."
    )
    _metric_table(table, f"by-{by}")


def metrics_tab(found: Looked, end_ns: int) -> None:
    """Every metric over all decisions in scope."""
    _metric_table(rows([it.measure for it in measures(found, end_ns)]), "metrics")
    with st.expander("From the command line"):
        links.as_command("governance", "report", "--json", whole=True)


def calibration_tab(found: Looked, end_ns: int) -> None:
    """Whether confidence is what it claims, and how far each model moved."""
    told = measures_of(found, end_ns, ["calibration"])
    bins = _bins(told)
    if bins:
        reliability_chart(bins)
    else:
        st.text(
            "No calibration curve: too few decisions have a confidence and a label learned later "
            "(`outcome` in the decision log). What there is stands below."
        )
    _metric_table(rows(told), "calibration")
    st.subheader("Drift, each model against itself")
    st.caption(
        "PSI of confidence, Jensen-Shannon of choices, without what chance adds; p is of a "
        "permutation test: below 0.05 chance alone seldom moves them so far. The first version "
        "against each later one, and each version's first half against its second."
    )
    table = drift_rows(drifts(found, end_ns))
    _metric_table(table, "drift")


def gates_tab(found: Looked, end_ns: int, overview: Overview) -> None:
    """Gates, thresholds, joins and the people who overrule."""
    names = [
        "gate_coverage",
        "gate_outcomes",
        "below_threshold_rate",
        "log_completeness",
        "override_rate",
        "review_latency",
        "fallback_rate",
        "experiment_isolation",
    ]
    _metric_table(rows(measures_of(found, end_ns, names)), "gates-and-people")
    st.subheader("Found by detectors")
    detectors = sorted(it.name for it in pkgutil.iter_modules(analyzer.governance.__path__))
    hits = overview.problems.filter(pl.col("name").is_in(detectors))
    if hits.is_empty():
        st.text(
            f"None of {plural(len(detectors), 'detector')} found anything in "
            f"{plural(found.looked_at, 'flow')} with decisions."
        )
        return
    table = hits.select(
        pl.col("name").map_elements(titled, return_dtype=pl.String).alias("detector"),
        pl.col("verdict").map_elements(worded, return_dtype=pl.String),
        "flows",
        pl.col("findings").alias("times"),
        pl.col("message").map_elements(clean, return_dtype=pl.String).alias("for example"),
    )
    st.caption("Select a row to see its flows.")
    row = picking_table(table, key="oversight_findings", alt="Governance findings by detector")
    if row is not None:
        links.open_flows(problem=hits["name"][row])


def cost_tab(found: Looked, end_ns: int) -> None:
    """What decisions cost and how long they kept flows waiting."""
    told = measures_of(found, end_ns, ["decision_cost", "decision_latency"])
    _metric_table(rows(told), "cost")
    st.caption(
        "A decision without a recorded cost, or with tokens of a model without a price, is "
        "unknown, never free."
    )


def log_tab(found: Looked, end_ns: int) -> None:
    """Whether the log is what was written, over the whole store; can its decisions be audited."""
    if wanted_of_store("logged decisions", logged(), LOGGED_MAX):
        _checked(log_check())
    names = ["audit_completeness", "provenance_coverage", "determinism", "log_integrity"]
    lacking, whole = incomplete(measures_of(found, end_ns, names))
    st.subheader("Can each decision be followed and audited?")
    _metric_table(rows(lacking), "log-metrics")
    if whole:
        st.caption(f"Holds of every decision: {', '.join(whole)}.")
    with st.expander("From the command line"):
        links.as_command("decisions", "verify", "--json")


def _checked(check: LogCheck) -> None:
    producer = check.producer
    tone, said = ("error", f"✖ {plural(check.fault_count, 'fault')} in the log")
    if not check.fault_count:
        tone, said = ("ok", f"✔ {plural(check.tree_size, 'decision')} as they were written")
    st.html(
        notes(
            [
                said,
                "A cut tail, or a log written anew as a whole, shows only against a signed head "
                "that was kept elsewhere: decisions verify --head FILE.",
            ],
            tone=tone,
        )
    )
    gaps = ", ".join(f"{first}–{last}" for first, last in producer.gaps[:20])
    numbered = f"missing: {gaps or 'none'}" if producer.numbered else "unknown: no seq recorded"
    st.html(
        facts(
            [
                ("root hash", check.root_hash.hex()),
                ("purged, proofs kept", f"{check.purged:,}"),
                ("numbers of the producer", numbered),
                ("out of order", f"{producer.out_of_order:,}"),
                (
                    "hash chain of the producer",
                    f"{producer.linked:,} links hold, {producer.unlinked:,} do not",
                ),
            ]
        )
    )
    if check.faults:
        table = pl.DataFrame(
            [
                {
                    "leaf": it.leaf_index,
                    "decision": clean(it.decision_id),
                    "what": clean(it.said),
                }
                for it in check.faults[:FAULTS_SHOWN_MAX]
            ]
        )
        plain_table(table, key="log_faults", alt="Faults in the log", height_max_px=420)
        exports(table, "log-faults")


def _metric_table(table: pl.DataFrame, name: str) -> None:
    if table.is_empty():
        st.text("Nothing of this can be measured of these decisions.")
        return
    plain_table(table, key=f"oversight_{name}", alt=f"Metrics: {name}", height_max_px=620)
    exports(table, f"governance-{name}")


def _bins(told: Sequence[Measure]) -> list[dict[str, Any]]:
    for it in told:
        bins = it.detail.get("bins")
        if it.metric == "calibration.error" and isinstance(bins, list):
            return [one for one in bins if isinstance(one, dict)]
    return []
