"""How a budget went down, and how fast it burned: drawn over the flows' own time."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from analyzer.slo.budget import budget_remaining, burn_rate, sli
from analyzer.slo.duration import short_text
from analyzer.slo.model import BurnRule
from analyzer.slo.timeline import Timeline
from dashboards.chart_axes import ink, time_axis, words
from dashboards.releases import Release, release_lines, releases_told
from dashboards.slo_parts.judged import Judged
from dashboards.wording import duration_text, time_text
from store.conclusions import Incident

POINTS = 120
HEIGHT_PX = 260
DAY_NS = 86_400_000_000_000
_OK, _BAD, _LONG, _SHORT = "#009E73", "#D55E00", "#0072B2", "#E69F00"


def budget_course(one: Judged, grid: Sequence[int]) -> list[float | None]:
    """Percent of the budget left at each of these moments; None while nothing was seen."""
    line, found = one.line, one.report
    if line is None:
        return []
    seen = (sli(line, found.slo.method, found.objective, found.since_ns, at) for at in grid)
    left = (budget_remaining(it.value, found.objective) for it in seen)
    return [None if value is None else _rounded(float(value) * 100) for value in left]


def burn_course(one: Judged, length_ns: int, grid: Sequence[int]) -> list[float | None]:
    """How fast the budget burned over the window that ends at each of these moments."""
    line, found = one.line, one.report
    if line is None:
        return []
    seen = (sli(line, found.slo.method, found.objective, at - length_ns, at) for at in grid)
    burns = (burn_rate(it.value, found.objective) for it in seen)
    return [None if burn is None else _rounded(float(burn)) for burn in burns]


def grid_of(one: Judged, points: int = POINTS) -> list[int]:
    """Moments of the objective's window, from its first event to its end, evenly apart."""
    if one.line is None or not one.line.times:
        return []
    return _grid(one.line, one.report.since_ns, one.report.at_ns, points)


def budget_chart(one: Judged, incidents: Sequence[Incident]) -> None:
    """What was left of the budget at each moment of the window, by what it had seen until then."""
    grid = grid_of(one)
    if not grid:
        return
    series: dict[str, Any] = {
        "name": "budget left, %",
        "type": "line",
        "showSymbol": False,
        "step": "end",
        "data": budget_course(one, grid),
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


def burn_chart(
    one: Judged,
    rule: BurnRule,
    incidents: Sequence[Incident],
    releases: Sequence[Release] = (),
) -> None:
    """Burn rates of one rule's two windows, with the threshold both must reach."""
    line, found = one.line, one.report
    if line is None or not line.times:
        return
    grid = _grid(line, line.times[0], found.at_ns)
    lines: list[dict[str, Any]] = []
    for length, colour, dash in (
        (rule.long_ns, _LONG, "solid"),
        (rule.short_ns, _SHORT, "dashed"),
    ):
        lines.append(
            {
                "name": f"over {short_text(length)}",
                "type": "line",
                "showSymbol": False,
                "data": burn_course(one, length, grid),
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
    marks = release_lines(releases, len(grid), lambda at_ns: _within(grid, at_ns))
    if marks is not None:
        lines[1]["markLine"] = marks
    _draw(grid, lines, incidents, "× budget", "Burn rate over time, UTC")
    told = releases_told(sum(_within(grid, one.at_ns) is not None for one in releases))
    if told:
        st.caption(told.strip())


def _grid(line: Timeline, since_ns: int, until_ns: int, points: int = POINTS) -> list[int]:
    """Moments from the first event within to the end, evenly apart."""
    first = max(since_ns, line.times[0])
    last = max(first + 1, min(until_ns, line.times[-1] + 1))
    step = max(1, (last - first) // points)
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


def _within(grid: Sequence[int], at_ns: int) -> int | None:
    return _nearest(grid, at_ns) if grid[0] <= at_ns <= grid[-1] else None


def _rounded(value: float) -> float:
    return round(value, 3)
