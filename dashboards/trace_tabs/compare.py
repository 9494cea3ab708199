"""This flow beside another: what differs, step by step."""

from contextlib import suppress

import polars as pl
import streamlit as st

from analyzer.derive.diff import FlowDiff, StepDifference, diff
from dashboards import data, links
from dashboards.components.address_filters import TEXT_LENGTH_MAX, filter_text
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.flow_page import FlowPage, flow_page
from dashboards.flow_questions import nearest_success
from dashboards.markup import facts, heading, word_chip
from dashboards.wording import clean, duration_text, shortened, value_text
from store.errors import NotFoundError
from store.model import JsonValue

WITH = "with"
VALUE_LENGTH_MAX = 300
MARKS = {"added": "+ only in B", "removed": "− only in A", "moved": "↕ moved",
         "changed": "≠ changed", "same": "= same"}  # fmt: skip


def compare_tab(page: FlowPage) -> None:
    """`&with=ID` names the other flow; else the nearest one that succeeded."""
    asked = filter_text(
        "Compare with flow (id)", WITH, "the nearest flow of its kind that succeeded"
    )
    try:
        beside = _beside(page, asked)
    except NotFoundError as error:
        st.warning(shortened(clean(str(error)), 400))
        return
    if beside is None:
        st.text("No other flow of this kind succeeded. Give the id of a flow to compare with.")
        return
    found = diff(page.flow, beside.flow)
    if not asked:
        st.caption("B is the flow of the same kind that succeeded nearest in time, chosen for you.")
    _heads(found)
    _steps(found)
    links.as_command("flows", "diff", found.a.flow_id, found.b.flow_id)


def ask_compared(page: FlowPage) -> None:
    """Asks what the tab shows, under the lease of whoever asks."""
    with suppress(NotFoundError):  # the tab says so
        _beside(page, st.query_params.get(WITH, "")[:TEXT_LENGTH_MAX])


def _beside(page: FlowPage, asked: str) -> FlowPage | None:
    with data.one_lease():
        other = asked or nearest_success(page.flow)
        return flow_page(other) if other is not None else None


def _heads(found: FlowDiff) -> None:
    for column, letter, flow in zip(st.columns(2), "AB", (found.a, found.b), strict=True):
        with column, st.container(border=True):
            above = f"{letter}: {flow.name} {flow.version}".strip()
            st.html(heading(flow.flow_id, above=above, size_rem="1.05") + word_chip(flow.outcome))
            took = flow.end_ns - flow.start_ns if flow.end_ns is not None else None
            st.text(f"took {duration_text(took)}")
            if letter == "B":
                links.trace_link("Open B", flow=flow.flow_id)
    if found.fields:
        st.html(facts((one.field, f"{_value(one.a)} → {_value(one.b)}") for one in found.fields))
    if found.same:
        st.text("Nothing differs but ids and times.")
    if not found.order_compared:
        st.text("Too many steps to compare their order.")


def _steps(found: FlowDiff) -> None:
    changed = sum(one.change != "same" for one in found.steps)
    st.subheader(f"Steps ({changed:,} of {len(found.steps):,} differ)")
    if not found.steps:
        st.text("Neither flow has steps.")
        return
    table = pl.DataFrame([_row(one) for one in found.steps])
    st.caption(
        "Durations are of single runs: an observation, not an effect. Select a row to see its span "
        "in A."
    )
    row = picking_table(
        table,
        key="diff_table",
        alt="Steps of both flows",
        height_max_px=620,
        columns={"what differs": st.column_config.Column(width="large")},
    )
    exports(table, "flow-diff")
    if row is not None:
        step = found.steps[row].a
        if step is not None and step.attempts:
            links.show_span(step.attempts[0].trace_id, step.attempts[0].span_id)
            st.rerun()


def _row(one: StepDifference) -> dict[str, object]:
    step = one.b if one.b is not None else one.a
    assert step is not None
    return {
        "": MARKS.get(one.change, one.change),
        "step": clean(step.name),
        "callee": clean(step.callee or step.service),
        "what differs": "; ".join(
            f"{field.field}: {_value(field.a)} → {_value(field.b)}" for field in one.fields
        ),
        "took in A": duration_text(one.took_a_ns),
        "took in B": duration_text(one.took_b_ns),
        "B − A": duration_text(one.took_b_ns - one.took_a_ns)
        if one.took_a_ns is not None and one.took_b_ns is not None
        else "",
        "key": clean(step.key),
    }


def _value(value: JsonValue) -> str:
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, list):
        return ", ".join(_value(entry) for entry in value)
    return shortened(value_text(value), VALUE_LENGTH_MAX)
