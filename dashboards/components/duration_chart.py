"""Heat map of durations over time: a selected cell becomes the page's filter."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards.chart_axes import few_to_many, time_axis, words
from dashboards.components.picks import followed, pick_key
from dashboards.summary import Heat, heat
from dashboards.wording import duration_text, plural, time_text
from retrospan.timespan import rfc3339

HEIGHT_PX = 240


def duration_chart(flows: pl.DataFrame) -> None:
    """Draws the flows that ended; says how many did not."""
    shown = heat(flows)
    open_flows = flows["duration_ns"].null_count()
    if shown is None:
        st.text("None of these flows ended, so none has a duration.")
        return
    told = slice(5, 16) if shown.width_ns >= 3_600 * 10**9 else slice(11, 19)
    most = max(count for _, _, count in shown.cells)
    spec = {
        "animation": False,
        "grid": {"left": 76, "right": 12, "top": 12, "bottom": 58},
        "tooltip": {"position": "top"},
        "xAxis": time_axis(shown.starts_ns, lambda at_ns: time_text(at_ns, digits=0)[told]),
        "yAxis": {
            "type": "category",
            "data": [f"≥ {duration_text(low)}" for low in shown.bounds_ns],
            **words(),
        },
        "visualMap": few_to_many(most, plural(most, "flow")),
        "series": [
            {
                "type": "heatmap",
                "name": "flows",
                "selectedMode": "single",
                "data": [list(cell) for cell in shown.cells],
            }
        ],
    }
    state = st.echarts_chart(
        spec,
        key=pick_key("duration_heat"),
        height=HEIGHT_PX,
        on_select="rerun",
        alt="Number of flows by start and duration; the list below has every flow",
    )
    caption = f"{plural(flows.height - open_flows, 'flow')} that ended"
    caption += f"; {open_flows:,} without an end are not drawn" if open_flows else ""
    st.caption(f"{caption}. Select a cell to keep its flows only.")
    _narrow(state, shown)


def _narrow(state: Any, shown: Heat) -> None:
    groups = state.get("selection", {}).get("selected", [])
    if not groups or not groups[0]["data_indices"]:
        return
    place, row, _ = shown.cells[int(groups[0]["data_indices"][0])]
    start_ns = shown.starts_ns[place]
    chosen = {
        "from": rfc3339(start_ns),
        "to": rfc3339(start_ns + shown.width_ns),
        "longer": f"{shown.bounds_ns[row] / 1e6:g}",
    }
    if row + 1 < len(shown.bounds_ns):
        chosen["shorter"] = f"{shown.bounds_ns[row + 1] / 1e6:g}"
    followed("duration_heat")
    st.query_params.update(chosen)
    st.rerun()
