"""The compensation path of one flow: what was done, and what undid it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from retrospan.report import bases
from retrospan.report.charts.drawing import FILLS, TOP, WIDTH, drawn, key, legend
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Chart, EvidenceLog
from retrospan.text import shortened, visible
from retrospan.timespan import humane
from store.conclusions import Flow, Step, StepOutcome

ROWS_MAX = 30
ROW, BOX, LEFT_BOX, RIGHT_BOX = 34, 300, 40, 500
DONE, UNDONE, STANDING, UNSETTLED = (
    "kept, flow succeeded", "undone", "left standing", "not settled",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    step: Step
    fate: str


def undoing_chart(facts: IncidentFacts, flow: Flow, log: EvidenceLog) -> Chart | None:
    """Left the steps with a saga role that did something, in order; right the compensations; a
    line joins a compensation with what it undid."""
    steps = sorted(flow.steps, key=lambda step: (step.start_ns, step.step_id))
    undoing = [step for step in steps if step.role == "compensation"]
    done = [step for step in steps if step.role in ("compensatable", "pivot", "retriable")]
    if not undoing or not done:
        return None
    standing = {one.effect.step for one in bases.residuals(facts) if one.flow_id == flow.flow_id}
    undone = {step.compensates for step in undoing if step.outcome is StepOutcome.OK}
    left = [_Place(step=step, fate=_fate(flow, step, standing, undone)) for step in done[:ROWS_MAX]]
    right = [
        _Place(step=step, fate=STANDING if _named(step, standing) else UNDONE)
        if step.outcome is StepOutcome.OK
        else _Place(step=step, fate=UNSETTLED)
        for step in undoing[:ROWS_MAX]
    ]
    caption = "Compensation path of that flow: what was done, and what undid it, in order"
    table = log.table(
        bases.flow_basis(flow),
        caption,
        ["after start", "step", "role", "ended", "undoes", "what became of it"],
        [_row(flow, place) for place in (*left, *right)],
        more="retrospan flows show",
    )
    return Chart(svg=_drawing(caption, left, right), table=table)


def _named(step: Step, names: set[str]) -> bool:
    return bool({step.step_id, step.name, step.saga_step or step.name} & names)


def _fate(flow: Flow, step: Step, standing: set[str], undone: set[str | None]) -> str:
    if _named(step, standing):
        return STANDING
    if step.step_id in undone:
        return UNDONE
    return DONE if flow.outcome.value == "succeeded" else UNSETTLED


def _row(flow: Flow, place: _Place) -> list[object]:
    step = place.step
    names = {one.step_id: one.saga_step or one.name for one in flow.steps}
    return [
        humane(step.start_ns - flow.start_ns),
        step.saga_step or step.name,
        step.role or "–",
        step.outcome.value,
        "–" if step.compensates is None else names.get(step.compensates, step.compensates),
        place.fate,
    ]


def _drawing(caption: str, left: Sequence[_Place], right: Sequence[_Place]) -> str:
    used = {place.fate for place in (*left, *right)}
    series = [name for name in FILLS if name in used]
    parts = legend(series)
    rows = {place.step.step_id: row for row, place in enumerate(left)}
    for row, place in enumerate(right):
        if place.step.compensates in rows:
            y = TOP + ROW // 2 + rows[place.step.compensates] * ROW
            parts.append(
                f'<path class="line" d="M{RIGHT_BOX} {TOP + ROW // 2 + row * ROW}'
                f'L{LEFT_BOX + BOX} {y}"/>'
            )
    for x, places in ((LEFT_BOX, left), (RIGHT_BOX, right)):
        for row, place in enumerate(places):
            y = TOP + row * ROW
            name = place.step.saga_step or place.step.name
            words = f"{row + 1}. {name} ({place.step.outcome.value})"
            parts += [
                f'<rect x="{x}" y="{y + 4}" width="14" height="{ROW - 8}" '
                f'fill="url(#f-{key(place.fate)})"><title>{place.fate}</title></rect>',
                f'<rect class="box" x="{x + 14}" y="{y + 4}" width="{BOX - 14}" '
                f'height="{ROW - 8}"/>',
                f'<text x="{x + 22}" y="{y + 21}">{escape(shortened(visible(words), 42))}</text>',
            ]
    assert RIGHT_BOX + BOX < WIDTH
    return drawn(caption, TOP + max(len(left), len(right)) * ROW + 8, parts, series)
