"""The moments of an incident on one line of time."""

from collections.abc import Sequence
from html import escape

from retrospan.report.charts.drawing import TOP, WIDTH, drawn, shaded
from retrospan.report.facts import IncidentFacts
from retrospan.text import shortened, visible
from retrospan.timespan import humane, utc

LABELS, ROW = 340, 20
MOMENTS_MIN = 3


def moments_drawing(
    caption: str, facts: IncidentFacts, moments: Sequence[tuple[int, str]]
) -> str | None:
    """One row per moment (time, words), in order; a dot says when it was. None where nothing but
    the ends of the window is known."""
    if len(moments) < MOMENTS_MIN or moments[0][0] == moments[-1][0]:
        return None
    low, high = moments[0][0], moments[-1][0]
    width = WIDTH - LABELS - 16

    def place(time_ns: int) -> int:
        return LABELS + max(0, min(width, (time_ns - low) * width // (high - low)))

    bottom = TOP + len(moments) * ROW
    parts = [
        shaded(place(facts.incident.start_ns), place(facts.incident.end_ns), bottom - TOP),
        f'<path class="axis" d="M{LABELS} {bottom}H{LABELS + width}"/>',
        f'<text x="{LABELS}" y="{TOP - 10}">{escape(utc(low, 0))}</text>',
        f'<text x="{LABELS + width}" y="{TOP - 10}" text-anchor="end">'
        f"+ {escape(humane(high - low))}</text>",
    ]
    for row, (time_ns, what) in enumerate(moments):
        y, x = TOP + row * ROW + ROW // 2, place(time_ns)
        words = escape(shortened(visible(what), 54))
        parts += [
            f'<path class="grid" d="M{LABELS} {y}H{x}"/>',
            f'<text x="{LABELS - 8}" y="{y + 4}" text-anchor="end">{words}</text>',
            f'<circle cx="{x}" cy="{y}" r="4"><title>{escape(utc(time_ns))} UTC</title></circle>',
        ]
    return drawn(caption, bottom + 8, parts, [])
