"""All that pages read from the store: short leases, answers kept until the file changes."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl
import streamlit as st

from analyzer.events import with_events
from dashboards.scope import Scope
from dashboards.serve import STORE_VARIABLE
from store.conclusions import Finding, Flow, Incident, ReplayResult, SagaVerdict
from store.lease import LeaseSettings, Store
from store.model import Decision, LogRecord, Span
from store.query import ask
from store.read import (
    read_decisions,
    read_findings,
    read_flow,
    read_incidents,
    read_logs,
    read_replays,
    read_sagas,
    read_spans,
)
from store.session import Session

WAIT_SECONDS_MAX = 8.0  # a page says "busy" rather than keep a person waiting longer
FLOW_PAGES_MAX = 24  # whole flows kept in memory
STORE_DEFAULT = "retrospan.duckdb"

_SQL = Path(__file__).parent / "sql"
T = TypeVar("T")
Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All flows as a frame, and the counts around them.

    `problem_rows` has one row per violated or suspected check and finding, `problems` counts them;
    `effects` are amounts left standing per flow and currency.
    """

    spans: int
    traces: int
    first_ns: int | None
    last_ns: int | None
    underived: int
    rejected: int
    rejected_reason: str
    flows: pl.DataFrame
    problems: pl.DataFrame
    problem_rows: pl.DataFrame
    services: pl.DataFrame
    effects: pl.DataFrame
    incidents: tuple[Incident, ...]

    def narrowed(self, scope: Scope) -> "Overview":
        """With the flows in scope, and the problems, effects and incidents of those."""
        if not scope.narrow:
            return self
        flows = scope.narrowed(self.flows)
        ids = flows.select("flow_id")
        within = frozenset(flows["flow_id"])
        return replace(
            self,
            flows=flows,
            problem_rows=(rows := self.problem_rows.join(ids, on="flow_id", how="semi")),
            problems=_ranked(rows),
            effects=self.effects.join(ids, on="flow_id", how="semi"),
            incidents=tuple(one for one in self.incidents if not within.isdisjoint(one.flow_ids)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPage:
    """One flow with everything recorded and concluded about it.

    Spans hold all their events, also those that came as log records, which stay among `logs`.
    """

    flow: Flow
    spans: tuple[Span, ...]
    logs: tuple[LogRecord, ...]
    decisions: tuple[Decision, ...]
    sagas: tuple[SagaVerdict, ...]
    findings: tuple[Finding, ...]
    replays: tuple[ReplayResult, ...]
    incidents: tuple[tuple[str, str], ...]


def store_path() -> Path:
    """The store these pages read; the command that serves them names it in the environment."""
    return Path(os.environ.get(STORE_VARIABLE, STORE_DEFAULT))


def overview() -> Overview:
    """What Overview and Flows show."""
    path = store_path()
    return _overview(str(path), stamp_of(path))


def flow_page(flow_id: str) -> FlowPage:
    """What the Trace page shows of one flow."""
    path = store_path()
    return _flow_page(str(path), stamp_of(path), flow_id)


def flows_of(trace_id: str, span_id: str | None) -> list[str]:
    """Ids of the flows that hold a trace or span."""
    params = {"trace_id": trace_id, "span_id": span_id}
    found = held("finding a flow", partial(asked, name="flow_of_span", params=params))
    return [str(flow_id) for flow_id in found["flow_id"]]


def stamp_of(path: Path) -> Stamp:
    """Changes whenever the store does; a file that is not there is an answer too."""
    stamp: list[int] = []
    for file in (path, path.with_name(path.name + ".wal")):
        try:
            facts = file.stat()
        except FileNotFoundError:
            stamp += [0, 0]
        else:
            stamp += [facts.st_mtime_ns, facts.st_size]
    return tuple(stamp)


def held(purpose: str, question: Callable[[Session], T], path: str | None = None) -> T:
    """Asks one thing under a lease; whatever is computed from the answer comes after it."""
    settings = LeaseSettings(wait_seconds_max=WAIT_SECONDS_MAX)
    with Store(Path(path) if path else store_path(), settings).lease(f"dashboard: {purpose}") as s:
        return question(s)


def asked(session: Session, name: str, params: Mapping[str, object] | None = None) -> pl.DataFrame:
    """The answer to a question of the pages' own (`sql/NAME.sql`)."""
    return ask(session, _SQL / f"{name}.sql", params or {})


# The records are frozen and the frames never changed in place, so the cache may share them.
@st.cache_resource(max_entries=2, show_spinner="Reading the store …")
def _overview(path: str, stamp: Stamp) -> Overview:
    del stamp  # only part of the key
    names = ("coverage", "flows", "environments", "problems", "rejects", "services", "effects")

    def question(session: Session) -> tuple[dict[str, pl.DataFrame], tuple[Incident, ...]]:
        return {name: asked(session, name) for name in names}, tuple(read_incidents(session))

    frames, incidents = held("overview", question, path)
    coverage = frames["coverage"].row(0, named=True)
    rejects = frames["rejects"]
    return Overview(
        spans=coverage["spans"],
        traces=coverage["traces"],
        first_ns=coverage["first_ns"],
        last_ns=coverage["last_ns"],
        underived=coverage["underived"],
        rejected=coverage["rejected"],
        rejected_reason=rejects["reason"][0] if rejects.height else "not kept",
        flows=_with_environments(
            _with_problems(frames["flows"], frames["problems"]), frames["environments"]
        ),
        problems=_ranked(frames["problems"]),
        problem_rows=frames["problems"],
        services=frames["services"],
        effects=frames["effects"],
        incidents=tuple(sorted(incidents, key=lambda one: (-one.start_ns, one.incident_id))),
    )


def _with_problems(flows: pl.DataFrame, problems: pl.DataFrame) -> pl.DataFrame:
    names = (
        problems.drop_nulls("flow_id")
        .group_by("flow_id")
        .agg(pl.col("name").unique().sort().alias("problems"))
    )
    return flows.join(names, on="flow_id", how="left", maintain_order="left").with_columns(
        pl.col("problems").fill_null([]),
        (pl.col("end_ns") - pl.col("start_ns")).alias("duration_ns"),
    )


def _with_environments(flows: pl.DataFrame, environments: pl.DataFrame) -> pl.DataFrame:
    return flows.join(environments, on="flow_id", how="left", maintain_order="left").with_columns(
        pl.col("environments").fill_null([])
    )


def _ranked(problems: pl.DataFrame) -> pl.DataFrame:
    """One row per check or detector and verdict, violations first, most flows first."""
    return (
        problems.group_by("name", "verdict")
        .agg(
            pl.col("flow_id").drop_nulls().n_unique().alias("flows"),
            pl.len().alias("findings"),
            pl.col("message").min(),
        )
        .sort(["verdict", "flows", "name"], descending=[True, True, False])
    )


@st.cache_resource(max_entries=FLOW_PAGES_MAX, show_spinner="Reading the flow …")
def _flow_page(path: str, stamp: Stamp, flow_id: str) -> FlowPage:
    del stamp  # only part of the key

    def question(session: Session) -> tuple[FlowPage, pl.DataFrame]:
        flow = read_flow(session, flow_id)
        incidents = asked(session, "incidents_of_flow", {"flow_id": flow_id})
        page = FlowPage(
            flow=flow,
            spans=tuple(read_spans(session, flow.trace_ids)),
            logs=tuple(read_logs(session, flow.trace_ids)),
            decisions=tuple(read_decisions(session, flow.trace_ids)),
            sagas=tuple(read_sagas(session, [flow_id])),
            findings=tuple(read_findings(session, [flow_id])),
            replays=tuple(read_replays(session, [flow_id])),
            incidents=tuple(incidents.select("incident_id", "title").iter_rows()),
        )
        return page, asked(session, "members", {"flow_id": flow_id})

    page, members = held("one flow", question, path)
    return _own(page, frozenset(members.iter_rows()))


def _own(page: FlowPage, members: frozenset[tuple[str, str]]) -> FlowPage:
    """Without what other flows left in a shared trace."""
    spans = tuple(span for span in page.spans if (span.trace_id, span.span_id) in members)
    logs = tuple(
        log for log in page.logs if not log.span_id or (log.trace_id or "", log.span_id) in members
    )
    chosen = set(page.flow.decision_ids)
    decisions = tuple(one for one in page.decisions if one.decision_id in chosen)
    spans = tuple(with_events(spans, logs))
    return replace(page, spans=spans, logs=logs, decisions=decisions)
