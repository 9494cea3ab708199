"""The Flows page beyond its list: durations, filters, two selections compared, batch replays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboards import contrasts, data, flow_page, flow_questions
from dashboards.flow_filters import FlowFilters, filters_of, matching, milliseconds_ns
from dashboards.summary import heat
from retrospan.config import CONFIG_VARIABLE

VIEWS = Path(data.__file__).parent / "views"
MS = 1_000_000
FLOWS = pl.DataFrame(
    {
        "flow_id": ["a", "b", "c"],
        "name": ["pay", "pay", "ship"],
        "start_ns": [0, 60_000 * MS, 120_000 * MS],
        "duration_ns": [15 * MS, 90 * MS, None],
    }
)


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    data._overview.clear()
    flow_questions._asked.clear()
    yield


def opened(**params: str) -> AppTest:
    app = AppTest.from_file(str(VIEWS.parent / "app.py"), default_timeout=60).run()
    for key, value in params.items():
        app.query_params[key] = value
    app.switch_page(str(VIEWS / "flows.py")).run()
    assert not app.exception
    return app


def written(app: AppTest) -> str:
    kinds = ("html", "text", "code", "caption", "markdown", "subheader", "warning")
    shown: list[Any] = [one for kind in kinds for one in app.get(kind)]
    return "\n".join(str(one.value) for one in shown)


def kept(filters: FlowFilters) -> list[str]:
    return list(matching(FLOWS, filters, ())["flow_id"])


def test_durations_are_kept_from_the_least_up_to_below_the_most() -> None:
    assert kept(FlowFilters(longer="15", shorter="90")) == ["a"]
    assert kept(FlowFilters(longer="15.000001")) == ["b"]
    assert kept(FlowFilters(kind=["pay"])) == ["a", "b"]


@pytest.mark.parametrize("text", ["soon", "-1", "1e9", "٣", "1.2.3", "9" * 40])
def test_a_duration_that_is_none_finds_nothing_and_is_said(text: str) -> None:
    filters = FlowFilters(longer=text)
    assert kept(filters) == []
    assert "not a number of milliseconds" in filters.faults()[0]


def test_an_attribute_without_a_value_finds_nothing_and_is_said() -> None:
    assert kept(FlowFilters(attribute="note")) == []
    assert "KEY=VALUE" in FlowFilters(attribute="note").faults()[0]


@given(st.integers(min_value=0, max_value=10**14))
def test_milliseconds_as_an_address_writes_them_come_back_exactly(nanoseconds: int) -> None:
    text = f"{nanoseconds // MS}.{nanoseconds % MS:06d}"
    assert milliseconds_ns(text) == nanoseconds


def test_an_address_gives_the_same_filters_twice() -> None:
    values = {"outcome": ["failed", "failed"], "with": ["retries"], "text": [" x "]}
    assert filters_of(values) == FlowFilters(outcome=("failed",), limitation=("retries",), text="x")


def test_the_heat_map_counts_every_flow_that_ended_once() -> None:
    shown = heat(FLOWS)
    assert shown is not None
    assert sum(count for _, _, count in shown.cells) == 2
    rows = [shown.bounds_ns[row] for _, row, _ in shown.cells]
    assert rows == [10 * MS, 50 * MS]


@given(st.lists(st.integers(min_value=0, max_value=10**15), min_size=1, max_size=40))
def test_each_flow_lies_in_the_bucket_of_its_duration(durations: list[int]) -> None:
    flows = pl.DataFrame({"start_ns": [0] * len(durations), "duration_ns": durations})
    shown = heat(flows)
    assert shown is not None
    bounds = [*shown.bounds_ns, 10**30]
    counted = {row: count for _, row, count in shown.cells}
    for row, low in enumerate(shown.bounds_ns):
        inside = sum(low <= one < bounds[row + 1] for one in durations)
        assert counted.get(row, 0) == inside


def test_flows_without_an_end_have_no_heat_map() -> None:
    assert heat(FLOWS.filter(pl.col("duration_ns").is_null())) is None


def test_the_page_counts_outcomes_and_says_how_many_ended(served_store: Path) -> None:
    text = written(opened())
    assert "✔ succeeded: 20" in text
    assert "⚠ compensation failed: 4" in text
    assert "24 flows that ended" in text


def test_an_attribute_of_a_span_or_its_resource_filters(served_store: Path) -> None:
    assert "24 of 24 flows" in written(opened(attribute="http.request.method=POST"))
    assert "4 of 24 flows" in written(opened(attribute="service.name=payment"))
    assert "None of 24 flows" in written(opened(attribute="service.name=nobody"))


def test_flows_of_one_shape_are_kept_until_any_shape_will_do(served_store: Path) -> None:
    shape = flow_page.flow_page(f"trace:{10:032x}").flow.variant
    app = opened(shape=shape)
    told = written(app)
    assert "3 of 24 flows" in told
    assert f"the same steps with the same ends: shape {shape}" in told
    assert f"--where variant={shape}" in written(opened(shape=shape, view="As command"))
    next(one for one in app.button if one.label == "Any shape").click().run()
    assert "24 of 24 flows" in written(app)


def test_two_selections_are_compared_with_their_sizes(served_store: Path) -> None:
    app = opened(view="What differs", outcome="compensation_failed")
    text = written(app)
    assert "A: 4 flows that fit the filters above" in text
    assert "B: 20 flows: all others of the same name in scope" in text
    assert app.dataframe[0].value["A (n)"].iloc[0] == "4 of 4"


def test_a_kept_selection_is_what_the_filters_are_compared_with(served_store: Path) -> None:
    app = opened(view="What differs", verdict="pass")
    app.button(key="base-keep").click().run()
    assert app.query_params["base"] == "verdict=pass"
    app.query_params["verdict"] = "violation"
    app.run()
    text = written(app)
    assert "A: 4 flows" in text
    assert "B: 20 flows: flows kept as B (verdict = pass)" in text


def test_a_selection_of_all_flows_has_nothing_to_be_compared_with(served_store: Path) -> None:
    assert "B is empty" in written(opened(view="What differs"))


def test_a_batch_replay_says_what_each_flow_gave_or_why_not(served_store: Path) -> None:
    app = opened(view="Batch replay", kind="card payment")
    app.button(key="batch-run").click().run()
    assert not app.exception
    text = written(app)
    assert "23 of 23 unreplayable" in text
    assert "too few" in app.dataframe[0].value["reason"].iloc[0]
    assert "retrospan replay batch --where 'name=card payment' --json" in text
    assert "replays more flows" not in text
    text = written(opened(incident="incident-1", verdict="violation", view="Batch replay"))
    assert "retrospan replay batch --incident incident-1 --json" in text
    assert "replays more flows" in text


def test_the_command_says_what_it_cannot(served_store: Path) -> None:
    text = written(opened(view="As command", outcome="succeeded", longer="5"))
    assert "fewer filters" in text
    assert "retrospan flows list --outcome succeeded --json" in text


def test_a_command_names_a_store_and_a_configuration_that_it_would_not_find(
    served_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text("")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "own.toml"))
    text = written(opened(outcome="succeeded", view="As command"))
    where = f"--db {served_store} --config {tmp_path / 'own.toml'}"
    assert f"retrospan {where} flows list --outcome succeeded --json" in text


def test_of_many_flows_a_sample_is_compared_until_somebody_asks_for_all(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrasts, "AT_ONCE", 5)
    monkeypatch.setattr(contrasts, "SAMPLE", 3)
    app = opened(view="What differs", outcome="compensation_failed")
    assert "A sample: 3 of A and 3 of B were compared" in written(app)
    app.button(key="differences-all").click().run()
    assert not app.exception
    assert "A sample" not in written(app)
