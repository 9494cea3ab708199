"""Each SLO over the flows of a store, seen at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from analyzer.facts import FlowFacts, read_flow_facts, table_of
from analyzer.slo.budget import (
    AlertState,
    Sli,
    alert_state,
    budget_remaining,
    burn_rate,
    coverage,
    minutes_to_exhaustion,
    sli,
)
from analyzer.slo.ledger import Causes, Spending, ledger
from analyzer.slo.model import Objective, Slo
from analyzer.slo.timeline import Timeline, timeline
from store.session import Session

BIASED = "sampled in an unknown way: not for a budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class SloReport:
    """One objective of one SLO at one moment.

    `reason` says why there is no number: another tool's metric source, no data, or sampling that is
    unknown. Budgets and burns are None with it. `open_flows` have not ended and count later.
    """

    slo: Slo
    objective: Objective
    since_ns: int
    at_ns: int
    sli: Sli | None
    coverage: Fraction | None
    budget_remaining: Fraction | None
    minutes_to_exhaustion: Fraction | None
    alerts: Sequence[AlertState]
    spending: Sequence[Spending]
    bad_flow_ids: Sequence[str]
    open_flows: int
    reason: str = ""


Regions = Mapping[str, Sequence[str]]
"""By flow id, the cloud regions its spans name."""


def read_facts(session: Session) -> list[FlowFacts]:
    """The facts of all flows, with the regions their spans name."""
    return read_flow_facts(session)


def read_regions(session: Session) -> Regions:
    """The regions of all flows that name one."""
    known = ((flow.flow_id, flow.values.get("regions")) for flow in read_flow_facts(session))
    return {flow_id: list(map(str, names)) for flow_id, names in known if isinstance(names, list)}


def report(slos: Sequence[Slo], flows: Sequence[FlowFacts], at_ns: int) -> list[SloReport]:
    """Every objective of every SLO, as seen at `at_ns` (events at that moment are not in)."""
    table = table_of(flows)
    reports = []
    for slo in slos:
        line = timeline(slo, table) if slo.good is not None else None
        reports += reports_of(slo, line, at_ns, table.kinds)
    return reports


def reports_of(
    slo: Slo,
    line: Timeline | None,
    at_ns: int,
    kinds: Causes | None = None,
) -> list[SloReport]:
    """Every objective of one SLO over its timeline. Without the facts of kinds no spending."""
    return [_report(slo, objective, line, kinds, at_ns) for objective in slo.objectives]


def _report(
    slo: Slo,
    objective: Objective,
    line: Timeline | None,
    kinds: Causes | None,
    at_ns: int,
) -> SloReport:
    since_ns = slo.window.start_ns(at_ns)
    if line is None:
        return _silent(slo, objective, since_ns, at_ns, f"metric source {slo.source} is not read")
    found = sli(line, slo.method, objective, since_ns, at_ns)
    rows = line.between(since_ns, at_ns)
    biased = line.unweighted > 0
    remaining = None if biased else budget_remaining(found.value, objective)
    period_ns = slo.window.span.fixed_ns
    alerts = [alert_state(line, slo.method, objective, rule, at_ns) for rule in slo.rules]
    burn = alerts[0].long_burn if alerts else burn_rate(found.value, objective)
    no_data = "" if found.value is not None else "no flow that counts ended in the window"
    return SloReport(
        slo=slo,
        objective=objective,
        since_ns=since_ns,
        at_ns=at_ns,
        sli=found,
        coverage=coverage(line, period_ns, since_ns, at_ns),
        budget_remaining=remaining,
        minutes_to_exhaustion=minutes_to_exhaustion(remaining, burn, period_ns),
        alerts=() if biased else alerts,
        spending=() if biased or kinds is None else ledger(line, rows, kinds, objective),
        bad_flow_ids=rows.filter(~pl.col("good"))["flow_id"].to_list(),
        open_flows=line.open_flows,
        reason=BIASED if biased else no_data,
    )


def _silent(slo: Slo, objective: Objective, since_ns: int, at_ns: int, reason: str) -> SloReport:
    return SloReport(
        slo=slo,
        objective=objective,
        since_ns=since_ns,
        at_ns=at_ns,
        sli=None,
        coverage=None,
        budget_remaining=None,
        minutes_to_exhaustion=None,
        alerts=(),
        spending=(),
        bad_flow_ids=(),
        open_flows=0,
        reason=reason,
    )
