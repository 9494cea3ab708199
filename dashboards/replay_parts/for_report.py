"""A what-if put into an incident's post-mortem: asked of the incident's flows, and kept.

The pages write nothing else but causes that were tried. What is kept is what the command keeps, so
that `retrospan report verify` recomputes what the post-mortem says of it.
"""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboards import configured, data, links
from dashboards.access import may_write
from dashboards.replays import BATCH_MAX, replayed
from dashboards.scope import Scope
from dashboards.what_ifs import file_name
from dashboards.wording import clean, plural, shortened
from replay.scenario import parse_scenario
from retrospan.replaying import kept
from store.conclusions import Incident

OFFERED_MAX = 20
TITLE_LENGTH_MAX = 80


def for_report(flow_id: str, text: str) -> None:
    """The choice of an incident, whether its flows have this what-if, and how they get it."""
    offered = _offered(flow_id, data.holdings().incidents)
    st.subheader("For a post-mortem")
    if not offered:
        st.text("No incident is known. Find incidents by burn rate and findings:")
        links.as_command("incidents", "find")
        return
    incident = _chosen(offered)
    count = len(incident.flow_ids)
    of_them, claims = _counted(parse_scenario(text).name, incident.flow_ids)
    if of_them:
        st.text(
            f"Its post-mortem tells of this what-if: {of_them:,} of {plural(count, 'flow')} were "
            f"replayed with it, {claims:,} of these make a claim."
        )
        links.view_link("incidents", "The report", id=incident.incident_id, part="Report")
    if not may_write():
        st.caption("These pages keep nothing; the commands do:")
    elif count > BATCH_MAX:
        st.caption(f"A page replays at most {BATCH_MAX} flows at once; the commands replay all:")
    elif of_them < count:
        label = f"Replay its {plural(count, 'flow')} unchanged and with this what-if, and keep both"
        if st.button(label, key="what-if-keep"):
            _keep(incident.flow_ids, text)
            st.rerun()
    batch = ("replay", "batch", "--incident", incident.incident_id)
    with st.expander("From the command line, with the scenario saved above"):
        links.as_command(*batch)
        links.as_command(*batch, "--scenario", f"{file_name(text)}.yaml")
        links.as_command(
            "report", "write", incident.incident_id, "-o",
            f"post-mortem-{incident.incident_id}.html",
        )  # fmt: skip


def _offered(flow_id: str, incidents: Sequence[Incident]) -> list[Incident]:
    """The incident the address names, those that touch the flow, then the latest."""
    named = st.query_params.get("incident")
    ordered = sorted(
        incidents, key=lambda one: (one.incident_id != named, flow_id not in one.flow_ids)
    )
    return [one for one in ordered if one.flow_ids][:OFFERED_MAX]


def _chosen(offered: Sequence[Incident]) -> Incident:
    known = {one.incident_id: one for one in offered}
    st.session_state["what-if-incident"] = offered[0].incident_id
    chosen = st.selectbox(
        "Incident",
        list(known),
        key="what-if-incident",
        format_func=lambda id_: (
            f"{shortened(clean(known[id_].title), TITLE_LENGTH_MAX)} ({clean(id_)})"
        ),
        on_change=_write,
    )
    return known[chosen]


def _write() -> None:
    links.change_address({"incident": str(st.session_state["what-if-incident"])})


def _counted(scenario: str, flow_ids: Sequence[str]) -> tuple[int, int]:
    params = {"scenario": scenario, "flow_ids": list(flow_ids)}
    question = partial(data.asked, name="what_if_kept", params=params)
    count, claims = data.held("kept what-ifs", question).row(0)
    return int(count), int(claims)


def _keep(flow_ids: Sequence[str], text: str) -> None:
    """Programs are learnt from all flows of a kind, as the command learns them."""
    control = replayed(flow_ids, None, Scope()).results
    what_if = replayed(flow_ids, text, Scope()).results
    kept(configured.edge(), [*control, *what_if])
