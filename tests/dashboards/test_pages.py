"""Each page run without a browser; what a browser draws is test_browser's part."""

import subprocess
import sys
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards import data, flow_page
from dashboards.serve import STORE_VARIABLE
from store.lease import Store

APP = Path(data.__file__).parent / "app.py"
VIEWS = APP.parent / "views"
BROKEN_FLOW = f"trace:{4:032x}"
HOSTILE = "<img src=x onerror"


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    data._overview.clear()
    flow_page._flow_page.clear()
    yield


def opened(view: str = "", **params: str) -> AppTest:
    """A page after its run; AppTest opens other pages only from the first."""
    app = AppTest.from_file(str(APP), default_timeout=30)
    if view:
        app.run()
        for key, value in params.items():
            app.query_params[key] = value
        app.switch_page(str(VIEWS / f"{view}.py"))
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest, kind: str) -> list[Any]:
    """Elements of one kind; AppTest types them as anything a page can hold."""
    return list(app.get(kind))


def written(app: AppTest) -> str:
    """All texts of a page, as they were sent."""
    kinds = ("html", "text", "code", "caption", "markdown", "subheader", "warning")
    return "\n".join(str(one.value) for kind in kinds for one in shown(app, kind))


def links(app: AppTest) -> list[str]:
    return [link.label for link in shown(app, "page_link")]


def counted(app: AppTest) -> str:
    """What the card says that counts flows."""
    return {str(card.label): str(card.value) for card in app.metric}["Flows"]


def test_the_overview_counts_and_links_to_the_flows_behind_each_number(served_store: Path) -> None:
    app = opened()
    values = {card.label: card.value for card in app.metric}
    assert values == {
        "Ended well": "83.3 %",
        "Budget left": "–",
        "Burn": "–",
        "Open incidents": "✖ 1",
        "Stuck sagas": "4",
        "Flows": "24",
        "✖ Saga violations": "4",
        "Effects left standing": "4",
        "AI below threshold": "5",
        "Replays identical": "91.7 %",
    }
    assert len(links(app)) == 14
    told = written(app).replace("\\", "")
    assert "168 EUR; never undone, or undone and not due, in 4 flows" in told
    assert any("1 record refused" in label.replace("\\", "") for label in links(app))


def test_a_card_over_time_adds_up_to_its_number(served_store: Path) -> None:
    """Shares do not add up: they lie between 0 and 1, with gaps where no flow ended."""
    cards = {card.label: card for card in opened().metric}
    for name in ("Flows", "✖ Saga violations", "Effects left standing", "AI below threshold"):
        assert sum(cards[name].proto.chart_data) == int(cards[name].value), name
    flows = cards["Flows"].proto.chart_data
    shares = cards["Ended well"].proto.chart_data
    well = [share for share in shares if not isnan(share)]
    assert 0 <= min(well) < max(well) <= 1
    assert all(isnan(share) for share, n in zip(shares, flows, strict=True) if not n)
    assert not cards["Replays identical"].proto.chart_data


def test_the_overview_names_the_window_in_utc_and_ages_from_the_end_of_the_data(
    served_store: Path,
) -> None:
    text = written(opened())
    assert "2026-11-03 10:00:00 UTC – 2026-11-03 10:07:40 UTC (7.7 min)" in text
    assert "began 6.7 min before the end of the data" in text


def test_the_findings_table_puts_violations_first(served_store: Path) -> None:
    table = opened().dataframe[0].value
    assert list(table["check or detector"]) == [
        "S3: compensations run in reverse order of completion",
        "retry storm",
    ]
    assert list(table["flows"]) == [4, 4]


def test_flows_take_their_filters_from_the_address(served_store: Path) -> None:
    assert len(opened("flows", problem="S3").dataframe[0].value) == 4
    assert len(opened("flows", service="payment").dataframe[0].value) == 4
    app = opened("flows", verdict="violation")
    assert len(app.dataframe[0].value) == 4
    assert "4 of 24 flows" in written(app)


def test_filters_that_fit_nothing_offer_to_be_cleared(served_store: Path) -> None:
    app = opened("flows", text="nothing is called this")
    assert [button.label for button in app.button] == ["Clear filters"]


@pytest.mark.parametrize("name", ["service", "problem", "with", "incident", "outcome"])
def test_a_filter_value_that_nothing_has_finds_nothing(served_store: Path, name: str) -> None:
    said = "No flow in this selection" if name == "service" else "None of 24 flows fits"
    assert said in written(opened("flows", **{name: "nobody"}))


def test_a_filter_that_is_changed_changes_the_address(served_store: Path) -> None:
    app = opened("flows", outcome="succeeded")
    assert len(app.dataframe[0].value) == 20
    app.multiselect(key="filter-outcome").select("compensation_failed").run()
    assert len(app.dataframe[0].value) == 24
    assert app.query_params["outcome"] == ["succeeded", "compensation_failed"]
    app.multiselect(key="filter-outcome").set_value([]).run()
    assert "outcome" not in app.query_params


