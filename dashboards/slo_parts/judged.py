"""Objectives judged over the flows of the store, as far as they are in scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from analyzer.facts import FlowFacts, read_flow_facts
from analyzer.slo.backtest import RuleHistory, backtest
from analyzer.slo.evaluate import SloReport, read_regions, report, with_regions
from analyzer.slo.ledger import DIMENSIONS
from analyzer.slo.model import Slo
from analyzer.slo.timeline import Timeline, timeline
from dashboards import data
from dashboards.configured import Targets
from dashboards.data import Holdings
from dashboards.flow_questions import flow_ids
from dashboards.scope import Scope

FLOWS_MAX = 20_000  # flows whose facts are read within about a second
SLICE_NS = 86_400 * 10**9  # facts of one day's flows are read under one lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One objective: its report, and the events behind it."""

    key: str
    report: SloReport
    line: Timeline | None
    facts: Mapping[str, FlowFacts]

    def bad(self, dimension: str, cause: str) -> list[str]:
        """Ids of the bad flows that carry a cause; all of them where none is named."""
        ids = list(self.report.bad_flow_ids)
        if not cause:
            return ids
        names = DIMENSIONS.get(dimension, ())
        return [one for one in ids if any(self._carries(one, name, cause) for name in names)]

    def _carries(self, flow_id: str, name: str, cause: str) -> bool:
        value = self.facts[flow_id].values.get(name)
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
    bounds = (holdings.first_ns or 0, holdings.last_ns or 0)
    facts = _facts(str(path), data.stamp_of(path), bounds)
    if scope.environment or scope.services:
        kept = flow_ids(replace(scope, since_ns=None, until_ns=None))
        facts = [one for one in facts if one.flow_id in kept]
    at_ns = bounds[1] + 1 if scope.until_ns is None else scope.until_ns
    by_id = {one.flow_id: one for one in facts}
    found = []
    for slo in targets.slos:
        line = timeline(slo, facts) if slo.good is not None else None
        if not targets.own and not _counts(line):
            continue
        found += [_one(slo, one, line, by_id) for one in report([slo], facts, at_ns)]
    return found


def _counts(line: Timeline | None) -> bool:
    return line is not None and bool(line.events or line.open_flows)


def _one(
    slo: Slo, found: SloReport, line: Timeline | None, facts: Mapping[str, FlowFacts]
) -> Judged:
    several = len(slo.objectives) > 1
    key = f"{slo.name}/{found.objective.name}" if several else slo.name
    return Judged(key=key, report=found, line=line, facts=facts)


@st.cache_resource(max_entries=2, show_spinner="Reading the facts of flows …")
def _facts(path: str, stamp: data.Stamp, bounds: tuple[int, int]) -> list[FlowFacts]:
    del stamp  # only part of the key
    regions = data.held("regions of flows", read_regions, path)
    inner = list(range(bounds[0] + SLICE_NS, bounds[1], SLICE_NS))
    found: list[FlowFacts] = []
    for since_ns, until_ns in zip([None, *inner], [*inner, None], strict=True):
        asked = partial(read_flow_facts, since_ns=since_ns, until_ns=until_ns)
        found += with_regions(data.held("facts of flows", asked, path), regions)
    return found
