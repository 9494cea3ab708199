"""What sets an incident's affected flows apart from the others of its window."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from analyzer.contrast import Contrast, Difference, contrast, read_facts, read_heads
from analyzer.contrast.groups import split, thinned
from dashboards import data, links
from dashboards.components.exports import exports
from dashboards.components.plain_table import plain_table
from dashboards.estimates import percent
from dashboards.wording import clean, plural
from store.conclusions import Incident

COMPARED_MAX = 3_000  # flows of one group; the command compares more
ROWS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two groups of flows of one window, and what differs."""

    found: Contrast
    thinned: bool


def contrast_part(incident: Incident) -> None:
    """A table of facts, those that stood before the flow began first."""
    path = data.store_path()
    compared = _compared(str(path), data.stamp_of(path), incident)
    found = compared.found
    if not found.n_selected or not found.n_baseline:
        st.text(
            f"{plural(found.n_selected, 'affected flow')} and {plural(found.n_baseline, 'other')} "
            "ran in this window: nothing to compare."
        )
        return
    more = [one for one in found.differences if one.more]
    st.text(
        f"{plural(found.n_selected, 'affected flow')} against {found.n_baseline:,} others of the "
        f"window{' (a sample)' if compared.thinned else ''}: {plural(found.tested, 'fact')} "
        f"tested at a false discovery rate of 5 %, {len(more):,} more frequent among the affected. "
        "An association, not a cause; what was not given before the flow may be its consequence."
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


@st.cache_resource(max_entries=4, show_spinner="Comparing flows …")
def _compared(path: str, stamp: data.Stamp, incident: Incident) -> Compared:
    del stamp  # only part of the key
    affected = frozenset(incident.flow_ids)
    heads = data.held("flows to compare", read_heads, path)
    inside = [
        head
        for head in heads
        if head.flow_id in affected
        or (
            head.start_ns <= incident.end_ns and (head.end_ns or head.start_ns) >= incident.start_ns
        )
    ]
    whole = split(
        inside,
        "affected flows against the window's others",
        lambda head: head.flow_id in affected,
        lambda head: True,
    )
    groups = thinned(whole, COMPARED_MAX)
    facts = data.held(
        "facts to compare", lambda session: read_facts(session, groups.flow_ids), path
    )
    return Compared(
        found=contrast(facts, len(groups.selected)),
        thinned=len(groups.flow_ids) < len(whole.flow_ids),
    )
