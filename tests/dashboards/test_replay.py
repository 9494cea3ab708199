"""Replay & what-if: its form, its two waterfalls, its states."""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from dashboards import data, replays
from dashboards.components.two_waterfalls import ROW_COUNT_MAX, Bar, Lane, lanes, two_waterfalls
from dashboards.replay_parts.stored import agreement, ordered
from dashboards.scope import Scope
from dashboards.serve import READ_ONLY_VARIABLE, STORE_VARIABLE
from dashboards.what_ifs import FORMS, file_name, scenario_text
from replay.recording import recording_of
from replay.scenario import load_scenario, parse_scenario
from retrospan.edge import Edge
from retrospan.report.build import build
from retrospan.report.check import left_out_of, verify
from retrospan.report.facts import IncidentFacts
from retrospan.report.gathering import facts_of
from retrospan.report.what_ifs import names_of, without
from retrospan.timespan import rfc3339
from store.conclusions import Flow
from store.errors import UsageError
from store.lease import Store
from store.model import Batch, JsonValue, Span
from store.read import FlowSelection, counts, read_flows
from store.write import write_batch
from store.write_derived import replace_flows, write_incident
from tests.dashboards.conftest import (
    attempt_of,
    flow_of,
    incident_of,
    replay_of,
    spans_of,
    step_of,
)
from tests.replay.kinds import true_flows

VIEWS = Path(data.__file__).parent / "views"
HOSTILE = '<img src=x onerror="window.hacked=1">'
FLOW_COUNT = 110
_numbers = count(1)


def hex_ids(flow: Flow, number: int) -> Flow:
    trace_id = f"{number:032x}"
    steps = [
        replace(
            step,
            attempts=[
                replace(one, trace_id=trace_id, span_id=f"{next(_numbers):016x}")
                for one in step.attempts
            ],
        )
        for step in flow.steps
    ]
    return replace(flow, steps=steps, trace_ids=(trace_id,), critical_path=())


@pytest.fixture(scope="module")
def replayable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """110 payments whose program can be learnt."""
    path = tmp_path_factory.mktemp("replayable") / "retrospan.duckdb"
    made = true_flows("payment", FLOW_COUNT)
    flows = [hex_ids(flow, number) for number, flow in enumerate(made, 1)]
    span = Span(
        trace_id=f"{1:032x}", span_id=f"{1:016x}", parent_span_id=None, name="pay", kind="server",
        service="shop", start_ns=flows[0].start_ns, end_ns=flows[-1].end_ns,
    )  # fmt: skip
    batch = Batch(
        source="hand.json", content_sha256="0" * 64, reader="test/1", rules_sha256="0" * 64,
        spans=[span],
    )  # fmt: skip
    with Store(path).lease("filling a test store", create=True) as session:
        write_batch(session, batch)
        replace_flows(
            session, generation=counts(session).generation, flows=flows, members={},
            sagas=[], findings=[], code_digest="test",
        )  # fmt: skip
    return path


@pytest.fixture(autouse=True)
def no_kept_answers() -> Iterator[None]:
    data._overview.clear()
    for kept in (replays._replayed, replays._simulated, replays._of_kind):
        kept.clear()
    yield


def opened(**params: str) -> AppTest:
    app = AppTest.from_file(str(VIEWS.parent / "app.py"), default_timeout=60).run()
    for key, value in params.items():
        app.query_params[key] = value
    app.switch_page(str(VIEWS / "replay.py")).run()
    assert not app.exception
    return app


def written(app: AppTest) -> str:
    kinds = ("html", "text", "code", "caption", "markdown", "subheader", "warning")
    shown: list[Any] = [one for kind in kinds for one in app.get(kind)]
    return "\n".join(str(one.value) for one in shown)


@pytest.mark.parametrize("change", FORMS)
def test_every_form_makes_a_scenario_that_the_command_reads(change: str) -> None:
    text = scenario_text(change, "bank POST /charges", FORMS[change].example)
    scenario = parse_scenario(text)
    assert FORMS[change].label.lower() in scenario.name
    assert scenario.changes or scenario.answers or scenario.version


