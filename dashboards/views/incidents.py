"""Incidents: what broke, how far are we."""

from functools import partial

import polars as pl
import streamlit as st

from dashboards import links, screens
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.data import Overview
from dashboards.incident_parts.candidates import candidates_tab
from dashboards.incident_parts.effects import effects_tab
from dashboards.incident_parts.head import head, sums, touched_by
from dashboards.incident_parts.report import report_tab
from dashboards.incident_parts.timeline import timeline_tab
from dashboards.pages import PageFacts
from dashboards.scoped import begun
from dashboards.summary import ENDED
from dashboards.wording import clean, duration_text, plural, time_text
from retrospan.timespan import rfc3339
from store.conclusions import Incident
from store.errors import NotFoundError

PAGE = PageFacts(title="Incidents", section="Operate", order=20, url_path="incidents")


def render() -> None:
    """The page: a list, or one incident (`?id=ID`)."""
    start = begun("Incidents", "What broke, how far are we?")
    if start is None:
        return
    overview, _ = start
    wanted = st.query_params.get("id")
    if wanted:
        _one(wanted, overview)
    elif overview.incidents:
        _list(overview)
    else:
        _none(overview)


def _one(incident_id: str, overview: Overview) -> None:
    found = {one.incident_id: one for one in overview.incidents}
    links.view_link("incidents", "All incidents")
    if incident_id not in found:
        known = ", ".join(list(found)[:5]) or "none"
        raise NotFoundError(f"no incident {incident_id} in this selection; there are: {known}")
    incident = found[incident_id]
    head(incident, overview)
    parts = {
        "Timeline": partial(timeline_tab, incident, overview),
        "Candidates": partial(candidates_tab, incident),
        "Effects left": partial(effects_tab, incident),
        "Report": partial(report_tab, incident, overview.flows.height),
    }
    tabs = st.tabs(list(parts), key="part", on_change="rerun", bind="query-params")
    for tab, show in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _list(overview: Overview) -> None:
    st.caption(f"{plural(len(overview.incidents), 'incident')}. Select a row to open it.")
    table = pl.DataFrame([_row(one, overview) for one in overview.incidents])
    row = picking_table(
        table, key="incident_table", alt="Incidents, latest first", height_max_px=520
    )
    if row is not None:
        links.open_view("incidents", id=overview.incidents[row].incident_id)
    exports(table, "incidents")
    with st.expander("From the command line"):
        links.as_command("incidents", "list", "--json")


def _row(incident: Incident, overview: Overview) -> dict[str, object]:
    touched = touched_by(incident, overview.flows)
    violated = touched.filter(pl.col("verdict") == "violation").height
    effects = overview.effects.join(touched, on="flow_id", how="semi")
    standing = int(touched["effects"].sum())
    return {
        "began": time_text(incident.start_ns, digits=0),
        "incident": clean(incident.title),
        "lasted": duration_text(incident.end_ns - incident.start_ns),
        "detected after": _after(incident, incident.detected_ns),
        "mitigated after": _after(incident, incident.mitigated_ns),
        "recovered after": _after(incident, incident.recovered_ns),
        "affected flows": touched.height,
        "✖ violated": violated,
        "effects left": f"{standing:,} ({sums(effects)})" if standing else "0",
        "services": ", ".join(map(clean, incident.services)),
        "told by": clean(incident.declared_by),
        "id": incident.incident_id,
    }


def _after(incident: Incident, at_ns: int | None) -> str:
    return "not seen" if at_ns is None else duration_text(at_ns - incident.start_ns)


def _none(overview: Overview) -> None:
    """Nobody declared one: says whether there is reason to, and offers the window."""
    st.text("No incident is known in this selection.")
    flows = overview.flows
    hurt = flows.filter(pl.col("verdict") == "violation")
    reason = "violate a saga check"
    if hurt.is_empty():
        bad = [outcome for outcome in ENDED if outcome not in ("succeeded", "compensated")]
        hurt, reason = flows.filter(pl.col("outcome").is_in(bad)), "ended badly"
    st.text("Find incidents by burn rate and findings:")
    links.as_command("incidents", "find")
    if hurt.is_empty():
        st.text(f"None of {plural(flows.height, 'flow')} violates a saga check or ended badly.")
        return
    first, last = (int(str(value)) for value in (hurt["start_ns"].min(), hurt["start_ns"].max()))
    st.text(f"{hurt.height:,} of {plural(flows.height, 'flow')} {reason}. Declare their window:")
    window = ("--from", rfc3339(first), "--to", rfc3339(last + 1))
    links.as_command("incidents", "declare", *window, "--title", "What happened")


if __name__ == "__main__":
    screens.guarded(render)