def test_a_flow_says_how_it_ended_what_is_missing_and_the_command(served_store: Path) -> None:
    text = written(opened("trace", flow=BROKEN_FLOW))
    assert "outcome: compensation failed" in text
    assert "1 span names a parent that is not in the store" in text
    assert "Not recorded: the payment service&#x27;s own spans" in text
    assert f"retrospan flows show {BROKEN_FLOW} --json" in text


def test_without_a_span_in_the_address_the_first_failed_one_is_shown(served_store: Path) -> None:
    text = written(opened("trace", flow=BROKEN_FLOW))
    assert "First failed span, chosen for you" in text
    assert "503 from payment" in text


def test_a_span_in_the_address_is_shown_with_its_checks_and_bodies(served_store: Path) -> None:
    text = written(opened("trace", trace=f"{4:032x}", span=f"{4 * 256 + 2:016x}"))
    assert "S3: compensations run in reverse order of completion" in text
    assert '"amount": "42.00"' in text
    assert "Response: not recorded" in text


def test_a_span_that_is_not_in_the_flow_is_said(served_store: Path) -> None:
    assert "not part of this flow" in written(opened("trace", flow=BROKEN_FLOW, span="dead"))


@pytest.mark.parametrize("tab", ["Steps", "Decisions", "Checks", "Raw"])
def test_each_tab_shows_hostile_names_as_text(served_store: Path, tab: str) -> None:
    app = opened("trace", flow=BROKEN_FLOW, tab=tab)
    assert all(HOSTILE not in one.value for one in shown(app, "html"))
    assert all("](javascript" not in one.value for one in app.markdown)
    assert all("](javascript" not in label for label in links(app))


def test_the_overview_shows_hostile_names_as_text(served_store: Path) -> None:
    app = opened()
    assert all(HOSTILE not in one.value for one in shown(app, "html"))
    assert all("](javascript" not in one.value for one in app.caption)


def test_an_unknown_flow_is_a_screen_with_the_nearest_ids(served_store: Path) -> None:
    text = written(opened("trace", flow=BROKEN_FLOW + "0"))
    assert "Not found" in text
    assert BROKEN_FLOW in text


def test_a_trace_page_without_an_id_says_where_to_go(served_store: Path) -> None:
    app = opened("trace")
    assert links(app) == ["All flows"]


@pytest.mark.parametrize("view", ["overview", "flows", "trace"])
def test_a_missing_store_says_how_to_make_one(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none.duckdb"))
    text = written(opened(view, flow="x"))
    assert "No store yet" in text
    assert f"retrospan --db {tmp_path / 'none.duckdb'} ingest PATH" in text


@pytest.mark.parametrize("view", ["overview", "flows"])
def test_an_empty_store_says_how_to_fill_it(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "empty.duckdb"
    with Store(path).lease("making an empty store", create=True):
        pass
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    text = written(opened(view))
    assert "Nothing recorded yet" in text
    assert "ingest PATH" in text


HOLDER = """
import sys, time
from pathlib import Path
from store.lease import Store
with Store(Path(sys.argv[1])).lease("loading a large file"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_busy_store_names_its_holder_and_offers_to_try_again(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WAIT_SECONDS_MAX", 0.3)
    st.cache_resource.clear()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(served_store)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            app = opened()
            assert "loading a large file" in written(app)
        finally:
            holder.kill()
    assert [button.label for button in app.button] == ["Try again"]
    app.button[0].click().run()
    assert counted(app) == "24"


def test_a_file_that_is_no_store_is_a_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.duckdb"
    path.write_bytes(b"not a database" * 1000)
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    assert "The store could not be read" in written(opened())


def test_a_page_asks_again_when_the_store_has_changed(
    tmp_path: Path, filled_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "changing.duckdb"
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    assert "No store yet" in written(opened())
    path.write_bytes(filled_store.read_bytes())
    assert counted(opened()) == "24"


def test_a_scope_in_the_address_narrows_every_number(served_store: Path) -> None:
    app = opened("overview", **{"from": "1m"})
    assert counted(app) == "3"
    assert "3 flows of 24: flows that began from 2026-11-03 10:06:40 UTC to the end" in written(app)


def test_a_scope_without_flows_says_so_and_shows_all_again(served_store: Path) -> None:
    app = opened("overview", env="nowhere")
    assert "No flow in this selection" in written(app)
    app.button(key="range-clear").click().run()
    assert counted(app) == "24"


def test_a_time_in_the_address_that_is_none_is_said(served_store: Path) -> None:
    app = opened("overview", **{"from": "soon"})
    assert "from 'soon' is not a time" in written(app)
    assert counted(app) == "24"


def test_a_chosen_range_is_written_into_the_address(served_store: Path) -> None:
    app = opened("overview")
    app.selectbox(key="range-time").select("5m").run()
    assert app.query_params["from"] == "5m"
    app.selectbox(key="range-time").select("incident-1").run()
    assert app.query_params["from"] == "2026-11-03T10:01:00Z"
    assert app.query_params["to"] == "2026-11-03T10:05:00Z"
    assert not app.exception
