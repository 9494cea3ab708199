"""Objectives judged over the flows of the store, as far as they are in scope."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st

from analyzer.facts import FlowTable, ask_flow_facts, asked_table
from analyzer.slo.backtest import RuleHistory, backtest
from analyzer.slo.evaluate import SloReport, reports_of
from analyzer.slo.ledger import Causes, causes_of
from analyzer.slo.timeline import Timeline, timeline
from dashboards import data
from dashboards.configured import Targets
from dashboards.data import Holdings
from dashboards.flow_questions import flow_ids
from dashboards.scope import Scope

FLOWS_MAX = 600_000  # flows whose facts are read within about a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One objective: its report, and the events behind it with what may have caused their ends."""

    key: str
    report: SloReport
    line: Timeline | None
    kinds: Causes

    def bad(self, dimension: str, cause: str) -> list[str]:
        """Ids of the bad flows that carry a cause; all of them where none is named."""
        if not cause or self.line is None:
            return list(self.report.bad_flow_ids)
        carriers = [
            kind for kind, facts in self.kinds.items() if (dimension, cause) in causes_of(facts)
        ]
        rows = self.line.between(self.report.since_ns, self.report.at_ns)
        found = rows.filter(~pl.col("good") & pl.col("kind").is_in(carriers))
        return found["flow_id"].to_list()

    def histories(self) -> Sequence[RuleHistory]:
        """When each alert would have fired over all flows in scope."""
        if self.line is None:
            return ()
        return backtest(self.report.slo, self.report.objective, self.line)


def judged(targets: Targets, scope: Scope, holdings: Holdings) -> list[Judged]:
    """Every objective seen at the end of the time range, else at the end of the data.

    Environment and service choose flows; the beginning of the range does not: a budget is for its
    own window. Shipped objectives that count no flow of this store are left out.
    """
    path = data.store_path()
    at_ns = (holdings.last_ns or 0) + 1 if scope.until_ns is None else scope.until_ns
    chosen = scope.environment, tuple(scope.services)
    return _judged(str(path), data.stamp_of(path), targets.stamp, chosen, at_ns, targets)


def ask_facts() -> None:
    """Reads what `judged` works on."""
    path = data.store_path()
    _facts(str(path), data.stamp_of(path))


@st.cache_resource(max_entries=4, show_spinner="Judging flows …")
def _judged(
    path: str,
    stamp: data.Stamp,
    declared: tuple[object, ...],
    chosen: tuple[str, tuple[str, ...]],
    at_ns: int,
    _targets: Targets,
) -> list[Judged]:
    del declared  # only part of the key
    flows = _facts(path, stamp)
    environment, services = chosen
    if environment or services:
        kept = flow_ids(Scope(environment=environment, services=services))
        rows = flows.rows.filter(pl.col("flow_id").is_in(kept))
        flows = FlowTable(rows=rows, kinds=flows.kinds)
    found = []
    for slo in _targets.slos:
        line = timeline(slo, flows) if slo.good is not None else None
        if not _targets.own and not _counts(line):
            continue
        for one in reports_of(slo, line, at_ns, flows.kinds):
            several = len(slo.objectives) > 1
            key = f"{slo.name}/{one.objective.name}" if several else slo.name
            found.append(Judged(key=key, report=one, line=line, kinds=flows.kinds))
    return found


def _counts(line: Timeline | None) -> bool:
    return line is not None and bool(line.times or line.open_flows)


@st.cache_resource(max_entries=2, show_spinner="Reading the facts of flows …")
def _facts(path: str, stamp: data.Stamp) -> FlowTable:
    del stamp  # only part of the key
    return asked_table(data.held("facts of flows", ask_flow_facts, path))
