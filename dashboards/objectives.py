"""The objectives in a word each, for the Overview: those with the least budget left."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.picking_table import picking_table
from dashboards.configured import targets
from dashboards.data import Holdings
from dashboards.releases import Release
from dashboards.scope import Scope
from dashboards.slo_parts.charts import burn_chart
from dashboards.slo_parts.judged import FLOWS_MAX, Judged, ask_facts, judged
from dashboards.slo_parts.tables import budget, burn, counted, worst_state
from dashboards.wording import clean, plural
from store.conclusions import Incident

SHOWN_MAX = 5


def ask_objectives(holdings: Holdings) -> None:
    """Reads what `known_objectives` computes from, for who holds the store just now."""
    if holdings.flow_count <= FLOWS_MAX:
        ask_facts()


def known_objectives(scope: Scope, holdings: Holdings) -> list[Judged] | None:
    """The objectives, least budget left first; None where they are too much for this page."""
    if holdings.flow_count > FLOWS_MAX:
        return None
    return worst_first(judged(targets(), scope, holdings))


def worst_objectives(
    found: Sequence[Judged] | None,
    flows: int,
    known: Sequence[Incident],
    releases: Sequence[Release],
) -> None:
    """A short table whose rows open the objective; how fast the worst of them burns."""
    if found is None:
        st.text(f"Not computed here for {plural(flows, 'flow')}.")
        links.view_link("slos", "All objectives")
        return
    if not found:
        st.text("No objective counts these flows.")
        links.view_link("slos", "How to write one")
        return
    shown = found[:SHOWN_MAX]
    table = pl.DataFrame(
        [
            {
                "objective": clean(one.report.slo.title or one.report.slo.name),
                "budget left": budget(one),
                "burn": burn(one.report.alerts),
                "alerts": worst_state(one.report.alerts),
                "of": counted(one),
            }
            for one in shown
        ]
    )
    row = picking_table(table, key="overview_objectives", alt="Objectives, least budget left first")
    if row is not None:
        links.open_view("slos", slo=shown[row].key)
    if len(found) > len(shown):
        links.view_link("slos", f"All {len(found):,} objectives")
    worst = shown[0].report.slo
    if worst.rules and shown[0].line is not None:
        st.subheader("How fast the worst burns")
        st.text(clean(worst.title or worst.name))
        burn_chart(shown[0], worst.rules[0], known, releases)


def worst_first(found: Sequence[Judged]) -> list[Judged]:
    """Least budget left first; those without a number last, in the order of their files."""

    def rank(one: Judged) -> tuple[bool, float]:
        left = one.report.budget_remaining
        return left is None, 0.0 if left is None else float(left)

    return sorted(found, key=rank)
