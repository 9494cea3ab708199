"""One flow with all that the store holds about it; kept until the file changes."""

from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from analyzer.events import with_events
from dashboards import data
from store.conclusions import Finding, Flow, ReplayResult, SagaVerdict
from store.model import Decision, LogRecord, Span
from store.read import (
    read_decisions,
    read_findings,
    read_flow,
    read_logs,
    read_replays,
    read_sagas,
    read_spans,
)
from store.session import Session

FLOW_PAGES_MAX = 24  # whole flows kept in memory


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


def flow_page(flow_id: str) -> FlowPage:
    """What the Trace page shows of one flow."""
    path = data.store_path()
    return _flow_page(str(path), data.stamp_of(path), flow_id)


def replays_of(flow_id: str) -> list[ReplayResult]:
    """The stored replays of one flow."""
    path = data.store_path()
    return _replays_of(str(path), data.stamp_of(path), flow_id)


def flows_of(trace_id: str, span_id: str | None) -> list[str]:
    """Ids of the flows that hold a trace or span."""
    params = {"trace_id": trace_id, "span_id": span_id}
    found = data.held("finding a flow", partial(data.asked, name="flow_of_span", params=params))
    return [str(flow_id) for flow_id in found["flow_id"]]


@st.cache_resource(max_entries=FLOW_PAGES_MAX, show_spinner="Reading the flow …")
def _flow_page(path: str, stamp: data.Stamp, flow_id: str) -> FlowPage:
    del stamp  # only part of the key

    def question(session: Session) -> tuple[FlowPage, frozenset[tuple[str, str]]]:
        flow = read_flow(session, flow_id)
        incidents = data.asked(session, "incidents_of_flow", {"flow_id": flow_id})
        page = FlowPage(
            flow=flow,
            spans=tuple(read_spans(session, flow.trace_ids)),
            logs=tuple(read_logs(session, flow.trace_ids)),
            decisions=tuple(read_decisions(session, decision_ids=flow.decision_ids)),
            sagas=tuple(read_sagas(session, [flow_id])),
            findings=tuple(read_findings(session, [flow_id])),
            replays=tuple(read_replays(session, [flow_id])),
            incidents=tuple(incidents.select("incident_id", "title").iter_rows()),
        )
        return page, _members(session, page)

    page, members = data.held("one flow", question, path)
    return _own(page, members)


@st.cache_resource(max_entries=FLOW_PAGES_MAX)
def _replays_of(path: str, stamp: data.Stamp, flow_id: str) -> list[ReplayResult]:
    del stamp  # only part of the key
    return data.held("stored replays", lambda session: read_replays(session, [flow_id]), path)


def _members(session: Session, page: FlowPage) -> frozenset[tuple[str, str]]:
    """The spans of the flow; where its traces hold no more than it has, all of them."""
    if len(page.spans) == page.flow.span_count:
        return frozenset((span.trace_id, span.span_id) for span in page.spans)
    found = data.asked(session, "members", {"flow_id": page.flow.flow_id})
    return frozenset(found.iter_rows())


def _own(page: FlowPage, members: frozenset[tuple[str, str]]) -> FlowPage:
    """Without what other flows left in a shared trace."""
    spans = tuple(span for span in page.spans if (span.trace_id, span.span_id) in members)
    logs = tuple(
        log for log in page.logs if not log.span_id or (log.trace_id or "", log.span_id) in members
    )
    spans = tuple(with_events(spans, logs))
    return replace(page, spans=spans, logs=logs)
