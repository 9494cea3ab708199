"""What became of each effect of the affected flows."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from html import escape

from retrospan.report import bases
from retrospan.report.charts.drawing import TOP, WIDTH, drawn, key, legend
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Chart, EvidenceLog
from retrospan.text import shortened, visible
from store.conclusions import FlowOutcome, StepOutcome

STEPS_MAX = 20


def effects_chart(facts: IncidentFacts, log: EvidenceLog) -> Chart | None:
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
    parts = legend(series)
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
                    f'fill="url(#f-{key(kind)})"><title>{count} {kind}</title></rect>'
                )
                x += width
    return drawn(caption, TOP + len(names) * row_h + 8, parts, series)
