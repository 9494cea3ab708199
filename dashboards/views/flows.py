"""Flows: which business flows ran, how they ended."""

from functools import partial

import polars as pl
import streamlit as st

from dashboards import data, links, screens
from dashboards.check_titles import titled
from dashboards.components.address_filters import filter_choice, filter_text
from dashboards.components.address_tabs import address_tabs
from dashboards.components.duration_chart import HEIGHT_PX, duration_chart
from dashboards.components.exports import exports
from dashboards.components.outcome_chart import outcome_chart
from dashboards.components.picking_table import picking_table
from dashboards.data import Holdings
from dashboards.flow_filters import (
    LIMITATIONS,
    NAMES,
    FlowFilters,
    filters_of,
    matching,
)
from dashboards.flow_questions import flows_of_call, flows_with
from dashboards.flow_tabs.batch import batch_tab
from dashboards.flow_tabs.differences import ask_differences, differences_tab
from dashboards.markup import chip, notes, worded
from dashboards.pages import PageFacts
from dashboards.scope import Scope
from dashboards.scoped import begun
from dashboards.shapes import flows_shaped
from dashboards.summary import OUTCOMES, Timeline, timeline
from dashboards.wording import clean, plural, time_text
from retrospan.timespan import rfc3339

PAGE = PageFacts(title="Flows", section="Explore", order=40, url_path="flows")

ROW_COUNT_MAX = 2_000
TABLE_HEIGHT_PX = 480
DIFFERENCES = "What differs"
VERDICTS = ("violation", "suspected", "unknown", "open", "pass", "not_applicable")


def render() -> None:
    """The page. Every filter lives in the address, so that a link keeps it."""
    start = begun("Flows", "Which business flows ran, how did they end?", ask=_ask)
    if start is None:
        return
    overview, scope = start
    _filters(overview)
    chosen = _chosen()
    _chips(chosen)
    found = _found(overview, scope, chosen)
    if found.is_empty():
        if chosen.faults():
            st.html(notes(chosen.faults(), tone="warn"))
        st.text(f"None of {plural(overview.flow_count, 'flow')} fits all these filters.")
        if st.button("Clear filters", type="primary"):
            st.switch_page(links.page("flows"), query_params={})
        return
    st.html(_outcomes(found))
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Durations (UTC)")
        duration_chart(found)
    with right:
        st.subheader("Outcomes (UTC)")
        times = timeline(found)
        _narrow(outcome_chart(times, overview.incidents, HEIGHT_PX, picks="flow_outcomes"), times)
    parts = {
        "List": partial(_list, found, overview),
        DIFFERENCES: partial(
            differences_tab, found, overview.flows, partial(_found, overview, scope)
        ),
        "Batch replay": partial(batch_tab, found, chosen, scope),
        "As command": partial(_command, scope, chosen),
    }
    address_tabs("view", parts)


def _ask(_: Holdings, scope: Scope) -> None:
    """What the filters ask of the store, and what sets the flows they leave apart where that is
    shown."""
    chosen = _chosen()
    _members(scope, chosen)
    if st.query_params.get("view") == DIFFERENCES:
        overview = data.overview(scope)
        found = _found(overview, scope, chosen)
        ask_differences(found, overview.flows, partial(_found, overview, scope))


def _chosen() -> FlowFilters:
    return filters_of({name: st.query_params.get_all(name) for name in NAMES})


def _narrow(picked: tuple[str, int] | None, times: Timeline | None) -> None:
    """Keeps the flows of a part of a bar only."""
    if picked is None or times is None:
        return
    outcome, start_ns = picked
    window = {"from": rfc3339(start_ns), "to": rfc3339(start_ns + times.width_ns)}
    links.change_address({**window, "outcome": outcome})
    st.rerun()


def _found(overview: data.Overview, scope: Scope, filters: FlowFilters) -> pl.DataFrame:
    return matching(overview.flows, filters, overview.incidents, _members(scope, filters))


def _members(scope: Scope, filters: FlowFilters) -> list[frozenset[str]]:
    """Ids that the store finds for the attribute, the shape and the call."""
    members = []
    pair = filters.pair()
    if pair is not None:
        members.append(flows_with(scope, *pair))
    if filters.shape:
        members.append(flows_shaped(filters.shape))
    if filters.caller or filters.callee:
        members.append(flows_of_call(scope, filters.caller, filters.callee, filters.how))
    return members


