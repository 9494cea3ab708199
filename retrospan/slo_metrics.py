"""The current SLIs of a store as metrics, for `serve` to offer.

The counters are kept in a file beside the store, so that they go on where they were after a
restart. Everything is computed when flows were derived, nothing when somebody asks.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import polars as pl

from analyzer.facts import FlowTable, ask_flow_facts, asked_table, table_of
from analyzer.facts.flow_table import ORDER
from analyzer.slo.counters import Counter, Key, advanced
from analyzer.slo.evaluate import SloReport, reports_of
from analyzer.slo.export.prometheus import COUNTER
from analyzer.slo.export.text import Family, Sample, exposition
from analyzer.slo.model import Slo
from analyzer.slo.timeline import Timeline, timeline
from store import read
from store.errors import DataError
from store.lease import Store
from store.read_derived import read_derivation, read_flow_ids

SCHEMA = "retrospan.slo_counters/1"
BYTES_MAX = 10_000_000
NS_PER_S = 1_000_000_000
MEANINGS = {
    "retrospan_slo_objective_ratio": "Share of events that must be good.",
    "retrospan_slo_sli_ratio": "Share of events that were good in the period; absent without data.",
    "retrospan_slo_coverage_ratio": "Share of the period that has any event.",
    "retrospan_slo_error_budget_remaining_ratio": "Part of the error budget left; below 0 when "
    "overspent, absent where it cannot be told.",
}


class SloMetrics:
    """Metrics of the SLOs; `update` computes them anew, `text` and `families` tell the last.

    The facts of flows are kept as columns, so that an update reads only the flows that were derived
    since the last one.
    """

    def __init__(self, store: Store, slos: Sequence[Slo], kept: Path) -> None:
        self._store, self._kept = store, kept
        self._slos = [slo for slo in slos if slo.good is not None]
        self._counters = _load(kept)
        self._derivation: int | None = None
        self._flows = table_of(())
        self._lines: list[Timeline] = []
        """In the order of the SLOs; empty when a flow changed since."""
        self.families: Sequence[Family] = ()

    def update(self) -> None:
        """Look at the store once."""
        end_ns = self._look()
        self._lines = self._lines or [timeline(slo, self._flows) for slo in self._slos]
        lines = list(zip(self._slos, self._lines, strict=True))
        counts = {key: count for slo, line in lines for key, count in _counts(slo, line).items()}
        found = advanced(self._counters, counts)
        if found != self._counters:
            _save(self._kept, found)
        self._counters = found
        at_ns = (end_ns or 0) + 1
        reports = [one for slo, line in lines for one in reports_of(slo, line, at_ns)]
        self.families = [
            _flows(found, counts.keys()),
            _open(lines),
            *_gauges(reports),
            _burns(reports),
            _alerts(reports),
            _end(end_ns),
        ]

    def _look(self) -> int | None:
        """Take up what was derived since the last look; says where the data ends."""
        with self._store.reading("counting flows for SLOs") as session:
            known = read.counts(session)
            derivation = read_derivation(session)  # first: what is written meanwhile is read twice
            asked = ask_flow_facts(session, after=self._derivation)
            before = self._flows.rows.join(asked.flows, on="flow_id", how="anti")
            gone = before.height + asked.flows.height > known.flows
            ids = read_flow_ids(session) if gone else []
        if gone:
            before = before.filter(pl.col("flow_id").is_in(ids))
        if asked.flows.height or gone:
            fresh = asked_table(asked)
            kinds = {**self._flows.kinds, **fresh.kinds}
            self._flows = FlowTable(rows=pl.concat([before, fresh.rows]).sort(ORDER), kinds=kinds)
            self._lines = []
        self._derivation = derivation
        return known.data_end_ns

    def text(self) -> str:
        """In Prometheus' text format."""
        return exposition(self.families)


def _counts(slo: Slo, line: Timeline) -> dict[Key, Fraction]:
    """Flows by result; all are unknown where some were sampled in an unknown way."""
    good, valid = (Fraction(sums[-1], line.unit) for sums in (line.good, line.valid))
    unknown = Fraction(len(line.times) - line.known[-1])
    if line.unweighted:
        good, valid, unknown = Fraction(0), Fraction(0), Fraction(len(line.times))
    results = {"good": good, "bad": valid - good, "unknown": unknown}
    return {(slo.name, slo.service, result): count for result, count in results.items()}