@pytest.mark.parametrize(
    ("change", "operation", "value"),
    [
        ("timeout", "", "5"),
        ("timeout", "bank", ""),
        ("timeout", "bank", "1.5"),
        ("timeout", "bank", "-1"),
        ("breaker", "bank", "5"),
        ("threshold", "bank", "high"),
        ("threshold", "bank", "true"),
        ("nothing", "bank", "1"),
        ("answer", "x" * 400, "ok"),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(change: str, operation: str, value: str) -> None:
    with pytest.raises(UsageError):
        scenario_text(change, operation, value)


def test_a_hostile_value_stays_a_value() -> None:
    text = scenario_text("answer", "bank: *\n- x", "!!python/object:os.system {a: b}")
    loaded = yaml.safe_load(text)
    assert loaded["answers"][0]["status"] == "!!python/object:os.system {a: b}"
    assert file_name(scenario_text("answer", "../../x", "ok")) == (
        "every-answer-ends-otherwise-ok-status-at-x"
    )


def test_both_waterfalls_share_one_axis_and_are_escaped() -> None:
    bar = Bar(start_ns=0, end_ns=50, status="ok")
    late = Bar(start_ns=50, end_ns=100, status=HOSTILE)
    drawn = two_waterfalls([Lane(name=HOSTILE, recorded=bar, replayed=late)])
    assert HOSTILE not in drawn
    assert "left:0.000%;width:50.000%" in drawn
    assert "left:50.000%;width:50.000%" in drawn
    assert "✖" in drawn


def test_what_only_one_of_them_has_is_said_and_too_many_are_counted() -> None:
    bar = Bar(start_ns=0, end_ns=0, status="ok")
    assert "(replayed only)" in two_waterfalls([Lane(name="a", recorded=None, replayed=bar)])
    assert "(recorded only)" in two_waterfalls([Lane(name="a", recorded=bar, replayed=None)])
    many = [Lane(name="a", recorded=bar, replayed=bar)] * (ROW_COUNT_MAX + 3)
    assert "3 more tries" in two_waterfalls(many)
    assert two_waterfalls([])


def test_a_call_of_a_message_that_came_again_stands_beside_its_replay() -> None:
    spans = spans_of(3, failed=True, name="pay")
    tries = [attempt_of(span, "503") for span in spans[1:5]]
    flow = flow_of(3, spans, failed=True, name="pay")
    steps = [
        step_of("charge", tries[:2]),
        step_of("charge", tries[2:], step_id="again"),
    ]
    flow = replace(flow, steps=steps)
    op = recording_of(flow).steps[0].op
    events: list[dict[str, JsonValue]] = [
        {"event": "call", "op": op, "key": "", "attempt": at, "status": "503",
         "start_ns": at * 10, "end_ns": at * 10 + 5}
        for at in range(1, 5)
    ]  # fmt: skip
    found = lanes(flow, replace(replay_of(flow.flow_id), events=events))
    assert [lane.name.rpartition(", ")[2] for lane in found[1:]] == ["try 2", "try 3", "try 4"]
    assert all(lane.recorded and lane.replayed for lane in found)


def test_without_a_flow_the_page_offers_those_that_went_wrong(served_store: Path) -> None:
    app = opened()
    assert "The latest 4 flows that did not simply succeed" in written(app)
    assert len(app.dataframe[0].value) == 4
    run = app.dataframe[1].value.iloc[0]
    assert (run["with"], run["flows"]) == ("nothing changed", 24)
    assert (run["✔ identical"], run["✖ diverged"]) == (22, 2)


def test_a_flow_that_cannot_be_replayed_says_why(served_store: Path) -> None:
    text = written(opened(flow=f"trace:{5:032x}"))
    assert "This flow cannot be replayed." in text
    assert "too few" in text


def test_an_unknown_flow_is_a_screen(served_store: Path) -> None:
    assert "Not found" in written(opened(flow="nobody"))


@pytest.fixture
def served(replayable: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(STORE_VARIABLE, str(replayable))
    monkeypatch.chdir(replayable.parent)
    return true_flows("payment", 1)[0].flow_id


def test_the_control_comes_first_and_shows_both_waterfalls(served: str) -> None:
    text = written(opened(flow=served))
    assert "control replay: identical" in text
    assert "does exactly the same" in text
    assert "Recorded and replayed, on one axis" in text
    assert f"retrospan replay run {served} --explain" in text


def test_a_flow_outside_the_range_is_replayed_by_the_flows_around_it(served: str) -> None:
    head = data.overview(Scope(), (served,)).flows
    after = rfc3339(int(head["start_ns"][0]) + 1)
    later = data.overview(Scope(since_ns=int(head["start_ns"][0]) + 1)).flows
    assert later.height
    text = written(opened(flow=served, **{"from": after}))
    assert "It began outside this range" in text
    assert "control replay: identical" in text


def operation_of(app: AppTest) -> str:
    options = app.selectbox(key="what-if-op").options
    return next(option for option in options if "POST" in option or "charge" in option)


def test_a_what_if_says_its_claim_and_offers_its_file(served: str) -> None:
    app = opened(flow=served, change="first_answer", value="503")
    assert "choose the operation that is changed" in written(app)
    app.query_params["op"] = operation_of(app)
    app.run()
    assert not app.exception
    text = written(app)
    assert "The what-if, for this flow alone" in text
    assert "claim C" in text or "no claim is made" in text
    assert "its control: identical" in text
    # Pasted into a shell, what the page offers makes the file and reads it.
    made = next(one.value for one in app.code if one.value.startswith("cat > "))
    run = next(one.value for one in app.code if "--scenario" in one.value)
    subprocess.run(["bash", "-ec", made], check=True)
    words = shlex.split(run)
    assert words[:4] == ["retrospan", "replay", "run", served]
    assert load_scenario(Path(words[words.index("--scenario") + 1])).answers


def test_the_same_what_if_for_other_flows_counts_outcomes_with_n(served: str) -> None:
    app = opened(flow=served, change="first_answer", value="503")
    app.query_params["op"] = operation_of(app)
    app.run()
    app.button(key="what-if-each").click().run()
    assert not app.exception
    shares = [frame.value for frame in app.dataframe if "share, 95 %" in frame.value]
    assert shares or "No claim about any of them" in written(app)


def test_a_setting_can_be_simulated_for_all_calls_at_once(served: str) -> None:
    app = opened(flow=served, change="attempts", value="1")
    app.query_params["op"] = operation_of(app)
    app.run()
    app.button(key="what-if-all").click().run()
    assert not app.exception
    table = next(one.value for one in app.dataframe if "measure" in one.value)
    assert list(table["measure"])[:2] == ["calls", "tries"]
    assert "claim C4" in written(app)


@pytest.fixture
def with_incident(replayable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same payments, six of them an incident."""
    path = tmp_path / "retrospan.duckdb"
    shutil.copy(replayable, path)
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    with Store(path).lease("declaring an incident") as session:
        flows = read_flows(session, FlowSelection(limit=6))
        incident = incident_of([flow.flow_id for flow in flows])
        begin, end = flows[0].start_ns, flows[-1].start_ns + 1
        write_incident(session, replace(incident, start_ns=begin, end_ns=end))
    return path


def test_a_what_if_is_kept_for_a_post_mortem_that_says_the_same_again(
    with_incident: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = true_flows("payment", 1)[0].flow_id
    app = opened(flow=flow, change="first_answer", value="503", incident="incident-1")
    app.query_params["op"] = operation_of(app)
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    assert "what-if-keep" not in [one.key for one in app.run().button], "these pages keep nothing"
    monkeypatch.setenv(READ_ONLY_VARIABLE, "")
    app.run()
    app.button(key="what-if-keep").click().run()
    assert not app.exception
    assert "6 of 6 flows were replayed with it" in written(app)
    assert "what-if-keep" not in [one.key for one in app.button], "it is kept already"
    app.query_params.clear()
    app.query_params.update(id="incident-1", part="Report")
    app.switch_page(str(VIEWS / "incidents.py")).run()
    row = app.dataframe[0].value.iloc[0]
    assert (row["in the report"], row["replays"]) == ("✔ told", 6)
    report = written_report(app)
    assert f"What if <code>{row['what-if']}" in report
    facts = facts_of(Edge(db=with_incident, config=None, quiet=True), "incident-1", anew=True)
    assert drifted(facts, report) == []
    app.query_params["without"] = row["what-if"]
    app.run()
    narrowed = written_report(app)
    assert app.dataframe[0].value["in the report"][0] == "– left out"
    assert f"What if <code>{row['what-if']}" not in narrowed
    assert drifted(facts, narrowed) == []
    assert drifted(facts, narrowed.replace("by choice", "by chance")) != []


def written_report(app: AppTest) -> str:
    assert not app.exception
    return str(app.get("iframe")[0].proto.srcdoc)


def drifted(facts: IncidentFacts, text: str) -> list[str]:
    """What `retrospan report verify` finds."""
    told = without(facts, left_out_of(text, names_of(facts)))
    return verify(text, build(told), html=True).drifted


def test_an_operation_that_is_not_called_is_said(served: str) -> None:
    text = written(opened(flow=served, change="timeout", value="5", op="<img src=x>"))
    assert "is not known here" in text
    assert "<img" not in text


def test_replays_by_code_stand_beside_those_by_the_trace() -> None:
    by_trace = replay_of("trace:1")
    by_code = replace(by_trace, mode="code", verdict="diverged", digest="3" * 64)
    changed = replace(by_trace, scenario="timeout", digest="4" * 64)
    assert [it.mode for it in ordered([changed, by_code, by_trace])] == ["trace", "code", "trace"]
    assert "They do not agree" in agreement([by_trace, by_code])[0]
    assert "trace and code agree" in agreement([by_trace, replace(by_code, verdict="identical")])[0]
    assert "nothing to hold it against" in agreement([by_trace])[0]
