"""The shell of every drawing: patterns, legend, and a frame that screen readers can name.

SVG written by hand: no dependency, the same bytes each time, readable as text. Colour never stands
alone: each series has its own fill pattern, a legend in words, and the numbers are in a table
beside the drawing. Only integers go into coordinates.
"""

from collections.abc import Mapping, Sequence
from html import escape

from retrospan.canonical import digest

WIDTH, HEIGHT, LEFT, TOP = 860, 200, 44, 28
VIOLATED = "saga violated"
# Okabe and Ito's colours, which the colour-blind tell apart.
FILLS: Mapping[str, tuple[str, str]] = {
    "succeeded": ("#9fc5e8", ""),
    "compensated": ("#56b4e9", "M0 6L6 0"),
    "failed": ("#e69f00", "M0 0L6 6"),
    "partially_compensated": ("#cc79a7", "M3 0V6"),
    "compensation_failed": ("#009e73", "M0 3H6"),
    "in_progress": ("#f0e442", ""),
    "unknown": ("#bbbbbb", ""),
    VIOLATED: ("#d55e00", "M0 0L6 6M0 6L6 0"),
    "undone": ("#56b4e9", "M0 6L6 0"),
    "left standing": ("#d55e00", "M0 3H6"),
    "kept, flow succeeded": ("#9fc5e8", ""),
    "not settled": ("#bbbbbb", ""),
    "ok": ("#9fc5e8", ""),
    "error": ("#e69f00", "M0 0L6 6"),
    "timeout": ("#d55e00", "M0 0L6 6M0 6L6 0"),
    "cancelled": ("#cc79a7", "M3 0V6"),
    "not known": ("#bbbbbb", ""),
    "at the callee": ("#444444", ""),
}


def legend(series: Sequence[str]) -> list[str]:
    parts: list[str] = []
    x = LEFT
    for name in series:
        parts += [
            f'<rect x="{x}" y="6" width="12" height="12" fill="url(#f-{key(name)})"/>',
            f'<text x="{x + 16}" y="16">{name.replace("_", " ")}</text>',
        ]
        x += 30 + 7 * len(name)
    return parts


def shaded(left: int, right: int, height: int = HEIGHT - TOP - 30) -> str:
    """The incident's window behind a drawing."""
    return (
        f'<rect class="window" x="{left}" y="{TOP}" width="{max(1, right - left)}" '
        f'height="{height}"/>'
    )


def axes(top: str, first: str, last: str, base: int = HEIGHT - 30) -> list[str]:
    """Both axes with the ends of their scales in words."""
    return [
        f'<path class="axis" d="M{LEFT} {TOP}V{base}H{WIDTH - 8}"/>',
        f'<text x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{escape(top)}</text>',
        f'<text x="{LEFT - 6}" y="{base}" text-anchor="end">0</text>',
        f'<text x="{LEFT}" y="{base + 16}">{escape(first)}</text>',
        f'<text x="{WIDTH - 8}" y="{base + 16}" text-anchor="end">{escape(last)}</text>',
    ]


def key(name: str) -> str:
    return name.replace(" ", "-").replace("_", "-").replace(",", "")


def drawn(caption: str, height: int, parts: Sequence[str], series: Sequence[str]) -> str:
    patterns = "".join(
        f'<pattern id="f-{key(name)}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="{FILLS[name][0]}"/>'
        f'<path d="{FILLS[name][1]}" stroke="#222" stroke-opacity=".45" fill="none"/></pattern>'
        for name in series
    )
    drawing = f"<defs>{patterns}</defs>{''.join(parts)}"
    own = f"f{digest(caption)[:6]}-"  # two drawings on one page must not share names
    drawing = drawing.replace('"f-', f'"{own}').replace('"url(#f-', f'"url(#{own}')
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(caption)}" '
        f'xmlns="http://www.w3.org/2000/svg">{drawing}</svg>'
    )
