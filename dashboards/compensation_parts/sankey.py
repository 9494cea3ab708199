"""Where sagas end: from the step they turned at to how they ended, without the happy path."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st

from analyzer.sagas.undoing import NONE_FAILED, Way
from dashboards.chart_axes import ink
from dashboards.markup import LOOKS, worded
from dashboards.wording import clean, plural, shortened

NODES_MAX = 24
HEIGHT_PX = 380
LABEL_MAX = 44
LEFT_PX = 250  # room for the words of a step
_TONES = {"ok": "#009E73", "error": "#D55E00", "warn": "#E69F00", "undo": "#CC79A7"}
_STEP = "#56B4E9"


def ways_chart(found: Sequence[tuple[Way, int]]) -> None:
    """Draws the ways; the words of every end carry their icon."""
    if not found:
        st.text("No flow with a saga was given up.")
        return
    several = len({way.name for way, _ in found}) > 1
    links: Counter[tuple[str, str]] = Counter()
    ends: dict[str, str] = {}
    for way, flows in found[:NODES_MAX]:
        start = f"{way.name}: {way.at}" if several else way.at
        turned = clean(start) if way.at == NONE_FAILED else f"at {clean(start)}"
        source = shortened(turned, LABEL_MAX)
        end = worded(way.outcome)
        ends[end] = _TONES.get(LOOKS.get(way.outcome, ("", "neutral"))[1], "#8A8F98")
        links[source, end] += flows
    sources = list(dict.fromkeys(source for source, _ in links))
    left_label = {"position": "left", "width": LEFT_PX - 16, "overflow": "truncate"}
    nodes: list[dict[str, Any]] = [
        {"name": name, "itemStyle": {"color": _STEP}, "label": left_label} for name in sources
    ]
    nodes += [{"name": name, "itemStyle": {"color": colour}} for name, colour in ends.items()]
    spec = {
        "animation": False,
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "sankey",
                "left": LEFT_PX,
                "right": 180,
                "top": 8,
                "bottom": 8,
                "nodeGap": 16,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "gradient", "opacity": 0.35},
                "label": {"fontSize": 12, "color": ink()},
                "data": nodes,
                "links": [
                    {"source": source, "target": target, "value": number}
                    for (source, target), number in links.items()
                ],
            }
        ],
    }
    st.echarts_chart(spec, height=HEIGHT_PX, alt="Where given-up flows turned and how they ended")
    whole, shown = sum(flows for _, flows in found), sum(flows for _, flows in found[:NODES_MAX])
    rest = f" The {whole - shown:,} rarest are left out." if whole > shown else ""
    st.caption(f"{plural(whole, 'flow')} given up; width = flows.{rest}")
