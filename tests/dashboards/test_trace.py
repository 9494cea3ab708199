"""The Trace page's sequence, logs, comparison and files."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboards import data, flow_page, flow_questions
from dashboards.chrome_trace import chrome_trace
from dashboards.components.exports import as_csv
from dashboards.flow_page import FlowPage
from dashboards.sequence import MESSAGE_COUNT_MAX, left_out, sequence
from dashboards.trace_tabs.save_as import file_stem, flow_json, otlp, span_table
from ingest.limits import Limits
from ingest.reader import discover
from store.model import Span
from tests.dashboards.conftest import HOSTILE, LOG, flow_of, spans_of

VIEWS = Path(data.__file__).parent / "views"
BROKEN_FLOW = f"trace:{4:032x}"
MS = 1_000_000


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    data._overview.clear()
    flow_page._flow_page.clear()
    flow_questions._clock_skew.clear()
    yield


def opened(**params: str) -> AppTest:
    app = AppTest.from_file(str(VIEWS.parent / "app.py"), default_timeout=30).run()
    for key, value in params.items():
        app.query_params[key.removesuffix("_")] = value
    app.switch_page(str(VIEWS / "trace.py")).run()
    assert not app.exception
    return app


def written(app: AppTest) -> str:
    kinds = ("html", "text", "code", "caption", "markdown", "subheader", "warning")
    shown: list[Any] = [one for kind in kinds for one in app.get(kind)]
    return "\n".join(str(one.value) for one in shown)


def broken_page() -> FlowPage:
    spans = spans_of(3, failed=True, name=HOSTILE)
    flow = flow_of(3, spans, failed=True, name=HOSTILE)
    return FlowPage(
        flow=flow, spans=tuple(spans), logs=(LOG,), decisions=(), sagas=(), findings=(),
        replays=(), incidents=(),
    )  # fmt: skip


def test_a_sequence_shows_each_try_in_order_with_its_end() -> None:
    text = sequence(broken_page().flow)
    assert text is not None
    asked = [line.strip() for line in text.splitlines() if "->>" in line and "--" not in line]
    assert [line.split(": ")[1].split(" (")[0] for line in asked][:3] == [
        "POST /reserve", "POST /charge, try 1 of 2", "POST /charge, try 2 of 2",
    ]  # fmt: skip
    assert text.count("--x") == 2


def test_a_sequence_holds_nothing_that_mermaid_or_html_could_run() -> None:
    text = sequence(broken_page().flow)
    assert text is not None
    assert not set(text) & set('<>"`;#[]{}%=') - {">"}
    assert "<" not in text


def test_a_long_sequence_is_cut_and_counted() -> None:
    flow = broken_page().flow
    many = replace(flow, steps=list(flow.steps) * 60)
    assert left_out(many) == 4 * 60 - MESSAGE_COUNT_MAX
    assert sequence(replace(flow, steps=())) is None


def test_a_chrome_trace_holds_every_span_once_and_keeps_nesting() -> None:
    spans = broken_page().spans
    events = json.loads(chrome_trace(spans))["traceEvents"]
    drawn = [event for event in events if event["ph"] == "X"]
    assert {event["args"]["span_id"] for event in drawn} == {span.span_id for span in spans}
    assert [e["args"].get("unfinished", False) for e in drawn].count(True) == 1
    names = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert names == {"checkout", "payment"}


@given(
    st.lists(
        st.tuples(st.integers(min_value=0, max_value=200), st.integers(min_value=0, max_value=80)),
        max_size=30,
    )
)
def test_within_a_lane_spans_follow_or_nest_and_never_overlap(times: list[tuple[int, int]]) -> None:
    spans = [
        Span(
            trace_id=f"{1:032x}", span_id=f"{n:016x}", parent_span_id=None, name="s",
            kind="internal", service="a", start_ns=begin * 1000, end_ns=(begin + took) * 1000,
        )
        for n, (begin, took) in enumerate(times, 1)
    ]  # fmt: skip
    drawn = [e for e in json.loads(chrome_trace(spans))["traceEvents"] if e["ph"] == "X"]
    assert len(drawn) == len(spans)
    for place, one in enumerate(drawn):
        for other in drawn[place + 1 :]:
            if one["tid"] == other["tid"]:
                apart = other["ts"] >= one["ts"] + one["dur"]
                within = other["ts"] + other["dur"] <= one["ts"] + one["dur"]
                assert apart or within


def test_an_otlp_file_reads_back_as_the_same_spans() -> None:
    page = broken_page()
    reader = discover()["otlp_json"]
    found = [
        one
        for one in reader.read(io.BytesIO(otlp(page).encode()), Limits())
        if isinstance(one, Span)
    ]
    assert {one.span_id: one.name for one in found} == {s.span_id: s.name for s in page.spans}


def test_a_csv_has_no_formula_and_one_line_per_span() -> None:
    page = broken_page()
    spans = (replace(page.spans[0], name="=1+1"), *page.spans[1:])
    rows = list(csv.DictReader(io.StringIO(as_csv(span_table(replace(page, spans=spans))))))
    assert len(rows) == len(spans)
    assert not rows[0]["name"].startswith("=")


def test_the_flow_as_json_is_the_document_of_the_command() -> None:
    document = json.loads(flow_json(broken_page()))
    assert document["schema"] == "retrospan.flow/1"
    assert len(document["steps"]) == 3


@pytest.mark.parametrize("flow_id", ["../../etc/passwd", "", "a b", "\u202e", "x" * 500])
def test_a_file_is_named_by_harmless_characters(flow_id: str) -> None:
    stem = file_stem(flow_id)
    assert 0 < len(stem) <= 60
    assert not set(stem) & set("/\\. \u202e")


def test_the_raw_tab_offers_four_files(served_store: Path) -> None:
    app = opened(flow=BROKEN_FLOW, tab="Raw")
    buttons: list[Any] = list(app.get("download_button"))
    labels = [button.proto.label for button in buttons]
    assert labels == ["OTLP (JSON lines)", "Chrome trace", "Spans as CSV", "Flow as JSON"]


def test_logs_are_listed_with_their_severity_in_words(served_store: Path) -> None:
    app = opened(flow=BROKEN_FLOW, tab="Logs")
    assert "1 of 1 records" in written(app)
    assert app.dataframe[0].value["severity"].iloc[0] == "✖ ERROR"
    assert "No log record" in written(opened(flow=f"trace:{1:032x}", tab="Logs"))


def test_a_flow_is_compared_with_the_one_named(served_store: Path) -> None:
    app = opened(flow=BROKEN_FLOW, tab="Compare", with_=f"trace:{1:032x}")
    text = written(app)
    assert "compensation_failed → succeeded" in text
    table = app.dataframe[0].value
    assert list(table[""]) == ["= same", "≠ changed", "− only in A"]
    assert f"retrospan flows diff {BROKEN_FLOW} trace:{1:032x}" in text


def test_without_a_name_the_nearest_flow_that_succeeded_is_taken(served_store: Path) -> None:
    text = written(opened(flow=f"trace:{10:032x}", tab="Compare"))
    assert "chosen for you" in text
    assert "No other flow of this kind" in written(opened(flow=BROKEN_FLOW, tab="Compare"))


def test_a_flow_leads_to_those_of_its_shape_and_to_its_incident(served_store: Path) -> None:
    app = opened(flow=f"trace:{10:032x}")
    told = written(app)
    assert "shape: 3 of 23 flows" in told
    links = {one.proto.label: one.proto.query_string for one in app.get("page_link")}
    shaped = next(query for label, query in links.items() if "Flows of this shape" in label)
    assert shaped == f"shape={flow_page.flow_page(f'trace:{10:032x}').flow.variant}"
    incident = next(query for label, query in links.items() if "Incident Payment" in label)
    assert incident == "id=incident-1"


def test_an_unknown_flow_to_compare_with_is_said(served_store: Path) -> None:
    app = opened(flow=BROKEN_FLOW, tab="Compare", with_="nobody")
    assert "nobody" in written(app)


@pytest.mark.parametrize("tab", ["Sequence", "Logs", "Compare"])
def test_each_tab_shows_hostile_names_as_text(served_store: Path, tab: str) -> None:
    app = opened(flow=BROKEN_FLOW, tab=tab, with_=f"trace:{10:032x}")
    pieces: list[Any] = list(app.get("html"))
    assert all(HOSTILE not in one.value for one in pieces)
    assert all("](javascript" not in one.value for one in app.markdown)
