"""Ranges that a page cannot answer for at once: it opens with less, says so, waits for a press."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from analyzer.sagas.measures import measure
from dashboards import data, scoped
from dashboards.compensation_parts.read import undone
from dashboards.oversight_parts import read as decisions
from dashboards.quality_parts import read as quality
from dashboards.scope import Scope
from dashboards.slo_parts import judged as slos
from store.lease import Store
from store.read import read_flows, read_sagas

APP = Path(data.__file__).parent / "app.py"
LIMITS = {"ai": decisions, "quality": quality}
OF_THE_STORE = {"slos": (slos, "FLOWS_MAX")}


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    st.cache_resource.clear()
    yield


@pytest.fixture(autouse=True)
def no_store_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "WHOLE_MAX", 0)


def opened(view: str, **params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    for key, value in params.items():
        app.query_params[key] = value
    app.switch_page(str(APP.parent / "views" / f"{view}.py")).run()
    assert not app.exception
    return app


def written(app: AppTest) -> str:
    kinds = ("html", "text", "caption", "subheader")
    shown: list[Any] = [one for kind in kinds for one in app.get(kind)]
    return "\n".join(str(one.value) for one in shown)


def test_a_small_store_is_looked_at_whole(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "FLOWS_MAX", 5)
    monkeypatch.setattr(decisions, "WHOLE_MAX", 24)
    assert "24 of 24 decisions" in written(opened("ai"))


def presses(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.key == "wide-all"]


@pytest.mark.parametrize("view", sorted(LIMITS))
def test_a_page_opens_with_the_latest_flows_it_answers_for(
    served_store: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(LIMITS[view], "FLOWS_MAX", 5)
    app = opened(view)
    assert "5 flows of 24: flows that began from" in written(app)
    assert not presses(app)


@pytest.mark.parametrize("view", sorted(LIMITS))
def test_a_wider_range_waits_for_a_press_and_then_is_the_whole(
    served_store: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    whole = written(opened(view))
    monkeypatch.setattr(LIMITS[view], "FLOWS_MAX", 5)
    st.cache_resource.clear()
    app = opened(view, **{"from": "all"})
    assert "nothing is computed yet" in written(app)
    assert presses(app) == ["Compute over all 24 (about 5 s)"]
    app.button(key="wide-all").click().run()
    assert not app.exception
    assert not presses(app)
    assert written(app) == whole


def test_the_way_back_is_the_range_that_is_answered(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "FLOWS_MAX", 5)
    app = opened("ai", **{"from": "all"})
    app.button(key="wide-latest").click().run()
    assert "5 flows of 24" in written(app)


@pytest.mark.parametrize("view", sorted(OF_THE_STORE))
def test_numbers_of_a_whole_large_store_wait_for_a_press(
    served_store: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    whole = written(opened(view))
    module, name = OF_THE_STORE[view]
    monkeypatch.setattr(module, name, 5)
    st.cache_resource.clear()
    app = opened(view)
    assert "numbers are of all of them, so nothing" not in whole
    assert "nothing is computed yet" in written(app)
    app.button(key="wide-all").click().run()
    assert written(app) == whole


def test_more_flows_than_a_page_can_hold_are_not_offered(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "FLOWS_MAX", 5)
    monkeypatch.setattr(scoped, "HELD_MAX", 10)
    app = opened("ai", **{"from": "all"})
    assert not presses(app)
    assert "More than 10 flows are too many for a page" in written(app)


def test_numbers_of_compensation_are_those_of_every_flow_by_itself(served_store: Path) -> None:
    with Store(served_store).lease("test") as session:
        flows = {flow.flow_id: flow for flow in read_flows(session)}
        pairs = [(flows[saga.flow_id], saga) for saga in read_sagas(session)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "store_path", lambda: served_store)
        found = undone(Scope())
    assert found.measures == measure(pairs)
    assert found.flows == found.measures.flows > found.stuck_flows > 0


def test_the_range_around_a_flow_holds_it_and_not_too_many_others(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "store_path", lambda: served_store)
    starts = data.overview(Scope()).flows["start_ns"].sort().to_list()
    for start_ns in starts:
        since_ns, until_ns = data.around(start_ns, 6)
        inside = data.flow_count(Scope(since_ns=since_ns, until_ns=until_ns))
        assert 3 <= inside <= 6
        assert since_ns is None or since_ns <= start_ns
        assert until_ns is None or start_ns < until_ns
    assert data.around(starts[0], 100) == (None, None)
