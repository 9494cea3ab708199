"""The line above a page whose data is in doubt: what it says, when, and where it leads."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from streamlit.proto.PageLink_pb2 import PageLink
from streamlit.testing.v1 import AppTest

from dashboards import data, flow_questions
from dashboards.doubts import _of_silence, doubts_of
from dashboards.scope import Scope
from dashboards.serve import STORE_VARIABLE
from dashboards.silence import silences
from store.conclusions import Flow
from store.lease import Store
from store.model import Span
from store.read import ClockSkew, counts
from store.write import write_batch
from store.write_derived import replace_flows
from tests.dashboards.conftest import HOSTILE, MS, START_NS, batch_of, flow_of, spans_of
from tests.dashboards.test_pages import VIEWS, links, opened, shown

PAGES = ("overview", "service_map", "compensation", "incidents", "ai")
Change = Callable[[int, Flow], Flow]
Fill = Callable[[int, Change], None]


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Makes a store of healthy flows as `change` makes them, and has the pages read it."""
    path = tmp_path / "store.duckdb"
    monkeypatch.setenv(STORE_VARIABLE, str(path))

    def filled(many: int, change: Change) -> None:
        spans: dict[int, Sequence[Span]] = {
            n: spans_of(n, failed=False, name="order") for n in range(many)
        }
        flows = [change(n, flow_of(n, spans[n], failed=False, name="order")) for n in spans]
        with Store(path).lease("filling a test store", create=True) as session:
            write_batch(session, batch_of(spans.values()))
            replace_flows(
                session,
                generation=counts(session).generation,
                flows=flows,
                members={
                    flows[n].flow_id: [(one.trace_id, one.span_id) for one in rows]
                    for n, rows in spans.items()
                },
                sagas=[],
                findings=[],
                code_digest="test",
            )

    return filled


def unchanged(number: int, flow: Flow) -> Flow:
    return flow


def short(scope: Scope | None = None) -> list[str]:
    return [one.short for one in doubts_of(scope or Scope(), data.holdings())]


def told(scope: Scope | None = None) -> str:
    return "\n".join(
        line for one in doubts_of(scope or Scope(), data.holdings()) for line in one.told
    )


def line_of(app: AppTest) -> PageLink | None:
    found = [one.proto for one in shown(app, "page_link") if "may be off" in one.label]
    return found[0] if found else None


def test_every_page_says_on_one_line_why_its_numbers_may_be_off(served_store: Path) -> None:
    app = opened("flows", **{"from": "10m", "service": "checkout"})
    for view in PAGES:
        line = line_of(app.switch_page(str(VIEWS / f"{view}.py")).run())
        assert not app.exception
        assert line is not None, view
        label = line.label.replace("\\", "")
        assert "spans missing in" in label
        assert "1 record refused" in label
        assert (line.page, "from=10m" in line.query_string) == ("quality", True), view
        assert "service=checkout" in line.query_string


def test_the_line_names_the_range_that_the_page_opened_with(served_store: Path) -> None:
    line = line_of(opened("overview"))
    assert line is not None
    assert "from=all" in line.query_string


def test_a_page_whose_data_is_whole_says_nothing(fill: Fill) -> None:
    fill(3, unchanged)
    assert line_of(opened("overview")) is None


def test_a_range_without_the_broken_flows_is_not_in_doubt_for_them(served_store: Path) -> None:
    assert "spans missing in 4 flows of 24" in short()
    assert short(Scope(until_ns=START_NS + 50_000 * MS)) == ["1 record refused"]


def with_stock(last: int, every: int) -> Change:
    def change(number: int, flow: Flow) -> Flow:
        here = number <= last and number % every == 0
        return replace(flow, services=["checkout", "stock"]) if here else flow

    return change


def test_a_service_missing_from_the_last_flows_of_a_kind_is_named_without_blame(fill: Fill) -> None:
    fill(30, with_stock(last=14, every=1))
    assert short() == ["stock silent before the end"]
    text = told()
    assert "no part in the last 15 flows of kind order, since 2026-11-03 10:04:40 UTC" in text
    assert "15 of 15 flows (100 %)" in text
    assert "which of them is unknown" in text


