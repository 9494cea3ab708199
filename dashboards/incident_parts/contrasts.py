"""What sets an incident's affected flows apart from the others of its window."""

from functools import partial

import polars as pl
import streamlit as st

from analyzer.contrast import Difference
from dashboards import data, links
from dashboards.components.exports import exports
from dashboards.components.plain_table import plain_table
from dashboards.contrasts import ask_contrast, contrasted
from dashboards.estimates import percent
from dashboards.wording import clean, plural
from store.conclusions import Incident

ROWS_MAX = 60


def contrast_part(incident: Incident) -> None:
    """A table of facts, those that stood before the flow began first."""
    affected, others = _groups_of(incident)
    if not affected or not others:
        st.text(
            f"{plural(len(affected), 'affected flow')} and {plural(len(others), 'other')} ran in "
            "this window: nothing to compare."
        )
        return
    st.text(f"A: {plural(len(affected), 'affected flow')}. B: {len(others):,} others of the window")
    found, _ = contrasted(affected, others)
    more = [one for one in found.differences if one.more]
    st.text(
        f"{plural(found.tested, 'fact')} tested at a false discovery rate of 5 %, {len(more):,} "
        "more frequent among the affected. An association, not a cause; what was not given before "
        "the flow may be its consequence."
    )
    if not more:
        return
    ordered = [one for one in more if one.given] + [one for one in more if not one.given]
    table = pl.DataFrame([_row(one) for one in ordered[:ROWS_MAX]])
    plain_table(
        table, key="incident_contrast", alt="What sets affected flows apart", height_max_px=420
    )
    exports(table, "what-sets-apart")
    st.caption("The command compares the incident's flows with those before it:")
    links.as_command("flows", "contrast", "--incident", incident.incident_id)


def ask_contrast_part(incident: Incident) -> None:
    """Asks what is compared, under the lease of the page's beginning."""
    ask_contrast(*_groups_of(incident))


def _groups_of(incident: Incident) -> tuple[list[str], list[str]]:
    path = data.store_path()
    window = (incident.start_ns, incident.end_ns)
    return _groups(str(path), data.stamp_of(path), tuple(incident.flow_ids), *window)


def _row(one: Difference) -> dict[str, object]:
    said = " and ".join(
        " ".join(filter(None, (term.attribute.service, term.attribute.name, "=", term.value)))
        for term in one.terms
    )
    return {
        "given before the flow": "yes" if one.given else "no",
        "what": clean(said.replace("= > ", "> ")),
        "among affected": f"{percent(one.share_selected)} ({one.selected:,} of {one.n_selected:,})",
        "among others": f"{percent(one.share_baseline)} ({one.baseline:,} of {one.n_baseline:,})",
        "times as frequent": "only there" if one.lift is None else f"{one.lift:.1f} ×",
        "q": f"{one.q_value:.1e}",
    }


@st.cache_resource(max_entries=4, show_spinner="Finding flows …")
def _groups(
    path: str, stamp: data.Stamp, flow_ids: tuple[str, ...], start_ns: int, end_ns: int
) -> tuple[list[str], list[str]]:
    """Ids of the affected flows, and of the others that ran in the window."""
    del stamp  # only part of the key
    params = {"flow_ids": list(flow_ids), "start_ns": start_ns, "end_ns": end_ns}
    question = partial(data.asked, name="running_flows", params=params)
    found = data.held("flows to compare", question, path)["flow_id"]
    affected = found.is_in(list(flow_ids))
    return found.filter(affected).to_list(), found.filter(~affected).to_list()