def _filters(overview: data.Overview) -> None:
    problems = sorted({str(name) for name in overview.problems["name"]})
    kinds = sorted({str(name) for name in overview.flows["name"]})
    titles = {incident.incident_id: incident.title for incident in overview.incidents}
    first = st.columns([2, 2, 3, 3], gap="small")
    second = st.columns([2, 3, 2, 1, 1, 2], gap="small")
    choices = [
        (first[0], "Outcome", "outcome", list(OUTCOMES), worded),
        (first[1], "Saga verdict", "verdict", list(VERDICTS), worded),
        (first[2], "Check or detector", "problem", problems, titled),
        (first[3], "Only flows with", "with", list(LIMITATIONS), clean),
        (second[0], "Flow", "kind", kinds, clean),
        (
            second[1],
            "Incident",
            "incident",
            list(titles),
            lambda id_: clean(titles.get(id_) or id_),
        ),
    ]
    for column, label, name, options, words in choices:
        with column:
            filter_choice(label, name, options, words)
    texts = [
        ("Attribute of a span", "attribute", "KEY=VALUE"),
        ("≥ ms", "longer", "0"),
        ("< ms", "shorter", "any"),
        ("Id or name contains", "text", None),
    ]
    for column, (label, name, placeholder) in zip(second[2:], texts, strict=True):
        with column:
            filter_text(label, name, placeholder)


def _chips(chosen: FlowFilters) -> None:
    """Filters that links set and no field above shows, each with its way out."""
    how = {"failed": ", where a try failed", "retried": ", where it was retried"}
    if chosen.caller or chosen.callee:
        words = f"calls {chosen.caller or '(unnamed)'} → {chosen.callee}{how.get(chosen.how, '')}"
        _chip(words, "Any call", ("caller", "callee", "how"))
    if chosen.shape:
        _chip(f"the same steps with the same ends: shape {chosen.shape}", "Any shape", ("shape",))


def _chip(words: str, label: str, names: tuple[str, ...]) -> None:
    left, right = st.columns([6, 1], vertical_alignment="center")
    with left:
        st.html(chip(words, tone="info"))
    with right:
        st.button(
            label,
            key=f"clear-{names[0]}",
            type="tertiary",
            on_click=links.change_address,
            args=(dict.fromkeys(names, ""),),
        )


def _outcomes(flows: pl.DataFrame) -> str:
    counts = dict(flows.group_by("outcome").len().iter_rows())
    known = [*OUTCOMES, *sorted(set(counts) - set(OUTCOMES))]
    return "".join(
        chip(f"{worded(word)}: {counts[word]:,}", title=f"of {flows.height:,} flows")
        for word in known
        if counts.get(word)
    )


def _list(found: pl.DataFrame, overview: data.Overview) -> None:
    shown = found.head(ROW_COUNT_MAX)
    cut = f"; the latest {shown.height:,} are listed" if shown.height < found.height else ""
    st.caption(
        f"{found.height:,} of {plural(overview.flow_count, 'flow')}{cut}. "
        "Select a row to open the flow."
    )
    table = _table(shown)
    row = picking_table(
        table,
        key="flow_table",
        alt="Flows that fit the filters, latest first",
        columns=_columns(found),
        height_max_px=TABLE_HEIGHT_PX,
    )
    if row is not None:
        links.open_trace(shown["flow_id"][row])
    exports(table, "flows")


def _command(scope: Scope, chosen: FlowFilters) -> None:
    if chosen.beyond_options() or len(scope.services) > 1:
        st.text("The command knows fewer filters than this page; it lists more flows.")
    links.as_command("flows", "list", *scope.as_options(), *chosen.as_options())


def _clock(start_ns: int) -> str:
    return time_text(start_ns).removesuffix(" UTC")


def _table(flows: pl.DataFrame) -> pl.DataFrame:
    """Columns that say nothing about any of these flows are left out."""
    table = flows.select(
        pl.col("start_ns").map_elements(_clock, return_dtype=pl.String).alias("start (UTC)"),
        pl.col("name").alias("flow"),
        pl.col("outcome").map_elements(worded, return_dtype=pl.String),
        pl.col("verdict").map_elements(worded, return_dtype=pl.String).alias("saga verdict"),
        (pl.col("duration_ns") / 1_000_000).round(6).alias("duration (ms)"),
        pl.col("span_count").alias("spans"),
        (pl.col("attempt_count") - pl.col("step_count")).alias("retries"),
        pl.col("compensation_count").alias("undo steps"),
        pl.col("effects").alias("left standing"),
        pl.col("decisions").alias("AI"),
        pl.col("problems").list.join(", "),
        pl.col("replay").map_elements(worded, return_dtype=pl.String),
        "flow_id",
    )
    silent = [name for name in ("replay", "saga verdict") if table[name].null_count() == len(table)]
    return table.drop(silent).with_columns(pl.col(pl.String).fill_null("–"))


def _columns(flows: pl.DataFrame) -> dict[str, object]:
    longest = flows["duration_ns"].max()
    bar = st.column_config.ProgressColumn(
        format="%.1f ms", min_value=0, max_value=max(1.0, int(str(longest or 0)) / 1e6)
    )
    return {"duration (ms)": bar}


if __name__ == "__main__":
    screens.guarded(render)
