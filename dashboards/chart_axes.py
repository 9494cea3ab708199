"""Axes that several charts share: moments in UTC with the reader's own time, ink that can be read.

An axis shows the beginning of each name only; the tooltip over a moment shows all of it, which is
how the reader's own time comes beside UTC without a script in the chart.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from dashboards.moments import local_text

LABELS_MAX = 6
LETTER_PX = 7
GAP = " " * 12
RAMP = ("#B7DDF2", "#56B4E9", "#0072B2", "#00395A")
_INK = {"light": "#3F4956", "dark": "#C3CBD6"}


def ink() -> str:
    """The colour of words in charts: at least 7 : 1 on the ground of the page."""
    return _INK["dark" if st.context.theme.type == "dark" else "light"]


def ground() -> str:
    """The colour behind words that lie over lines: the ground of the page, a little through."""
    return "rgba(16,21,28,.8)" if st.context.theme.type == "dark" else "rgba(255,255,255,.8)"


def words() -> dict[str, Any]:
    """How an axis writes its labels and its name."""
    return {"axisLabel": {"color": ink()}, "nameTextStyle": {"color": ink()}}


def few_to_many(most: int, told: str) -> dict[str, Any]:
    """The colours of a heat map from 1 to `most`, which `told` says with its unit.

    What stands out from the page's ground is many, by day and by night.
    """
    dark = st.context.theme.type == "dark"
    return {
        "min": 1,
        "max": max(most, 2),
        "calculable": False,
        "orient": "horizontal",
        "left": "center",
        "bottom": 0,
        "itemHeight": 90,
        "text": [told, "1"],
        "textStyle": {"color": ink()},
        "inRange": {"color": RAMP[::-1] if dark else RAMP},
    }


def time_axis(
    moments_ns: Sequence[int], short: Callable[[int], str], *, gap: bool = True
) -> dict[str, Any]:
    """A category for each moment, named by `short` (UTC); `gap` leaves room beside bars."""
    zone = st.context.timezone
    shown = [short(at_ns) for at_ns in moments_ns]
    own = [local_text(at_ns, zone) for at_ns in moments_ns]
    width = max(map(len, shown), default=0) * LETTER_PX
    return {
        "type": "category",
        "boundaryGap": gap,
        "data": [
            f"{name}{GAP}UTC, {local}" if local else name
            for name, local in zip(shown, own, strict=True)
        ],
        "axisLabel": {
            "color": ink(),
            "interval": max(0, -(-len(shown) // LABELS_MAX) - 1),
            "width": width,
            "overflow": "truncate",
            "ellipsis": "",
            "hideOverlap": True,
        },
    }
