"""Objectives judged over the flows of the store, as far as they are in scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from analyzer.facts import FlowFacts, ask_flow_facts, facts_of
from analyzer.slo.backtest import RuleHistory, backtest
from analyzer.slo.evaluate import SloReport, reports_of
from analyzer.slo.ledger import DIMENSIONS
from analyzer.slo.model import Slo
from analyzer.slo.timeline import Timeline, timeline
from dashboards import data
from dashboards.configured import Targets
from dashboards.data import Holdings
from dashboards.flow_questions import flow_ids
from dashboards.scope import Scope
from store.model import JsonValue

FLOWS_MAX = 600_000  # flows whose facts are read within about a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One objective: its report, and the events behind it."""

    key: str
    report: SloReport
    line: Timeline | None
    values: Mapping[str, Mapping[str, JsonValue]]

    def bad(self, dimension: str, cause: str) -> list[str]:
        """Ids of the bad flows that carry a cause; all of them where none is named."""
        ids = list(self.report.bad_flow_ids)
        if not cause:
            return ids
        names = DIMENSIONS.get(dimension, ())
        return [one for one in ids if any(self._carries(one, name, cause) for name in names)]

    def _carries(self, flow_id: str, name: str, cause: str) -> bool:
        value = self.values[flow_id].get(name)
        return cause in map(str, value if isinstance(value, list) else [value])

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
    facts = _facts(str(path), data.stamp_of(path))
    if scope.environment or scope.services:
        kept = flow_ids(replace(scope, since_ns=None, until_ns=None))
        facts = [one for one in facts if one.flow_id in kept]
    at_ns = (holdings.last_ns or 0) + 1 if scope.until_ns is None else scope.until_ns
    values = {one.flow_id: one.values for one in facts}
    found = []
    for slo in targets.slos:
        line = timeline(slo, facts) if slo.good is not None else None
        if not targets.own and not _counts(line):
            continue
        found += [_one(slo, one, line, values) for one in reports_of(slo, line, at_ns, values)]
    return found


def _counts(line: Timeline | None) -> bool:
    return line is not None and bool(line.events or line.open_flows)


def _one(
    slo: Slo,
    found: SloReport,
    line: Timeline | None,
    values: Mapping[str, Mapping[str, JsonValue]],
) -> Judged:
    several = len(slo.objectives) > 1
    key = f"{slo.name}/{found.objective.name}" if several else slo.name
    return Judged(key=key, report=found, line=line, values=values)


@st.cache_resource(max_entries=2, show_spinner="Reading the facts of flows …")
def _facts(path: str, stamp: data.Stamp) -> list[FlowFacts]:
    del stamp  # only part of the key
    return facts_of(data.held("facts of flows", ask_flow_facts, path))
