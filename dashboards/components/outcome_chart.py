"""Stacked bars of how flows ended over time."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards.chart_axes import ink, time_axis, words
from dashboards.components.picks import followed, pick_key
from dashboards.releases import Release, release_lines, releases_told
from dashboards.summary import Timeline
from dashboards.wording import duration_text, time_text
from store.conclusions import Incident

HEIGHT_PX = 300
# Outcome to colour (Okabe-Ito) and pattern: whoever cannot tell the colours sees the pattern.
_STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "succeeded": ("#009E73", {"symbol": "none"}),
    "compensated": (
        "#CC79A7",
        {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": 0.785},
    ),
    "partially_compensated": ("#E69F00", {"symbol": "triangle", "symbolSize": 0.6}),
    "compensation_failed": ("#8A3A00", {"symbol": "rect", "symbolSize": 0.5}),
    "failed": (
        "#D55E00",
        {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": -0.785},
    ),
    "in_progress": ("#56B4E9", {"symbol": "circle", "symbolSize": 0.5}),
    "unknown": ("#8A8F98", {"symbol": "circle", "symbolSize": 0.3}),
}


def outcome_chart(
    times: Timeline | None,
    incidents: Sequence[Incident],
    height_px: int = HEIGHT_PX,
    releases: Sequence[Release] = (),
    picks: str | None = None,
) -> tuple[str, int] | None:
    """Draws the chart; incident windows are shaded, releases are lines.

    With `picks`, the key it is told apart by, the outcome and the beginning of a bar just picked.
    """
    if times is None:
        return None
    series: list[dict[str, Any]] = [
        {
            "name": outcome.replace("_", " "),
            "type": "bar",
            "stack": "flows",
            "barWidth": "86%",
            "barGap": "-100%",
            "selectedMode": "single" if picks else False,
            "data": list(numbers),
            "itemStyle": {
                "color": _STYLES[outcome][0],
                "decal": {"color": "rgba(255,255,255,.55)", **_STYLES[outcome][1]},
            },
        }
        for outcome, numbers in times.counts.items()
    ]
    shaded = _shaded(incidents, times.starts_ns, times.width_ns)
    if any(shaded):
        series.insert(0, _band(shaded))
    marks = release_lines(releases, len(times.starts_ns), lambda at_ns: _place(times, at_ns))
    if marks is not None:
        series[-1]["markLine"] = marks
    spec = {
        "animation": False,
        "grid": {"left": 44, "right": 12, "top": 34, "bottom": 28},
        "legend": {"top": 0, "left": 0, "type": "scroll", "textStyle": {"color": ink()}},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": time_axis(times.starts_ns, lambda at_ns: _label(at_ns, times.width_ns)),
        "yAxis": [
            {"type": "value", "minInterval": 1, "name": "flows", **words()},
            {"type": "value", "min": 0, "max": 1, "show": False},
        ],
        "series": series,
    }
    alt = "Number of flows by outcome over time, UTC"
    if picks is None:
        st.echarts_chart(spec, height=height_px, alt=alt)
        state: Any = {}
    else:
        state = st.echarts_chart(
            spec, key=pick_key(picks), height=height_px, alt=alt, on_select="rerun"
        )
    day = time_text(times.starts_ns[0], digits=0)[:10]
    drawn = sum(_place(times, one.at_ns) is not None for one in releases)
    lead = " Select a part of a bar to see its flows." if picks else ""
    st.caption(
        f"One bar = {duration_text(times.width_ns)}, by start, from {day}.{releases_told(drawn)}"
        f"{lead}"
    )
    return _picked(state, times, 1 if any(shaded) else 0, picks)


def _picked(state: Any, times: Timeline, first: int, picks: str | None) -> tuple[str, int] | None:
    """The part of a bar in a selection; outcomes are the series from number `first` on."""
    groups = state.get("selection", {}).get("selected", [])
    if picks is None or not groups or not groups[0]["data_indices"]:
        return None
    followed(picks)
    outcome = list(times.counts)[int(groups[0]["series_index"]) - first]
    return outcome, times.starts_ns[int(groups[0]["data_indices"][0])]


def _place(times: Timeline, at_ns: int) -> int | None:
    """The bar of a moment; None outside the chart."""
    place = (at_ns - times.starts_ns[0]) // times.width_ns
    return place if 0 <= place < len(times.starts_ns) else None


def _label(start_ns: int, width_ns: int) -> str:
    text = time_text(start_ns, digits=0)
    if width_ns >= 86_400 * 1_000_000_000:
        return text[:10]
    return text[5:16] if width_ns >= 3600 * 1_000_000_000 else text[11:19]


def _band(shaded: Sequence[bool]) -> dict[str, Any]:
    """Incidents as pale bars over the whole height, behind the others."""
    return {
        "name": "incident",
        "type": "bar",
        "yAxisIndex": 1,
        "barWidth": "100%",
        "barGap": "-100%",
        "silent": True,
        "z": 0,
        "data": [1 if one else None for one in shaded],
        "itemStyle": {"color": "rgba(213,94,0,.26)"},
        "tooltip": {"show": False},
    }


def _shaded(
    incidents: Sequence[Incident], starts_ns: Sequence[int], width_ns: int
) -> Sequence[bool]:
    """For each bucket whether an incident touches it."""
    return [
        any(it.start_ns < start + width_ns and it.end_ns >= start for it in incidents)
        for start in starts_ns
    ]