def parts(heard: str, flows: int = 5) -> list[dict[str, object]]:
    """Rows of one kind with so many flows in each part; `x` where the service was in all of them,
    `i` in one."""
    every: list[dict[str, object]] = [{"service": None, "flows": flows} for _ in heard]
    own: list[dict[str, object]] = [
        {"service": "stock", "flows": flows if mark == "x" else 1, "part": part}
        for part, mark in enumerate(heard)
        if mark != "-"
    ]
    numbered = [{**row, "part": part} for part, row in enumerate(every)]
    return [{**row, "name": "order", "last_ns": 0} for row in (*numbered, *own)]


@pytest.mark.parametrize(
    ("heard", "later"),
    [
        ("xxxxxxxx--", 10),  # steady, then gone
        ("xxxxxxxx-", None),  # fewer flows than tell something
        ("xxxxxxxxxx", None),
        ("-xxxxxx---", 15),  # it had begun a little later
        ("---xx-----", None),  # it stood in for another for a while
        ("xx---xx---", None),  # it comes in bursts
        ("x-x-x-x----", 20),
        ("iiiiiiiii-", None),  # one flow in five has it: none of five is no wonder
        ("iiiiiiiiiiiiiiiiiiii-----------", 55),
    ],
)
def test_a_silence_is_told_where_steady_work_ends(heard: str, later: int | None) -> None:
    assert [one.later for one in silences(parts(heard))] == ([later] if later else [])


def test_no_more_services_than_a_reader_takes_in_are_named() -> None:
    rows = parts("xxxxxxxx--")
    many = [{**row, "service": f"stock-{n}"} for n in range(8) for row in rows if row["service"]]
    (doubt,) = _of_silence(silences([*(row for row in rows if not row["service"]), *many]))
    assert doubt.short == "8 services silent before the end"
    assert len(doubt.told) == 6
    assert doubt.told[-1] == "… and 3 more"


def test_a_service_whose_kind_of_flow_ended_is_not_called_silent() -> None:
    rows = parts("xxxxxx") + [{**row, "name": "other"} for row in parts("--------")]
    assert silences(rows) == []


def test_sampling_is_told_apart_from_sampling_that_nobody_recorded(fill: Fill) -> None:
    def change(number: int, flow: Flow) -> Flow:
        if number < 2:
            return replace(flow, sampling="unknown", sampling_weight=None)
        return (
            replace(flow, sampling="weighted", sampling_weight=Fraction(16)) if number < 5 else flow
        )

    fill(9, change)
    assert short() == ["2 flows of 9 sampled in an unknown way", "3 flows of 9 sampled"]
    assert "2 of 9 flows (22.2 %)" in told()


def test_clocks_that_surely_disagree_are_told_and_others_not(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = ClockSkew(
        caller="a", callee=HOSTILE, calls=9, offset_ns=2 * MS, low_ns=MS, high_ns=3 * MS
    )
    perhaps = replace(sure, callee="c", low_ns=-MS)
    hardly = replace(sure, callee="d", offset_ns=MS // 2, low_ns=MS // 4)
    monkeypatch.setattr(flow_questions, "clock_skew", lambda: (sure, perhaps, hardly))
    assert "clocks of 1 pair of services disagree" in short()
    assert "is 2 ms ahead of that of a (n = 9 calls of the whole store)" in told()


def test_hostile_names_stay_text_on_the_line(fill: Fill) -> None:
    def change(number: int, flow: Flow) -> Flow:
        return replace(flow, services=["checkout", HOSTILE]) if number < 15 else flow

    fill(30, change)
    labels = [label for label in links(opened("overview")) if "may be off" in label]
    assert len(labels) == 1
    assert "](javascript" not in labels[0]
    assert "\\<img" in labels[0], "escaped for Markdown"
