"""Flows: which business flows ran, how did they end?"""

import polars as pl
import streamlit as st

from dashboards import data, links, screens
from dashboards.components.picking_table import picking_table
from dashboards.flow_filters import LIMITATIONS, FlowFilters, matching
from dashboards.markup import heading, worded
from dashboards.pages import PageFacts
from dashboards.summary import OUTCOMES
from dashboards.wording import plural, time_text

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
    chosen = _filters(overview)
    found = matching(overview.flows, chosen, overview.incidents)
    if found.is_empty():
        st.text(f"None of {plural(overview.flows.height, 'flow')} fits all these filters.")
        if st.button("Clear filters", type="primary"):
            st.switch_page(links.page("flows"))
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
    with st.expander("The same list from the command line"):
        links.as_command("flows", "list", *chosen.as_options())


def _filters(overview: data.Overview) -> FlowFilters:
    services = sorted({str(name) for name in overview.services["service"]})
    problems = sorted({str(name) for name in overview.problems["name"]})
    incidents = [incident.incident_id for incident in overview.incidents]
    titles = {incident.incident_id: incident.title for incident in overview.incidents}
    first = st.columns([2, 2, 2, 2])
    second = st.columns([2, 2, 2, 2])

    def choices(place: int, label: str, key: str, options: list[str]) -> list[str]:
        column = (first + second)[place]
        return column.multiselect(
            label,
            options,
            key=key,
            bind="query-params",
            placeholder="any",
            format_func=lambda word: titles.get(word) or worded(word),
        )

    first, second = list(first), list(second)
    return FlowFilters(
        outcome=choices(0, "Outcome", "outcome", list(OUTCOMES)),
        verdict=choices(1, "Saga verdict", "verdict", list(VERDICTS)),
        service=choices(2, "Service", "service", services),
        text=first[3].text_input(
            "Id or name contains", key="text", bind="query-params", max_chars=200, type="search"
        )
        or "",
        problem=choices(4, "Check or detector", "problem", problems),
        limitation=choices(5, "Only flows with", "with", list(LIMITATIONS)),
        incident=choices(6, "Incident", "incident", incidents),
    )


def _clock(start_ns: int) -> str:
    return time_text(start_ns).removesuffix(" UTC")


def _table(flows: pl.DataFrame) -> pl.DataFrame:
    return flows.select(
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


def _columns(flows: pl.DataFrame) -> dict[str, object]:
    longest = flows["duration_ns"].max()
    bar = st.column_config.ProgressColumn(
        format="%.1f ms", min_value=0, max_value=max(1.0, int(str(longest or 0)) / 1e6)
    )
    return {"duration (ms)": bar}


if __name__ == "__main__":
    screens.guarded(render)
