"""How flows ended, by the time they started."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from html import escape

from retrospan.report import bases
from retrospan.report.charts.drawing import (
    HEIGHT,
    LEFT,
    TOP,
    VIOLATED,
    WIDTH,
    axes,
    drawn,
    key,
    legend,
    shaded,
)
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Chart, EvidenceLog
from retrospan.timespan import NS_PER_SECOND, humane, utc
from store.conclusions import FlowOutcome, Verdict

BINS_MAX = 60
BIN_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)


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
    parts = legend(used)
    if shade[1] >= shade[0]:
        parts.append(shaded(LEFT + shade[0] * width, LEFT + (shade[1] + 1) * width, plot_h))
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
                f'height="{height}" fill="url(#f-{key(outcome)})">'
                f"<title>{escape(title)}</title></rect>"
            )
    parts += axes(str(top), label(0), label(total_bins - 1))
    return drawn(caption, HEIGHT, parts, used)
