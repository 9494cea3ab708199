"""Every state of Incidents, SLOs, Compensation, AI governance, quality, without a browser."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import streamlit as st

from dashboards import data
from dashboards.components.columns import usual_columns
from dashboards.incident_parts import candidates, report
from dashboards.moments import told_zones
from dashboards.oversight_parts import tabs
from dashboards.serve import STORE_VARIABLE
from store.lease import Store
from tests.dashboards.test_pages import BROKEN_FLOW, HOLDER, HOSTILE, links, opened, shown, written

PAGES = ("incidents", "slos", "compensation", "ai", "quality")
CONFIG = "RETROSPAN_CONFIG"
SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: paid, displayName: Cards are charged, labels: {team: tills}}
spec:
  service: checkout
  indicator:
    metadata: {name: paid}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: retrospan, spec: {predicate: 'succeeded'}}}
        total: {metricSource: {type: retrospan, spec: {predicate: 'service == "checkout"'}}}
  timeWindow: [{duration: 1h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: nine in ten, target: 0.9}]
"""


@pytest.fixture
def objectives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "slo.yaml").write_text(SLO)
    config = tmp_path / "retrospan.toml"
    config.write_text('[slo]\nfiles = ["slo.yaml"]\n')
    monkeypatch.setenv(CONFIG, str(config))
    return config


