"""How often decisions of a confidence were right, beside what they claimed."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from analyzer.statistics.proportions import wilson
from dashboards.chart_axes import ink, words
from dashboards.wording import plural

CHART_PX = 340
MARGIN = 0.05
_RIGHT, _CLAIMED = "#0072B2", "#8A8F98"


def reliability_chart(bins: Sequence[Mapping[str, Any]]) -> None:
    """Draws the curve; each bin has `n`, `confidence`, `accuracy`. Bars are Wilson's at 95 %."""
    points = [[round(it["confidence"], 4), round(it["accuracy"], 4)] for it in bins]
    bars = [_bar(it) for it in bins]
    least = min(min(it["confidence"], low(it)) for it in bins)
    begin = max(0.0, round(least - MARGIN, 1))
    axis = {"type": "value", "min": begin, "max": 1, **words()}
    spec = {
        "animation": False,
        "grid": {"left": 60, "right": 24, "top": 48, "bottom": 44},
        "legend": {
            "top": 0,
            "left": 0,
            "data": ["was right", "as claimed"],
            "textStyle": {"color": ink()},
        },
        "tooltip": {"trigger": "item"},
        "xAxis": {**axis, "name": "confidence", "nameLocation": "middle", "nameGap": 28},
        "yAxis": {**axis, "name": "share right"},
        "series": [
            {
                "name": "as claimed",
                "type": "line",
                "showSymbol": False,
                "lineStyle": {"type": "dashed", "color": _CLAIMED},
                "itemStyle": {"color": _CLAIMED},
                "data": [[begin, begin], [1, 1]],
            },
            {
                "name": "was right",
                "type": "line",
                "symbolSize": 9,
                "lineStyle": {"color": _RIGHT},
                "itemStyle": {"color": _RIGHT},
                "data": points,
            },
            *bars,
        ],
    }
    chart, beside = st.columns([3, 2], gap="medium")
    with chart:
        st.echarts_chart(spec, height=CHART_PX, alt="Calibration: share right by confidence")
    whole = sum(int(it["n"]) for it in bins)
    with beside:
        st.text(
            f"{plural(len(bins), 'bin')} of about equal size, {plural(whole, 'decision')} with a "
            "confidence and a label learned later. Bars: 95 % interval of the share right. A bar "
            "wholly below the dashed line: surer than right; wholly above: less sure than right."
        )


def low(it: Mapping[str, Any]) -> float:
    """The lower end of the interval of the share right."""
    return _interval(it)[0]


def _interval(it: Mapping[str, Any]) -> tuple[float, float]:
    found = wilson(round(it["accuracy"] * it["n"]), int(it["n"]))
    return (0.0, 1.0) if found is None else (found.low, found.high)


def _bar(it: Mapping[str, Any]) -> dict[str, Any]:
    at, (below, above) = round(it["confidence"], 4), _interval(it)
    return {
        "type": "line",
        "silent": True,
        "showSymbol": False,
        "lineStyle": {"color": _RIGHT, "width": 1.5},
        "data": [[at, round(below, 4)], [at, round(above, 4)]],
    }
