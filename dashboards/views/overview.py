"""Overview: whether we are fine, or where it burns."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from dashboards import data, flow_questions, links, screens
from dashboards.check_titles import titled
from dashboards.components import cards
from dashboards.components.outcome_chart import outcome_chart
from dashboards.components.picking_table import picking_table
from dashboards.data import Holdings
from dashboards.markup import chip, heading, line, worded
from dashboards.moments import local_text, moment
from dashboards.objectives import ask_objectives, known_objectives, worst_objectives
from dashboards.overview_parts.burning import burning_cards
from dashboards.overview_parts.counted import counted_cards
from dashboards.pages import PageFacts
from dashboards.releases import releases_of
from dashboards.scope import Scope
from dashboards.scoped import scoped
from dashboards.summary import Health, Timeline
from dashboards.wording import (
    duration_text,
    plural,
    time_text,
)
from retrospan.timespan import rfc3339
from store.conclusions import Incident

PAGE = PageFacts(title="Overview", section="Operate", order=10, url_path="overview", default=True)

INCIDENT_COUNT_MAX = 4
SERVICES_MAX = 4


def render() -> None:
    """The page."""
    start = scoped("Overview", "Are we fine, and where does it burn?", None, _head, ask=_ask)
    if start is None:
        return
    holdings, scope = start
    known = _ask(holdings, scope)
    incidents, releases = known.incidents, releases_of(known.first_seen)
    objectives = known_objectives(scope, holdings)
    cards.draw(burning_cards(known.numbers, known.times, objectives or (), incidents))
    cards.draw(counted_cards(known.numbers, known.effects, known.times))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("How flows ended, over time (UTC)")
        outcomes = known.outcomes
        picked = outcome_chart(outcomes, incidents, releases=releases, picks="overview_outcomes")
        if picked is not None and outcomes is not None:
            outcome, start_ns = picked
            window = {"from": rfc3339(start_ns), "to": rfc3339(start_ns + outcomes.width_ns)}
            links.open_flows(outcome=outcome, **window)
        st.subheader("Worst findings")
        _findings(known.problems, known.numbers.violations.whole)
        st.subheader("Services, over all data")
        _services(known.services)
    with right:
        st.subheader("Incidents")
        _incidents(incidents, holdings.last_ns)
        st.subheader("Objectives, worst first")
        worst_objectives(objectives, holdings.flow_count, incidents, releases)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the page asks of the flows in scope, and of services over all data."""

    numbers: Health
    incidents: tuple[Incident, ...]
    effects: pl.DataFrame
    times: pl.DataFrame
    outcomes: Timeline | None
    problems: pl.DataFrame
    services: pl.DataFrame
    first_seen: pl.DataFrame


def _ask(holdings: Holdings, scope: Scope) -> _Known:
    ask_objectives(holdings)
    return _Known(
        numbers=flow_questions.scope_health(scope),
        incidents=flow_questions.incidents(scope),
        effects=flow_questions.effect_sums(scope),
        times=flow_questions.health_in_time(scope),
        outcomes=flow_questions.outcomes(scope),
        problems=flow_questions.ranked_problems(scope),
        services=flow_questions.services(),
        first_seen=flow_questions.first_seen(scope),
    )


def _head(holdings: Holdings) -> None:
    st.html(_window_chips(holdings))


def _window_chips(holdings: Holdings) -> str:
    first, last = holdings.first_ns, holdings.last_ns
    ended = holdings.last_flow_ns
    quiet_ns = last - ended if ended is not None and last is not None else None
    window = f"data: {time_text(first, digits=0)} – {time_text(last, digits=0)}"
    zone = st.context.timezone
    own = [local_text(at_ns, zone) for at_ns in (first, last)]
    length = duration_text(last - first) if first is not None and last is not None else "–"
    chips = [
        chip(
            f"{window} ({length})",
            title="First and last recorded time" + (f": {own[0]} – {own[1]}" if all(own) else ""),
        ),
        chip(
            f"last flow ended {duration_text(quiet_ns)} before the end of the data"
            if quiet_ns is not None and quiet_ns > 0
            else "flows run up to the end of the data",
            title="Ages are counted from the end of the data, not from now",
        ),
        chip(f"{plural(holdings.spans, 'span')} · {plural(holdings.traces, 'trace')}"),
        chip(str(data.store_path()), title="The store these pages read"),
    ]
    return "".join(chips)


def _incidents(incidents: tuple[Incident, ...], last_ns: int | None) -> None:
    if not incidents:
        st.text("None is known in this selection. Find incidents by burn rate and findings:")
        links.as_command("incidents", "find")
        return
    for incident in incidents[:INCIDENT_COUNT_MAX]:
        with st.container(border=True):
            before = last_ns - incident.start_ns if last_ns is not None else None
            services = ", ".join(incident.services[:SERVICES_MAX])
            more = len(incident.services) - SERVICES_MAX
            st.html(
                heading(incident.title, size_rem="1.05")
                + f'<div style="font-size:.85rem;opacity:.85">{moment(incident.start_ns)} · lasted '
                f"{duration_text(incident.end_ns - incident.start_ns)} · began "
                f"{duration_text(before)} before the end of the data</div>"
            )
            steps = [
                ("detected", incident.detected_ns),
                ("mitigated", incident.mitigated_ns),
                ("recovered", incident.recovered_ns),
            ]
            st.html(
                "".join(
                    chip(
                        f"{word} after {duration_text(at - incident.start_ns)}"
                        if at is not None
                        else f"{word}: not seen",
                        tone="info" if at is not None else "neutral",
                    )
                    for word, at in steps
                )
                + line([services + (f" and {more} more" if more > 0 else "")])
            )
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                links.view_link("incidents", "Open the incident", id=incident.incident_id)
                links.flows_link(
                    plural(len(incident.flow_ids), "affected flow"), incident=incident.incident_id
                )
    if len(incidents) > INCIDENT_COUNT_MAX:
        links.view_link("incidents", f"All {plural(len(incidents), 'incident')}")


def _findings(problems: pl.DataFrame, checked: int) -> None:
    if problems.is_empty() and not checked:
        st.text("No flow has been checked: no saga was found in this data.")
        return
    if problems.is_empty():
        st.text(f"Nothing violated or suspected in {plural(checked, 'checked flow')}.")
        return
    table = problems.select(
        pl.col("name").map_elements(titled, return_dtype=pl.String).alias("check or detector"),
        pl.col("verdict").map_elements(worded, return_dtype=pl.String),
        "flows",
        pl.col("findings").alias("times"),
        pl.col("message").alias("for example"),
    )
    st.caption("Select a row to see its flows.")
    row = picking_table(table, key="overview_findings", alt="Findings by check and detector")
    if row is not None:
        links.open_flows(problem=problems["name"][row])


def _services(services: pl.DataFrame) -> None:
    table = services.select(
        "service",
        "flows",
        "spans",
        pl.col("errors").alias("failed spans"),
        (pl.col("errors") * 100 / pl.col("spans")).alias("failed %"),
    )
    st.caption("Select a row to see its flows.")
    row = picking_table(
        table,
        key="overview_services",
        alt="Services with span and error counts",
        columns={"failed %": st.column_config.NumberColumn(format="%.1f %%")},
    )
    if row is not None:
        links.open_flows(service=services["service"][row])


if __name__ == "__main__":
    screens.guarded(render)
