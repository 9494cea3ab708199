"""Latency budgets as a document and as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from analyzer.facts import FlowFacts
from analyzer.latency.budgets import Part, Quantile, latency_budget
from analyzer.slo.model import Slo
from analyzer.statistics.intervals import Interval
from analyzer.statistics.proportions import wilson
from retrospan.documents import Document
from retrospan.listing import Column, Row, field
from retrospan.objectives import number
from retrospan.timespan import humane
from store.model import JsonValue
from store.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One limit over some flows; `unknown` flows may be of them or have not ended."""

    name: str
    limit_ns: int
    flows: int
    late: int
    unknown: int
    parts: Sequence[Part]

    @property
    def interval(self) -> Interval | None:
        """Of the share of late flows."""
        return wilson(self.late, self.flows)

    @property
    def said(self) -> str:
        """The budget in one line."""
        unknown = f", {self.unknown} unknown" if self.unknown else ""
        return (
            f"{self.name}: {self.late} of {self.flows} flows took longer than "
            f"{humane(self.limit_ns)}{unknown}"
        )


def budgets(
    session: Session, slos: Sequence[Slo], within_ns: int | None, flows: Sequence[FlowFacts]
) -> list[Budget]:
    """One for each SLO that limits how long flows take; else one for each kind of flow."""
    if within_ns is not None:
        kinds: dict[str, list[FlowFacts]] = {}
        for flow in flows:
            if flow.values["succeeded"] is True:
                kinds.setdefault(str(flow.values["name"]), []).append(flow)
        return [_budget(session, kind, within_ns, kinds[kind], 0) for kind in sorted(kinds)]
    found = []
    for slo in slos:
        if slo.limit_ns is not None and slo.valid is not None:
            said = [(flow, slo.valid.holds(flow.values)) for flow in flows]
            counted = [flow for flow, holds in said if holds and flow.ended]
            unknown = sum(holds is not False for _, holds in said) - len(counted)
            found.append(_budget(session, slo.name, slo.limit_ns, counted, unknown))
    return found


def _budget(
    session: Session, name: str, limit_ns: int, flows: Sequence[FlowFacts], unknown: int
) -> Budget:
    return Budget(
        name=name,
        limit_ns=limit_ns,
        flows=len(flows),
        late=sum(flow.at_ns - flow.start_ns > limit_ns for flow in flows),
        unknown=unknown,
        parts=latency_budget(session, [flow.flow_id for flow in flows], limit_ns),
    )


def latency_document(found: Sequence[Budget]) -> Document:
    """`retrospan.slo_latency/1`."""
    return {
        "schema": "retrospan.slo_latency/1",
        "budgets": [
            {
                "name": one.name,
                "limit_ns": one.limit_ns,
                "flows": one.flows,
                "late": one.late,
                "late_share": number(Fraction(one.late, one.flows)) if one.flows else None,
                "low": None if one.interval is None else round(one.interval.low, 6),
                "high": None if one.interval is None else round(one.interval.high, 6),
                "unknown": one.unknown,
                "parts": [_part(part) for part in one.parts],
            }
            for one in found
        ],
    }


def _part(part: Part) -> Document:
    return {
        "step": part.name,
        "service": part.service,
        "callee": part.callee,
        "flows": part.flows,
        "on_path_flows": part.on_path_flows,
        "share": number(part.share),
        "p50": _quantile(part.p50),
        "p95": _quantile(part.p95),
        "allotment_ns": part.allotment_ns,
        "slack_to_allotment_ns": part.slack_to_allotment_ns,
        "over": part.over,
        "late_extra_ns": part.late_extra_ns,
        "saving_p50_ns": part.saving_p50_ns,
        "saving_p95_ns": part.saving_p95_ns,
        "slack_p50_ns": part.slack_p50_ns,
        "slack_n": part.slack_n,
        "slowest_flow_ids": list(part.slowest_flow_ids),
    }


def _quantile(found: Quantile) -> Document:
    return {"value_ns": found.value_ns, "low_ns": found.low_ns, "high_ns": found.high_ns}


def part_rows(document: Document) -> list[Row]:
    """One row for each part of each budget."""
    entries: Any = document["budgets"]
    return [{"budget": one["name"], **part} for one in entries for part in one["parts"]]


def _time(header: str, pick: str, inner: str = "") -> Column:
    def cell(row: Row) -> object:
        value: Any = row[pick]
        if inner and isinstance(value, Mapping):
            value = value[inner]
        if value is None:
            return None
        return f"-{humane(-value)}" if value < 0 else humane(value)

    return Column(header=header, show=cell, right=True)


def _percent(row: Row) -> str:
    share: JsonValue = row["share"]
    return f"{share:.1%}" if isinstance(share, int | float) else "–"


COLUMNS = (
    field("of", "budget"),
    field("step", "step"),
    field("service", "service"),
    field("calls", "callee"),
    field("flows (n)", "flows", right=True),
    field("on path", "on_path_flows", right=True),
    Column(header="share of time", show=_percent, right=True),
    _time("may take", "allotment_ns"),
    _time("p50", "p50", "value_ns"),
    _time("p95", "p95", "value_ns"),
    _time("left at p95", "slack_to_allotment_ns"),
    field("over (n)", "over", right=True),
    _time("more in late flows", "late_extra_ns"),
    _time("saved at most if halved, p50", "saving_p50_ns"),
    _time("slack beside the path, p50", "slack_p50_ns"),
)
CELLS = (
    "budget", "step", "service", "callee", "flows", "on_path_flows", "share", "allotment_ns",
    "slack_to_allotment_ns", "over", "late_extra_ns", "saving_p50_ns", "saving_p95_ns",
    "slack_p50_ns", "slack_n", "slowest_flow_ids",
)  # fmt: skip
