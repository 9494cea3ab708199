"""Flows: which business flows ran, how they ended."""

import polars as pl
import streamlit as st

from dashboards import data, links, screens
from dashboards.check_titles import titled
from dashboards.components.address_filters import filter_choice, filter_text
from dashboards.components.picking_table import picking_table
from dashboards.components.range_bar import range_bar
from dashboards.flow_filters import LIMITATIONS, FlowFilters, matching
from dashboards.markup import heading, worded
from dashboards.pages import PageFacts
from dashboards.summary import OUTCOMES
from dashboards.wording import clean, plural, time_text

PAGE = PageFacts(title="Flows", section="Explore", order=40, url_path="flows")

ROW_COUNT_MAX = 2_000
TABLE_HEIGHT_PX = 620
VERDICTS = ("violation", "suspected", "unknown", "open", "pass", "not_applicable")


def render() -> None:
    """The page. Every filter lives in the address, so that a link keeps it."""
    overview = data.overview()
    st.html(heading("Flows", above="Which business flows ran, how did they end?"))
    if overview.spans == 0:
        screens.nothing_recorded()
        return
    if overview.flows.is_empty():
        screens.nothing_derived(overview.underived)
        return
    scope = range_bar(overview)
    chosen = _filters(overview)
    found = matching(scope.narrowed(overview.flows), chosen, overview.incidents)
    if found.is_empty():
        st.text(f"None of {plural(overview.flows.height, 'flow')} fits all these filters.")
        if st.button("Clear filters", type="primary"):
            links.open_flows()
        return
    shown = found.head(ROW_COUNT_MAX)
    cut = f"; the latest {shown.height:,} are listed" if shown.height < found.height else ""
    st.caption(
        f"{found.height:,} of {plural(overview.flows.height, 'flow')}{cut}. "
        "Select a row to open the flow."
    )
    row = picking_table(
        _table(shown),
        key="flow_table",
        alt="Flows that fit the filters, latest first",
        columns=_columns(found),
        height_max_px=TABLE_HEIGHT_PX,
    )
    if row is not None:
        links.open_trace(shown["flow_id"][row])
    with st.expander("From the command line"):
        if chosen.beyond_options():
            st.text("The command knows fewer filters than this page; it lists more flows.")
        links.as_command("flows", "list", *scope.as_options(), *chosen.as_options())


def _filters(overview: data.Overview) -> FlowFilters:
    problems = sorted({str(name) for name in overview.problems["name"]})
    titles = {incident.incident_id: incident.title for incident in overview.incidents}
    columns = st.columns([2, 2, 3, 3, 3, 2], gap="small")
    with columns[5]:
        text = filter_text("Id or name contains", "text")
    choices = [
        ("Outcome", "outcome", list(OUTCOMES), worded),
        ("Saga verdict", "verdict", list(VERDICTS), worded),
        ("Check or detector", "problem", problems, titled),
        ("Only flows with", "with", list(LIMITATIONS), clean),
        ("Incident", "incident", list(titles), lambda one: clean(titles.get(one) or one)),
    ]
    chosen: dict[str, list[str]] = {}
    for place, (label, key, options, words) in zip(range(5), choices, strict=True):
        with columns[place]:
            chosen[key] = filter_choice(label, key, options, words)
    return FlowFilters(
        outcome=chosen["outcome"],
        verdict=chosen["verdict"],
        problem=chosen["problem"],
        limitation=chosen["with"],
        incident=chosen["incident"],
        text=text,
    )


def _clock(start_ns: int) -> str:
    return time_text(start_ns).removesuffix(" UTC")


def _table(flows: pl.DataFrame) -> pl.DataFrame:
    """Columns that say nothing about any of these flows are left out."""
    table = flows.select(
        pl.col("start_ns").map_elements(_clock, return_dtype=pl.String).alias("start (UTC)"),
        pl.col("name").alias("flow"),
        pl.col("outcome").map_elements(worded, return_dtype=pl.String),
        pl.col("verdict").map_elements(worded, return_dtype=pl.String).alias("saga verdict"),
        (pl.col("duration_ns") / 1_000_000).alias("duration (ms)"),
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