def _flows(counters: Mapping[Key, Counter], shown: Collection[Key]) -> Family:
    return Family(
        name=COUNTER,
        kind="counter",
        meaning="Flows that an SLO counts, by what they were found to be when they were derived.",
        samples=[
            Sample(labels={"slo": slo, "service": service, "result": result}, value=it.total)
            for (slo, service, result), it in counters.items()
            if (slo, service, result) in shown
        ],
    )


def _open(lines: Sequence[tuple[Slo, Timeline]]) -> Family:
    return Family(
        name="retrospan_slo_open_flows",
        kind="gauge",
        meaning="Flows of an SLO that have not ended.",
        samples=[
            Sample(
                labels={"slo": slo.name, "service": slo.service}, value=Fraction(line.open_flows)
            )
            for slo, line in lines
        ],
    )


def _identity(found: SloReport) -> dict[str, str]:
    return {
        "slo": found.slo.name,
        "service": found.slo.service,
        "objective": found.objective.name,
    }


def _gauges(reports: Sequence[SloReport]) -> list[Family]:
    values: dict[str, list[Fraction | None]] = {
        "retrospan_slo_objective_ratio": [it.objective.target for it in reports],
        "retrospan_slo_sli_ratio": [None if it.sli is None else it.sli.value for it in reports],
        "retrospan_slo_coverage_ratio": [it.coverage for it in reports],
        "retrospan_slo_error_budget_remaining_ratio": [it.budget_remaining for it in reports],
    }
    return [
        Family(
            name=name,
            kind="gauge",
            meaning=MEANINGS[name],
            samples=[
                Sample(labels=_identity(found), value=value)
                for found, value in zip(reports, row, strict=True)
                if value is not None
            ],
        )
        for name, row in values.items()
    ]


def _burns(reports: Sequence[SloReport]) -> Family:
    from retrospan.objectives import burns_by_window

    return Family(
        name="retrospan_slo_burn_rate",
        kind="gauge",
        meaning="How fast the budget is spent; 1 spends it exactly in the period.",
        samples=[
            Sample(labels={**_identity(found), "window": window}, value=rate)
            for found in reports
            for window, rate in burns_by_window(found.alerts)
            if rate is not None
        ],
    )


def _alerts(reports: Sequence[SloReport]) -> Family:
    """One sample for each severity: critical when any of its rules is."""
    samples = []
    for found in reports:
        for severity in dict.fromkeys(state.rule.severity for state in found.alerts):
            critical = any(
                state.state == "critical"
                for state in found.alerts
                if state.rule.severity == severity
            )
            labels = {**_identity(found), "severity": severity}
            samples.append(Sample(labels=labels, value=Fraction(int(critical))))
    return Family(
        name="retrospan_slo_alert_critical",
        kind="gauge",
        meaning="1 while both windows of an alert burn too fast.",
        samples=samples,
    )


def _end(end_ns: int | None) -> Family:
    return Family(
        name="retrospan_store_data_end_timestamp_seconds",
        kind="gauge",
        meaning="Latest time in the recorded data, as of which all other values are.",
        samples=[]
        if end_ns is None
        else [Sample(labels={}, value=Fraction(end_ns // 1_000_000, 1_000))],
    )


def _load(path: Path) -> dict[Key, Counter]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    try:
        document = json.loads(data) if len(data) <= BYTES_MAX else {}
        if document["schema"] != SCHEMA:
            raise ValueError
        return {
            (str(it["slo"]), str(it["service"]), str(it["result"])): Counter(
                total=Fraction(it["total"]), seen=Fraction(it["seen"])
            )
            for it in document["counters"]
        }
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        raise DataError(
            f"{path} is no {SCHEMA}; remove it to begin counting anew (counters then fall once)"
        ) from None


def _save(path: Path, counters: Mapping[Key, Counter]) -> None:
    document = {
        "schema": SCHEMA,
        "counters": [
            {
                "slo": slo,
                "service": service,
                "result": result,
                "total": str(it.total),
                "seen": str(it.seen),
            }
            for (slo, service, result), it in counters.items()
        ],
    }
    aside = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(document, stream, indent=1)
            stream.flush()
            os.fsync(descriptor)
        aside.replace(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
