"""Calls as recorded and as replayed, one above the other on one time axis.

In: both as bars. Out: HTML of escaped parts, drawn without a script.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from dashboards.wording import clean, duration_text, shortened
from replay.recording import recording_of
from store.conclusions import Flow, ReplayResult

ROW_COUNT_MAX = 200
LABEL_LENGTH_MAX = 60
TICKS = 5
RECORDED, REPLAYED, FAILED = "#0072B2", "#E69F00", "#D55E00"

Call = tuple[str, str]  # operation, key
Identity = tuple[str, str, int]  # and which try of it, counted over all steps that make the call


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One try of a call; times from the start of the flow."""

    start_ns: int
    end_ns: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One try in both; None where it is in one of them only."""

    name: str
    recorded: Bar | None
    replayed: Bar | None


def lanes(flow: Flow, result: ReplayResult) -> list[Lane]:
    """Tries of both, by start; the recording first where a try is in both.

    A message that came again makes the same call again, in a step of its own or not: the nth try of
    a call stands beside the nth.
    """
    recorded = _numbered(
        (
            (step.op, step.key),
            Bar(start_ns=attempt.start_ns, end_ns=attempt.end_ns, status=attempt.status),
        )
        for step in recording_of(flow).steps
        for attempt in step.attempts
    )
    replayed = _numbered(found for event in result.events if (found := _bar(event)) is not None)
    every = {**replayed, **recorded}
    order = sorted(every, key=lambda one: (every[one].start_ns, one))
    return [
        Lane(
            name=f"{op} {key}".strip() + (f", try {number}" if number > 1 else ""),
            recorded=recorded.get((op, key, number)),
            replayed=replayed.get((op, key, number)),
        )
        for op, key, number in order
    ]


def _numbered(tries: Iterable[tuple[Call, Bar]]) -> dict[Identity, Bar]:
    counts: Counter[Call] = Counter()
    found: dict[Identity, Bar] = {}
    for call, bar in sorted(tries, key=lambda one: one[1].start_ns):
        counts[call] += 1
        found[*call, counts[call]] = bar
    return found


def _bar(event: Mapping[str, object]) -> tuple[Call, Bar] | None:
    start_ns, end_ns = event.get("start_ns"), event.get("end_ns")
    is_try = isinstance(event.get("attempt"), int)
    if not (is_try and isinstance(start_ns, int) and isinstance(end_ns, int)):
        return None
    call = (str(event.get("op", "")), str(event.get("key", "")))
    return call, Bar(start_ns=start_ns, end_ns=end_ns, status=str(event.get("status", "")))


def two_waterfalls(rows: Sequence[Lane]) -> str:
    """The drawing; more than `ROW_COUNT_MAX` tries are cut, and it says so."""
    shown = rows[:ROW_COUNT_MAX]
    bars = [bar for row in shown for bar in (row.recorded, row.replayed) if bar is not None]
    whole = max((bar.end_ns for bar in bars), default=0) or 1
    ticks = "".join(
        f'<span style="position:absolute;left:{100 * at / TICKS:.1f}%;font-size:.75rem;'
        f'opacity:.75">{escape(duration_text(whole * at // TICKS)) if at else "0"}</span>'
        for at in range(TICKS)
    )
    lines = "".join(_line(row, whole) for row in shown)
    cut = (
        f"<div>… and {len(rows) - len(shown):,} more tries</div>" if len(rows) > len(shown) else ""
    )
    grid = "display:grid;grid-template-columns:minmax(180px,34%) 1fr;column-gap:10px"
    return (
        f'<div role="table" aria-label="Recorded and replayed calls" style="{grid}">'
        f'<div style="font-size:.8rem">{_key(RECORDED, "recorded")} {_key(REPLAYED, "replayed")} '
        f'<b style="color:{FAILED}">✖</b> failed</div>'
        f'<div style="position:relative;height:1.3em">{ticks}</div>{lines}</div>{cut}'
    )


def _key(color: str, word: str) -> str:
    return f'<b style="color:{color}">▬</b> {word}'


def _line(row: Lane, whole: int) -> str:
    name = clean(row.name)
    only = "" if row.recorded and row.replayed else " (recorded only)"
    if row.recorded is None:
        only = " (replayed only)"
    label = escape(shortened(name, LABEL_LENGTH_MAX) + only)
    return (
        f'<div role="rowheader" title="{escape(name, quote=True)}" style="font-size:.8rem;'
        f'overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{label}</div>'
        '<div style="position:relative;height:22px;border-bottom:1px solid rgba(128,128,128,.2)">'
        f"{_drawn(row.recorded, RECORDED, 1, whole)}"
        f"{_drawn(row.replayed, REPLAYED, 12, whole)}</div>"
    )


def _drawn(bar: Bar | None, color: str, top: int, whole: int) -> str:
    if bar is None:
        return ""
    left = 100 * bar.start_ns / whole
    width = max(0.3, 100 * (bar.end_ns - bar.start_ns) / whole)
    failed = bar.status != "ok"
    mark = f'<b style="color:{FAILED}">✖ {escape(shortened(clean(bar.status), 24))}</b>'
    told = f"{bar.status}, {duration_text(bar.end_ns - bar.start_ns)}"
    return (
        f'<div title="{escape(clean(told), quote=True)}" style="position:absolute;top:{top}px;'
        f"left:{left:.3f}%;width:{width:.3f}%;height:8px;background:{color};"
        f'{f"outline:2px solid {FAILED};" if failed else ""}"></div>'
        + (
            f'<div style="position:absolute;top:{top - 4}px;left:{min(left + width, 84):.3f}%;'
            f'padding-left:4px;font-size:.65rem;line-height:14px">{mark}</div>'
            if failed
            else ""
        )
    )
