"""The calls of one flow in time, at both ends."""

from html import escape

from retrospan.report import bases
from retrospan.report.charts.drawing import TOP, WIDTH, drawn, key, legend
from retrospan.report.model import Chart, EvidenceLog
from retrospan.text import shortened, visible
from retrospan.timespan import humane
from store.conclusions import Attempt, Flow, Step

ROWS_MAX = 40
LABELS, ROW = 290, 22
SERIES = ("ok", "error", "timeout", "cancelled", "not known", "at the callee")


def waterfall_chart(flow: Flow, log: EvidenceLog) -> Chart | None:
    """One row per attempt: the broad bar is what the caller saw, the thin one below it what the
    callee's own span says."""
    found = sorted(
        ((attempt, step) for step in flow.steps for attempt in step.attempts),
        key=lambda pair: (pair[0].start_ns, pair[0].span_id),
    )
    if not found:
        return None
    caption = "Calls of that flow in time: what the caller saw, and what the callee says"
    table = log.table(
        bases.flow_basis(flow),
        caption,
        ["after start", "step", "callee", "caller saw", "lasted", "callee says", "lasted there"],
        [_row(flow, attempt, step) for attempt, step in found],
        rows_max=ROWS_MAX,
        more="retrospan flows show",
    )
    return Chart(svg=_bars(caption, flow, found[:ROWS_MAX]), table=table)


def _row(flow: Flow, attempt: Attempt, step: Step) -> list[object]:
    callee = attempt.callee_outcome
    return [
        humane(attempt.start_ns - flow.start_ns),
        step.saga_step or step.name,
        step.callee or step.service,
        attempt.status,
        humane(_length(attempt.start_ns, attempt.end_ns)),
        "not recorded" if callee is None else callee.value,
        humane(_length(attempt.callee_start_ns, attempt.callee_end_ns)),
    ]


def _length(start_ns: int | None, end_ns: int | None) -> int | None:
    return None if start_ns is None or end_ns is None else end_ns - start_ns


def _bars(caption: str, flow: Flow, found: list[tuple[Attempt, Step]]) -> str:
    times = [
        moment
        for attempt, _ in found
        for moment in (
            attempt.start_ns, attempt.end_ns, attempt.callee_start_ns, attempt.callee_end_ns
        )
        if moment is not None
    ]  # fmt: skip
    low, high = min(times), max(times)
    width = WIDTH - LABELS - 16

    def place(moment: int) -> int:
        return LABELS + (moment - low) * width // max(1, high - low)

    def bar(start: int, end: int | None, y: int, height: int, name: str, title: str) -> str:
        left = place(start)
        right = place(high if end is None else end)
        return (
            f'<rect x="{left}" y="{y}" width="{max(2, right - left)}" height="{height}" '
            f'fill="url(#f-{key(name)})"><title>{escape(title)}</title></rect>'
        )

    used = {_series(attempt) for attempt, _ in found}
    if any(attempt.callee_start_ns is not None for attempt, _ in found):
        used.add("at the callee")
    series = [name for name in SERIES if name in used]
    parts = legend(series)
    for row, (attempt, step) in enumerate(found):
        y = TOP + row * ROW
        words = f"{step.saga_step or step.name} → {step.callee or step.service}"
        text = escape(shortened(visible(words), 46))
        parts += [
            f'<text x="{LABELS - 8}" y="{y + 13}" text-anchor="end">{text}</text>',
            bar(attempt.start_ns, attempt.end_ns, y + 2, 10, _series(attempt), attempt.status),
        ]
        if attempt.callee_start_ns is not None:
            said = "" if attempt.callee_outcome is None else attempt.callee_outcome.value
            parts.append(
                bar(attempt.callee_start_ns, attempt.callee_end_ns, y + 14, 4, SERIES[-1], said)
            )
    bottom = TOP + len(found) * ROW
    parts += [
        f'<path class="axis" d="M{LABELS} {TOP}V{bottom}H{LABELS + width}"/>',
        f'<text x="{LABELS}" y="{bottom + 16}">+ {humane(low - flow.start_ns)}</text>',
        f'<text x="{LABELS + width}" y="{bottom + 16}" text-anchor="end">'
        f"+ {humane(high - flow.start_ns)}</text>",
    ]
    return drawn(caption, bottom + 24, parts, series)


def _series(attempt: Attempt) -> str:
    return attempt.outcome.value if attempt.outcome.value in SERIES else "not known"
