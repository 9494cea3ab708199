"""Charts written by hand as SVG: no dependency, the same bytes each time, readable as text.

Colour never stands alone: each series has its own fill pattern, a legend in words, and the numbers
are in a table beside the drawing. Only integers go into coordinates.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from html import escape

from retrospan.canonical import digest
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Chart, EvidenceLog
from retrospan.text import shortened, visible
from retrospan.timespan import NS_PER_SECOND, humane, utc
from store.conclusions import FlowOutcome, StepOutcome, Verdict

WIDTH, HEIGHT, LEFT, TOP = 860, 200, 44, 28
BINS_MAX = 60
BIN_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
STEPS_MAX = 20
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
}


def outcome_chart(facts: IncidentFacts, log: EvidenceLog) -> Chart | None:
    """Flows by the bin they started in: how they ended, those with a saga violation apart."""
    flows = facts.inside + facts.outside
    if not flows:
        return None
    low = min(flow.start_ns for flow in flows)
    high = max(flow.start_ns for flow in flows)
    bin_ns = _bin_ns(high - low)
    first = low // bin_ns
    violated = {saga.flow_id for saga in facts.sagas if saga.verdict is Verdict.VIOLATION}
    bins: dict[int, Counter[str]] = defaultdict(Counter)
    for flow in flows:
        name = VIOLATED if flow.flow_id in violated else flow.outcome.value
        bins[flow.start_ns // bin_ns - first][name] += 1
    series = [outcome.value for outcome in FlowOutcome] + [VIOLATED]
    used = [name for name in series if any(counts[name] for counts in bins.values())]
    rows = [
        [utc((first + index) * bin_ns, 0), *(bins[index][outcome] for outcome in used)]
        for index in sorted(bins)
    ]
    caption = f"Flows by start, in bins of {humane(bin_ns)}, by how they ended (n = {len(flows)})"
    incident = facts.incident
    shade = (
        max(0, incident.start_ns // bin_ns - first),
        min(high // bin_ns, incident.end_ns // bin_ns) - first,
    )
    total_bins = high // bin_ns - first + 1
    table = log.table(
        bases.everything(facts),
        caption,
        ["start (UTC)", *(f"{outcome} (n)" for outcome in used)],
        rows,
    )
    svg = _stacked(caption, bins, used, total_bins, shade, lambda i: utc((first + i) * bin_ns, 0))
    return Chart(svg=svg, table=table)


def _bin_ns(span_ns: int) -> int:
    """The smallest agreeable bin that needs no more than BINS_MAX bins."""
    for seconds in BIN_SECONDS:
        if span_ns // (seconds * NS_PER_SECOND) < BINS_MAX:
            return seconds * NS_PER_SECOND
    day = BIN_SECONDS[-1] * NS_PER_SECOND
    return day * (span_ns // (day * BINS_MAX) + 1)


def _stacked(
    caption: str,
    bins: Mapping[int, Counter[str]],
    used: Sequence[str],
    total_bins: int,
    shade: tuple[int, int],
    label: Callable[[int], str],
) -> str:
    top = max(sum(counts.values()) for counts in bins.values())
    plot_w, plot_h = WIDTH - LEFT - 8, HEIGHT - TOP - 30
    width = max(1, plot_w // total_bins)
    parts = _legend(used)
    if shade[1] >= shade[0]:
        parts.append(
            f'<rect class="window" x="{LEFT + shade[0] * width}" y="{TOP}" '
            f'width="{(shade[1] - shade[0] + 1) * width}" height="{plot_h}"/>'
        )
    base = TOP + plot_h
    for index in sorted(bins):
        y = base
        for outcome in used:
            count = bins[index][outcome]
            if not count:
                continue
            height = max(1, count * plot_h // top)
            y -= height
            title = f"{label(index)} UTC: {count} {outcome}"
            parts.append(
                f'<rect x="{LEFT + index * width}" y="{y}" width="{max(1, width - 1)}" '
                f'height="{height}" fill="url(#f-{_key(outcome)})">'
                f"<title>{escape(title)}</title></rect>"
            )
    parts += [
        f'<path class="axis" d="M{LEFT} {TOP}V{base}H{WIDTH - 8}"/>',
        f'<text x="{LEFT - 6}" y="{TOP + 10}" text-anchor="end">{top}</text>',
        f'<text x="{LEFT - 6}" y="{base}" text-anchor="end">0</text>',
        f'<text x="{LEFT}" y="{base + 16}">{escape(label(0))}</text>',
        f'<text x="{WIDTH - 8}" y="{base + 16}" text-anchor="end">'
        f"{escape(label(total_bins - 1))}</text>",
    ]
    return _svg(caption, HEIGHT, parts, used)


def compensation_chart(facts: IncidentFacts, log: EvidenceLog) -> Chart | None:
    """Steps of affected flows that took effect, and what became of each effect."""
    left = Counter((one.flow_id, one.effect.step) for one in bases.residuals(facts))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for flow in facts.affected_inside:
        undone = {
            step.compensates
            for step in flow.steps
            if step.role == "compensation" and step.outcome is StepOutcome.OK
        }
        for step in flow.steps:
            if step.role != "compensatable":
                continue
            name = step.saga_step or step.name
            if left[flow.flow_id, name] or left[flow.flow_id, step.step_id]:
                counts[name]["left standing"] += 1
            elif step.step_id in undone:
                counts[name]["undone"] += 1
            elif step.outcome is StepOutcome.OK:
                kept = flow.outcome is FlowOutcome.SUCCEEDED
                counts[name]["kept, flow succeeded" if kept else "not settled"] += 1
    counts = {name: tally for name, tally in counts.items() if tally}
    if not counts:
        return None
    series = ["undone", "left standing", "kept, flow succeeded", "not settled"]
    names = sorted(counts, key=lambda name: (-counts[name]["left standing"], name))
    rows = [[name, *(counts[name][kind] for kind in series)] for name in names[:STEPS_MAX]]
    caption = "Effects of affected flows, and what became of them"
    table = log.table(
        bases.residual_basis(facts),
        caption,
        ["step", *(f"{kind} (n)" for kind in series)],
        rows,
        more="retrospan sagas list --json",
    )
    return Chart(svg=_bars(caption, names[:STEPS_MAX], counts, series), table=table)


def _bars(
    caption: str,
    names: Sequence[str],
    counts: Mapping[str, Counter[str]],
    series: Sequence[str],
) -> str:
    label_w, row_h = 240, 24
    top = max(sum(counts[name].values()) for name in names)
    parts = _legend(series)
    for row, name in enumerate(names):
        y, x = TOP + row * row_h, label_w
        text = escape(shortened(visible(name), 32))
        parts.append(f'<text x="{label_w - 8}" y="{y + 15}" text-anchor="end">{text}</text>')
        for kind in series:
            count = counts[name][kind]
            if count:
                width = max(1, count * (WIDTH - label_w - 8) // top)
                parts.append(
                    f'<rect x="{x}" y="{y + 3}" width="{width}" height="{row_h - 6}" '
                    f'fill="url(#f-{_key(kind)})"><title>{count} {kind}</title></rect>'
                )
                x += width
    return _svg(caption, TOP + len(names) * row_h + 8, parts, series)


def _legend(series: Sequence[str]) -> list[str]:
    parts: list[str] = []
    x = LEFT
    for name in series:
        parts += [
            f'<rect x="{x}" y="6" width="12" height="12" fill="url(#f-{_key(name)})"/>',
            f'<text x="{x + 16}" y="16">{name.replace("_", " ")}</text>',
        ]
        x += 30 + 7 * len(name)
    return parts


def _key(name: str) -> str:
    return name.replace(" ", "-").replace("_", "-").replace(",", "")


def _svg(caption: str, height: int, parts: Sequence[str], series: Sequence[str]) -> str:
    patterns = "".join(
        f'<pattern id="f-{_key(name)}" width="6" height="6" patternUnits="userSpaceOnUse">'
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
