"""How a budget went down, and how fast it burned: drawn over the flows' own time."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from analyzer.slo.budget import budget_remaining, burn_rate, sli
from analyzer.slo.duration import short_text
from analyzer.slo.model import BurnRule
from analyzer.slo.timeline import Timeline
from dashboards.chart_axes import ink, time_axis, words
from dashboards.slo_parts.judged import Judged
from dashboards.wording import duration_text, time_text
from store.conclusions import Incident

POINTS = 120
HEIGHT_PX = 260
DAY_NS = 86_400_000_000_000
_OK, _BAD, _LONG, _SHORT = "#009E73", "#D55E00", "#0072B2", "#E69F00"


def budget_chart(one: Judged, incidents: Sequence[Incident]) -> None:
    """What was left of the budget at each moment of the window, by what it had seen until then."""
    line, found = one.line, one.report
    if line is None or not line.times:
        return
    grid = _grid(line, found.since_ns, found.at_ns)
    values = [
        budget_remaining(
            sli(line, found.slo.method, found.objective, found.since_ns, at_ns).value,
            found.objective,
        )
        for at_ns in grid
    ]
    points = [None if value is None else _rounded(float(value) * 100) for value in values]
    series: dict[str, Any] = {
        "name": "budget left, %",
        "type": "line",
        "showSymbol": False,
        "step": "end",
        "data": points,
        "lineStyle": {"color": _OK, "width": 2},
        "itemStyle": {"color": _OK},
        "markLine": {
            "silent": True,
            "symbol": "none",
            "data": [{"yAxis": 0, "name": "spent"}],
            "label": {"formatter": "all spent", "position": "insideEndTop"},
            "lineStyle": {"color": _BAD, "type": "dashed"},
        },
    }
    _draw(grid, [series], incidents, "% of the budget", "Budget left over time, UTC")


def burn_chart(one: Judged, rule: BurnRule, incidents: Sequence[Incident]) -> None:
    """Burn rates of one rule's two windows, with the threshold both must reach."""
    line, found = one.line, one.report
    if line is None or not line.times:
        return
    grid = _grid(line, line.times[0], found.at_ns)
    lines = []
    for length, colour, dash in (
        (rule.long_ns, _LONG, "solid"),
        (rule.short_ns, _SHORT, "dashed"),
    ):
        burns = [
            burn_rate(
                sli(line, found.slo.method, found.objective, at_ns - length, at_ns).value,
                found.objective,
            )
            for at_ns in grid
        ]
        lines.append(
            {
                "name": f"over {short_text(length)}",
                "type": "line",
                "showSymbol": False,
                "data": [None if burn is None else _rounded(float(burn)) for burn in burns],
                "lineStyle": {"color": colour, "type": dash, "width": 2},
                "itemStyle": {"color": colour},
            }
        )
    lines[0]["markLine"] = {
        "silent": True,
        "symbol": "none",
        "data": [{"yAxis": _rounded(float(rule.threshold))}],
        "label": {
            "formatter": f"{rule.severity} at {float(rule.threshold):g} ×",
            "position": "insideEndTop",
        },
        "lineStyle": {"color": _BAD, "type": "dotted"},
    }
    _draw(grid, lines, incidents, "× budget", "Burn rate over time, UTC")


def _grid(line: Timeline, since_ns: int, until_ns: int) -> list[int]:
    """Moments from the first event within to the end, evenly apart."""
    first = max(since_ns, line.times[0])
    last = max(first + 1, min(until_ns, line.times[-1] + 1))
    step = max(1, (last - first) // POINTS)
    return [*range(first + step, last, step), last]


def _draw(
    grid: Sequence[int],
    series: list[dict[str, Any]],
    incidents: Sequence[Incident],
    unit: str,
    alt: str,
) -> None:
    told = slice(11, 19) if grid[-1] - grid[0] < DAY_NS else slice(5, 16)
    bands = [
        [{"xAxis": _nearest(grid, one.start_ns)}, {"xAxis": _nearest(grid, one.end_ns)}]
        for one in incidents
        if one.start_ns < grid[-1] and one.end_ns > grid[0]
    ]
    if bands:
        series[0]["markArea"] = {
            "silent": True,
            "itemStyle": {"color": "rgba(213,94,0,.13)"},
            "data": bands,
        }
    spec = {
        "animation": False,
        "grid": {"left": 56, "right": 16, "top": 34, "bottom": 28},
        "legend": {"top": 0, "left": 0, "textStyle": {"color": ink()}},
        "tooltip": {"trigger": "axis"},
        "xAxis": time_axis(grid, lambda at_ns: time_text(at_ns, digits=0)[told], gap=False),
        "yAxis": {"type": "value", "name": unit, "scale": False, **words()},
        "series": series,
    }
    st.echarts_chart(spec, height=HEIGHT_PX, alt=alt)
    shaded = " Shaded: incidents." if bands else ""
    st.caption(
        f"{alt}; {len(grid)} moments, {duration_text(grid[-1] - grid[0])} from "
        f"{time_text(grid[0], digits=0)}.{shaded}"
    )


def _nearest(grid: Sequence[int], at_ns: int) -> int:
    """Place of the moment on the axis: the first one that is not before it."""
    return next((place for place, moment in enumerate(grid) if moment >= at_ns), len(grid) - 1)


def _rounded(value: float) -> float:
    return round(value, 3)
