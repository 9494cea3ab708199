"""Coverage in time: when each service was heard, and where it was called and not heard."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from dashboards import data, flow_questions, links
from dashboards.chart_axes import few_to_many, time_axis, words
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.components.picks import followed, pick_key
from dashboards.markup import notes
from dashboards.quality_parts.coverage import Coverage, Heard, coverage_of, step_ns
from dashboards.scope import Scope
from dashboards.wording import (
    clean,
    count_text,
    duration_text,
    plural,
    shortened,
    time_text,
)
from retrospan.timespan import rfc3339

KINDS = {
    "Spans": "heard_in_time",
    "Flows": "flows_in_time",
    "Decisions": "decided_in_time",
}
DRAWN_MAX = 40  # rows; the table has all
ROW_PX, FRAME_PX = 22, 96
NAME_LENGTH_MAX = 24
BAD = "#D55E00"
UNANSWERED = {
    "visualMap": False,
    "itemStyle": {"color": "rgba(213,94,0,.18)", "borderColor": BAD},
    "label": {"show": True, "formatter": "✖", "color": BAD},
}
PARTLY = {
    "label": {"show": True, "formatter": "◐", "color": "#fff", "textBorderColor": "#000",
              "textBorderWidth": 2},
}  # fmt: skip


def coverage_tab(scope: Scope) -> None:
    """`?count=` says what is counted."""
    kind = _kind()
    with data.one_lease():
        coverage = _asked(scope, kind)
        untimed = int(flow_questions.of_store("timed")["untimed"][0])
    if untimed:
        told = (
            f"Begun at no possible time: {plural(untimed, 'trace')} of the store, not drawn here."
        )
        st.html(notes([told], tone="warn"))
    if coverage is None or not coverage.heard:
        st.text(f"No {kind.lower()} in this range: whether anything happened is unknown.")
        return
    _told(coverage, kind)
    _chart(coverage.folded(), kind)
    _table(coverage, kind)


def _kind() -> str:
    asked = st.query_params.get("count", "")
    chosen = asked if asked in KINDS else next(iter(KINDS))
    st.session_state["quality-count"] = chosen
    st.segmented_control(
        "Counted",
        list(KINDS),
        key="quality-count",
        required=True,
        on_change=_write,
    )
    return chosen


def _write() -> None:
    chosen = str(st.session_state["quality-count"])
    links.change_address({"count": "" if chosen == next(iter(KINDS)) else chosen})


def _asked(scope: Scope, kind: str) -> Coverage | None:
    timed = flow_questions.of_store("timed").row(0, named=True)
    if timed["first_ns"] is None:
        return None
    first, last = int(timed["first_ns"]), int(timed["last_ns"])
    first = first if scope.since_ns is None else max(first, scope.since_ns)
    last = last if scope.until_ns is None else min(last, scope.until_ns - 1)
    if last < first:
        return None
    within = {"low_ns": first, "high_ns": last + 1, "width_ns": step_ns(first, last)}
    heard = flow_questions.of_store(KINDS[kind], **within).rows()
    calls = flow_questions.of_store("called_in_time", **within).rows() if kind == "Spans" else []
    if scope.services and kind != "Decisions":
        heard, calls = (
            [row for row in rows if row[0] in scope.services] for rows in (heard, calls)
        )
    return coverage_of(heard, calls, first, last, within["width_ns"])


def _told(coverage: Coverage, kind: str) -> None:
    quiet = coverage.quiet_steps
    lines = [
        f"{plural(coverage.steps, 'step')} of {duration_text(coverage.width_ns)} from "
        f"{time_text(coverage.first_ns, digits=0)}"
        + (f", {count_text(quiet)} of them without a record of anybody." if quiet else ".")
    ]
    if kind == "Spans":
        unanswered = sum(bool(one.total and one.unanswered) for one in coverage.heard)
        never = sum(not one.total for one in coverage.heard)
        if unanswered:
            lines.append(
                "Called in a step in which no span of theirs began: "
                f"{plural(unanswered, 'service')}; the spans are missing, or came a step later."
            )
        if never:
            lines.append(f"Called and never heard in this range: {plural(never, 'service')}.")
    lines.append("An empty place is unknown, not zero: nothing was recorded there.")
    st.caption(" ".join(lines))


def _chart(coverage: Coverage, kind: str) -> None:
    drawn = coverage.heard[:DRAWN_MAX]
    starts = [coverage.first_ns + at * coverage.width_ns for at in range(coverage.steps)]
    cells = _cells(drawn)
    most = max((cell["value"][2] for cell in cells), default=1)
    spec = {
        "animation": False,
        "grid": {"left": 170, "right": 16, "top": 8, "bottom": 62},
        "tooltip": {"position": "top", "renderMode": "richText"},
        "xAxis": time_axis(starts, lambda at_ns: _short(at_ns, coverage.width_ns)),
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [shortened(clean(one.name), NAME_LENGTH_MAX) or "(no name)" for one in drawn],
            **words(),
        },
        "visualMap": few_to_many(most, f"{count_text(most)} {kind.lower()}"),
        "series": [
            {
                "type": "heatmap",
                "name": kind.lower(),
                "selectedMode": "single",
                "data": cells,
                "label": {"show": False},
            }
        ],
    }
    state = st.echarts_chart(
        spec,
        key=pick_key("quality_coverage"),
        height=len(drawn) * ROW_PX + FRAME_PX,
        on_select="rerun",
        alt=f"{kind} by service and time; the table below says where the gaps are",
    )
    more = len(coverage.heard) - len(drawn)
    st.caption(
        f"One column = {duration_text(coverage.width_ns)} (UTC). ✖ = called, and nothing heard of "
        "it; ◐ = so in a part of the column. Select a place to see the flows that began then."
        + (f" {more:,} more are in the table." if more > 0 else "")
    )
    _open(state, cells, drawn, coverage, kind)


def _cells(drawn: Sequence[Heard]) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = []
    for row, one in enumerate(drawn):
        for at, (records, calls) in enumerate(zip(one.records, one.called, strict=True)):
            if records:
                cells.append({"value": [at, row, records], **(PARTLY if calls else {})})
            elif calls:
                cells.append({"value": [at, row, 0], **UNANSWERED})
    return cells


def _short(at_ns: int, width_ns: int) -> str:
    text = time_text(at_ns, digits=0)
    return text[5:16] if width_ns >= 60_000_000_000 else text[11:19]


def _open(
    state: Any, cells: list[dict[str, Any]], drawn: Sequence[Heard], coverage: Coverage, kind: str
) -> None:
    groups = state.get("selection", {}).get("selected", [])
    if not groups or not groups[0]["data_indices"]:
        return
    followed("quality_coverage")
    at, row, records = cells[int(groups[0]["data_indices"][0])]["value"]
    begin = coverage.first_ns + at * coverage.width_ns
    window = {"from": rfc3339(begin), "to": rfc3339(begin + coverage.width_ns)}
    named = {"service": drawn[row].name} if records and kind != "Decisions" else {}
    links.open_flows(**window, **named)


def _table(coverage: Coverage, kind: str) -> None:
    table = pl.DataFrame([_row(one, coverage, kind) for one in coverage.heard])
    st.caption("Select a row to see the flows that began in its longest silence.")
    row = picking_table(table, key="quality_silences", alt="Who was heard when, gravest gap first")
    exports(table, f"coverage-{kind.lower()}")
    if row is not None:
        begin, end = coverage.heard[row].silence
        first, width = coverage.first_ns, coverage.width_ns
        window = {"from": rfc3339(first + begin * width), "to": rfc3339(first + end * width)}
        links.open_flows(**(window if end > begin else {"service": coverage.heard[row].name}))


def _row(one: Heard, coverage: Coverage, kind: str) -> dict[str, object]:
    begin, end = one.silence
    row: dict[str, object] = {
        "model" if kind == "Decisions" else "service": clean(one.name) or "(no name)",
        f"{kind.lower()} (n)": one.total,
        "heard in": f"{one.steps:,} of {plural(coverage.steps, 'step')}",
        "longest silence": duration_text((end - begin) * coverage.width_ns) if end else "none",
        "from": time_text(coverage.first_ns + begin * coverage.width_ns, digits=0) if end else "–",
    }
    if kind == "Spans":
        row["called while silent (n)"] = one.unanswered
    return row
