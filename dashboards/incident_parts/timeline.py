"""What happened when: outcomes over time, and the moments that mattered."""

import polars as pl
import streamlit as st

from dashboards import data, links
from dashboards.components.outcome_chart import outcome_chart
from dashboards.components.picking_table import picking_table
from dashboards.data import Overview
from dashboards.flow_questions import first_seen, outcomes
from dashboards.incident_parts.events import events
from dashboards.releases import releases_of
from dashboards.scope import Scope
from dashboards.wording import clean, duration_text, time_text
from store.conclusions import Incident

ICONS = {"incident": "◆ incident", "change": "▲ change", "symptom": "✖ symptom"}


def timeline_tab(incident: Incident, overview: Overview, scope: Scope) -> None:
    """Flows from half a window before to half a window after, then the moments in order."""
    margin = (incident.end_ns - incident.start_ns) // 2
    around = scope.within(incident.start_ns - margin, incident.end_ns + margin + 1)
    with data.one_lease():
        versions = first_seen(scope)
        ended = outcomes(around)
    outcome_chart(ended, [incident], releases=releases_of(versions))
    found = events(incident, versions, overview.flows, overview.problem_rows)
    table = pl.DataFrame(
        {
            "time": [time_text(one.at_ns) for one in found],
            "after the start": [_after(one.at_ns - incident.start_ns) for one in found],
            "what": [ICONS[one.kind] for one in found],
            "happened": [clean(one.text) for one in found],
        }
    )
    st.caption("Select a row with a flow to open it. A symptom's time is the start of its flow.")
    row = picking_table(
        table, key="incident_events", alt="What happened, in order", height_max_px=520
    )
    flow_id = found[row].flow_id if row is not None else None
    if flow_id is not None:
        links.open_trace(flow_id)


def _after(length_ns: int) -> str:
    if length_ns == 0:
        return "at the start"
    return f"+{duration_text(length_ns)}" if length_ns >= 0 else duration_text(length_ns)