@pytest.mark.parametrize("view", PAGES)
def test_a_missing_store_says_how_to_make_one(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none.duckdb"))
    assert "No store yet" in written(opened(view))


@pytest.mark.parametrize("view", PAGES)
def test_an_empty_store_says_how_to_fill_it(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "empty.duckdb"
    with Store(path).lease("making an empty store", create=True):
        pass
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    assert "Nothing recorded yet" in written(opened(view))


@pytest.mark.parametrize("view", PAGES)
def test_a_file_that_is_no_store_is_a_screen(
    view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.duckdb"
    path.write_bytes(b"not a database" * 1000)
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    assert "The store could not be read" in written(opened(view))


@pytest.mark.parametrize("view", PAGES)
def test_a_busy_store_names_its_holder(
    view: str, served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WAIT_SECONDS_MAX", 0.3)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(served_store)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            st.cache_resource.clear()
            app = opened(view)
            assert "loading a large file" in written(app)
        finally:
            holder.kill()
    assert [button.label for button in app.button] == ["Try again"]


def test_the_overview_shows_the_worst_budget_and_how_fast_it_burns(
    served_store: Path, objectives: Path
) -> None:
    app = opened()
    cards = {card.label: card.value for card in app.metric}
    assert cards["Budget left"] == "✖ −66.7 %", "4 of 24 flows are bad, 2.4 may be"
    assert cards["Burn, 6 min / 30 s"] == "1.7 / 0.0 ×"
    told = written(app).replace("\\", "")
    assert "the worst of 1 objective: 24 flows in 1h" in told


@pytest.mark.parametrize("view", PAGES)
def test_a_scope_without_flows_says_so(view: str, served_store: Path) -> None:
    assert "No flow in this selection" in written(opened(view, service="nobody"))


@pytest.mark.parametrize(
    ("view", "params"),
    [
        ("incidents", {}),
        ("incidents", {"id": "incident-1"}),
        ("incidents", {"id": "incident-1", "part": "Candidates"}),
        ("incidents", {"id": "incident-1", "part": "Effects left"}),
        ("slos", {"slo": "paid"}),
        ("compensation", {"flow": BROKEN_FLOW}),
        ("ai", {}),
        ("ai", {"decision": "decision-3"}),
        ("ai", {"about": "Gates and people"}),
        ("quality", {}),
        ("quality", {"part": "Coverage"}),
        ("quality", {"part": "Personal data"}),
        ("quality", {"part": "Versions"}),
        ("quality", {"part": "Clocks and refused"}),
    ],
)
def test_hostile_names_are_shown_as_text(
    view: str, params: dict[str, str], served_store: Path, objectives: Path
) -> None:
    app = opened(view, **params)
    assert all(HOSTILE not in one.value for one in shown(app, "html"))
    assert all("](javascript" not in one.value for one in (*app.markdown, *app.caption))
    assert all("](javascript" not in label for label in links(app))


def test_incidents_are_listed_with_their_reach(served_store: Path) -> None:
    table = opened("incidents").dataframe[0].value
    assert list(table["affected flows"]) == [4]
    assert list(table["✖ violated"]) == [4]
    assert list(table["effects left"]) == ["4 (168 EUR)"]
    assert list(table["detected after"]) == ["30 s"]
    assert list(table["recovered after"]) == ["not seen"]
    assert list(table["state"]) == ["✖ not seen to end"]


def test_a_listed_incident_says_how_grave_it_is_and_what_it_took_of_a_budget(
    served_store: Path, objectives: Path
) -> None:
    row = opened("incidents").dataframe[0].value.iloc[0]
    assert row["gravest finding"] == "◐ warning (4 flows)"
    assert row["budget spent"] == "133.3 % of “Cards are charged” (2 bad flows)", "of 15"


def test_an_incident_that_no_objective_counts_says_so(served_store: Path) -> None:
    row = opened("incidents").dataframe[0].value.iloc[0]
    assert row["budget spent"] == "? no objective counts its flows"


def test_an_incident_tells_its_numbers_and_what_happened_in_order(served_store: Path) -> None:
    app = opened("incidents", id="incident-1")
    cards = {card.label: card.value for card in app.metric}
    assert cards["Affected flows"] == "4"
    assert cards["✖ Saga violations"] == "4"
    assert cards["Effects left standing"] == "4"
    assert "mitigated: not seen in the data" in written(app)
    happened = list(app.dataframe[0].value["happened"])
    assert happened[:3] == [
        "the incident begins",
        'first of 4 flows with S3 broken: "compensations run in reverse order of completion"',
        "the incident is detected",
    ]


def test_an_unknown_incident_names_those_there_are(served_store: Path) -> None:
    text = written(opened("incidents", id="incident-9"))
    assert "Not found" in text
    assert "incident-1" in text


def test_effects_left_standing_are_a_list_to_work_off(served_store: Path) -> None:
    table = opened("incidents", id="incident-1", part="Effects left").dataframe[0].value
    assert list(table["amount"]) == ["42 EUR"] * 4
    assert list(table["reference there"]) == ["ch_1"] * 4
    assert list(table["what"]) == ["✖ never undone"] * 4


def test_causes_are_told_or_declined_with_the_reason(served_store: Path) -> None:
    text = written(opened("incidents", id="incident-1", part="Candidates"))
    assert "What sets the affected flows apart" in text
    assert "retrospan incidents show incident-1" in text
    assert "No cause is named" in text or "untested" in text


def test_of_a_large_store_no_causes_are_looked_for_but_flows_are_compared(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "FLOWS_MAX", 5)
    text = written(opened("incidents", id="incident-1", part="Candidates"))
    assert "a page looks for causes among at most 5. The command looks among all" in text
    assert "A: 4 affected flows. B: 10 others of the window" in text
    assert "facts tested at a false discovery rate" in text


def test_the_report_is_previewed_with_its_blanks(served_store: Path) -> None:
    app = opened("incidents", id="incident-1", part="Report")
    assert "blanks for people" in written(app)
    labels = [one.label for one in shown(app, "download_button")]
    assert (
        labels == ["Save HTML", "Save Markdown", "Save PDF"][: 3 if find_spec("weasyprint") else 2]
    )


def test_a_command_that_knows_no_selection_says_so(served_store: Path, objectives: Path) -> None:
    said = "it answers for the whole store"
    narrowed = written(opened("slos", to="2026-11-03T10:05:00Z"))
    assert said in narrowed
    assert "--at 2026-11-03T10:05:00Z" in narrowed
    assert said not in written(opened("slos"))


def test_the_report_of_a_large_store_waits_for_a_press(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "AT_ONCE_MAX", 5)
    app = opened("incidents", id="incident-1", part="Report")
    assert "reads all 24 flows of this store" in written(app)
    assert "blanks for people" not in written(app)
    app.button(key="report-ask").click().run()
    assert "blanks for people" in written(app)


def test_a_budget_is_told_with_its_interval_and_who_spent_it(
    served_store: Path, objectives: Path
) -> None:
    row = opened("slos").dataframe[0].value.iloc[0]
    assert row["so far"] == "83.33 %"
    assert row["95 %"] == "64.1 % to 93.3 %"
    assert row["of"] == "24 flows"
    assert row["budget left"] == "✖ −66.7 %"
    assert row["team"] == "tills"
    app = opened("slos", slo="paid", cause="outcome:compensation_failed")
    assert "4 flows. Select a row to open the flow." in written(app)


def test_no_objective_for_these_flows_says_how_to_write_one(
    served_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(CONFIG, raising=False)
    text = written(opened("slos"))
    assert "No objective for these flows" in text
    assert 'files = ["slos"]' in text


def test_without_data_in_its_window_an_objective_is_never_fine(
    served_store: Path, objectives: Path
) -> None:
    row = opened("slos", to="2026-11-03T13:00:00Z").dataframe[0].value.iloc[0]
    assert (row["so far"], row["budget left"]) == ("–", "–")
    assert row["no number, because"] == "no flow that counts ended in the window"


def test_stuck_flows_come_first_and_one_shows_its_path(served_store: Path) -> None:
    app = opened("compensation", flow=BROKEN_FLOW)
    table = app.dataframe[0].value
    assert list(table["effects left"]) == [1, 1, 1, 1]
    assert list(table["amounts"]) == ["42 EUR"] * 4
    cards = {card.label: card.value for card in app.metric}
    assert cards["Given up"] == "16.7 %"
    assert any("↩ ✔" in str(one.value) for one in shown(app, "markdown"))


def test_decisions_are_listed_and_narrowed_by_the_address(served_store: Path) -> None:
    assert len(opened("ai").dataframe[0].value) == 24
    assert len(opened("ai", flag="below threshold").dataframe[0].value) == 5
    assert "None of 24 decisions" in written(opened("ai", model="nobody"))


def test_a_decision_says_where_its_provenance_breaks(served_store: Path) -> None:
    app = opened("ai", decision="decision-5")
    chain = app.dataframe[0].value
    assert list(chain["hop"])[:2] == ["input", "retrieval"]
    assert chain["lacks"][0] == "input or input_sha256"
    assert "below its threshold" in written(app)


def test_an_unknown_decision_names_the_nearest(served_store: Path) -> None:
    assert "decision-1" in written(opened("ai", decision="decision-111"))


@pytest.mark.parametrize("about", ["Versions", "Calibration and drift", "Cost", "All metrics"])
def test_metrics_of_few_decisions_say_that_they_are_too_few(about: str, served_store: Path) -> None:
    app = opened("ai", about=about)
    tables = "\n".join(one.value.to_string() for one in app.dataframe)
    assert "?" in tables


def test_the_log_tells_what_it_cannot_tell(served_store: Path) -> None:
    assert "shows only against a signed head" in written(opened("ai", about="Log"))


def test_a_long_log_is_recomputed_at_a_press(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabs, "LOGGED_MAX", 5)
    app = opened("ai", about="Log")
    assert "24 logged decisions in the store" in written(app)
    assert "Can each decision be followed and audited?" in written(app)
    app.button(key="wide-all").click().run()
    assert "shows only against a signed head" in written(app)


def test_the_gaps_of_one_service_can_be_seen_alone(served_store: Path) -> None:
    assert "orphan span" in list(opened("quality").dataframe[1].value["gap"])
    gaps = next(
        one.value for one in opened("quality", about="payment").dataframe if "gap" in one.value
    )
    assert set(gaps["service"]) == {"payment"}


POLICY = """schema: retrospan.policy/1
id: careful
version: "2"
rules:
  - when: confidence < 0.5
    outcome: escalate
default: allow
"""


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "careful.yaml").write_text(POLICY)
    (tmp_path / "retrospan.toml").write_text('[governance]\npolicies = ["careful.yaml"]\n')
    monkeypatch.setenv(CONFIG, str(tmp_path / "retrospan.toml"))
    return tmp_path / "careful.yaml"


def test_a_configured_policy_is_asked_of_all_decisions(served_store: Path, policies: Path) -> None:
    app = opened("ai", about="Policy back-test")
    text = written(app)
    assert "24 of 24 answers change" in text
    assert "100 % of all" in text
    assert "exact, by recomputation (C2)" in text
    assert f"governance backtest --policy {policies}" in text
    table = next(one.value for one in app.dataframe if "this policy says" in one.value)
    told = dict(zip(table["this policy says"], table["decisions"], strict=True))
    assert told == {"allow": "19 of 24", "escalate": "5 of 24"}


def test_a_fact_that_was_not_recorded_makes_an_interval(served_store: Path) -> None:
    app = opened("ai", about="Policy back-test")
    text = POLICY.replace("confidence < 0.5", 'model == "risk" && confidence < 0.5')
    app.text_area(key="policy-text").set_value(text).run()
    told = written(app)
    assert not app.exception
    assert "an interval (C3)" in told
    assert "0 % to 100 % of all" in told or "unknown" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "a policy begins with"),
        (POLICY.replace("escalate", "shrug"), "outcome"),
        (POLICY.replace("confidence <", "__import__('os') <"), "the policy: rule 1"),
    ],
)
def test_a_policy_that_is_none_says_why(text: str, said: str, served_store: Path) -> None:
    app = opened("ai", about="Policy back-test")
    app.text_area(key="policy-text").set_value(text).run()
    assert not app.exception
    assert said in written(app)
    assert "Give a policy on the left" in written(app)


def test_governance_begins_with_the_answer(served_store: Path) -> None:
    cards = {card.label: card.value for card in opened("ai").metric}
    assert cards["Acted below threshold"]
    assert list(cards)[:2] == ["Gated before they acted", "Acted below threshold"]


def test_the_overview_names_the_objectives_with_the_least_budget(
    served_store: Path, objectives: Path
) -> None:
    tables = [one.value for one in opened().dataframe]
    found = next(table for table in tables if "budget left" in table)
    assert list(found["budget left"]) == ["✖ −66.7 %"]


def test_a_column_of_times_says_the_readers_own_time(served_store: Path) -> None:
    table = pl.DataFrame({"began": ["–", "2026-11-03 10:00:00 UTC"], "name": ["a", "b"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboards.moments.st.context", SimpleNamespace(timezone="Europe/Berlin"))
        told = told_zones(table)
    assert list(told) == ["began"]
    assert "2026-11-03 11:00:00 in Europe/Berlin" in told["began"]["help"]


def test_a_column_with_large_counts_has_separators_and_one_of_small_ones_is_left_alone() -> None:
    table = pl.DataFrame({"spans": [12, 6308], "flows": [1, 999], "share": [0.5, 2000.0]})
    assert usual_columns(table)["spans"]["type_config"]["format"] == "localized"
    assert set(usual_columns(table)) == {"spans"}
