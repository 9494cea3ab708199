"""Incidents: what broke, how far are we."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboards import data, links, screens
from dashboards.components.address_tabs import address_tabs
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.data import Holdings
from dashboards.flow_questions import hurt, running
from dashboards.flow_questions import incidents as incidents_within
from dashboards.incident_parts.candidates import candidates_tab
from dashboards.incident_parts.contrasts import ask_contrast_part
from dashboards.incident_parts.effects import effects_tab
from dashboards.incident_parts.head import head
from dashboards.incident_parts.listed import Listed, ask_listed, listed_rows
from dashboards.incident_parts.report import report_tab
from dashboards.incident_parts.timeline import timeline_tab
from dashboards.objectives import ask_objectives, known_objectives
from dashboards.pages import PageFacts
from dashboards.scope import Scope
from dashboards.scoped import scoped
from dashboards.slo_parts.judged import Judged
from dashboards.wording import plural
from retrospan.timespan import rfc3339
from store.conclusions import Incident
from store.errors import NotFoundError

PAGE = PageFacts(title="Incidents", section="Operate", order=20, url_path="incidents")
LISTED_MAX = 200
CANDIDATES = "Candidates"


def render() -> None:
    """The page: a list, or one incident (`?id=ID`)."""
    start = scoped("Incidents", "What broke, how far are we?", None, ask=_ask)
    if start is None:
        return
    holdings, scope = start
    wanted = st.query_params.get("id")
    known, listed = _ask(holdings, scope)
    if wanted:
        _one(wanted, known, holdings, scope)
    elif listed is not None:
        _list(known, listed, known_objectives(Scope(), holdings))
    else:
        _none(scope)


def _ask(holdings: Holdings, scope: Scope) -> tuple[Sequence[Incident], Listed | None]:
    """The incidents in scope, and what a list shows of them; that of one is asked ahead."""
    known = incidents_within(scope)
    wanted = st.query_params.get("id")
    for one in known:
        if one.incident_id == wanted:
            running(scope, one.start_ns, one.end_ns)
            data.overview(scope, one.flow_ids)
            if st.query_params.get("part") == CANDIDATES:
                ask_contrast_part(one)
    if wanted or not known:
        return known, None
    ask_objectives(holdings)
    return known, ask_listed(known[:LISTED_MAX], scope)


def _one(incident_id: str, incidents: Sequence[Incident], holdings: Holdings, scope: Scope) -> None:
    found = {one.incident_id: one for one in incidents}
    links.view_link("incidents", "All incidents")
    if incident_id not in found:
        known = ", ".join(list(found)[:5]) or "none"
        raise NotFoundError(f"no incident {incident_id} in this selection; there are: {known}")
    incident = found[incident_id]
    overview = data.overview(scope, incident.flow_ids)
    head(incident, overview, scope)
    parts = {
        "Timeline": partial(timeline_tab, incident, overview, scope),
        CANDIDATES: partial(candidates_tab, incident, holdings.flow_count),
        "Effects left": partial(effects_tab, incident),
        "Report": partial(report_tab, incident, holdings.flow_count),
    }
    address_tabs("part", parts)


def _list(incidents: Sequence[Incident], listed: Listed, objectives: list[Judged] | None) -> None:
    shown = listed.incidents
    cut = f"; the latest {len(shown):,} are listed" if len(shown) < len(incidents) else ""
    st.caption(
        f"{plural(len(incidents), 'incident')}{cut}. Select a row to open it. Budget: of the "
        "objective that its bad flows took most of, over that objective's window up to the "
        "incident's end."
    )
    table = listed_rows(listed, objectives)
    row = picking_table(
        table, key="incident_table", alt="Incidents, latest first", height_max_px=520
    )
    if row is not None:
        links.open_view("incidents", id=shown[row].incident_id)
    exports(table, "incidents")
    with st.expander("From the command line"):
        links.as_command("incidents", "list", "--json", whole=True)


def _none(scope: Scope) -> None:
    """Nobody declared one: says whether there is reason to, and offers the window."""
    st.text("No incident is known in this selection.")
    st.text("Find incidents by burn rate and findings:")
    links.as_command("incidents", "find")
    found = hurt(scope)
    whole = plural(data.flow_count(scope), "flow")
    if found is None:
        st.text(f"None of {whole} violates a saga check or ended badly.")
        return
    reason = "violate a saga check" if found.violated else "ended badly"
    st.text(f"{found.flows:,} of {whole} {reason}. Declare their window:")
    window = ("--from", rfc3339(found.first_ns), "--to", rfc3339(found.last_ns + 1))
    links.as_command("incidents", "declare", *window, "--title", "What happened")


if __name__ == "__main__":
    screens.guarded(render)
