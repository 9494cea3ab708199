"""Histories, cassettes, decisions made by others are read whole, counted by other means."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.genai import decisions_of
from ingest.limits import Limits
from ingest.reader import HEAD_BYTES, Item, MetricsSeen, claimant, discover
from ingest.told import told_by
from store.model import Decision, LogRecord, Rejected, Span
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora

OPENING = re.compile(
    r"(?:activity_?task_?scheduled|timer_?started|nexus_?operation_?scheduled"
    r"|start_?child_?workflow_?execution_?initiated"
    r"|(?:signal|request_?cancel)_?external_?workflow_?execution_?initiated)$",
    re.IGNORECASE,
)
# Snapshots of the test suite that hold definitions or answers, but no execution history.
WITHOUT_HISTORY = {
    "choice_operators/test_numeric.snapshot.json",
    "choice_operators/test_string_operators.snapshot.json",
    "express/test_express_async.snapshot.json",
    "test_sfn_api_aliasing.snapshot.json",
    "test_sfn_api_express.snapshot.json",
    "test_sfn_api_map_run.snapshot.json",
    "test_sfn_api_versioning.snapshot.json",
    "test_state/test_field_validation_mode_none.snapshot.json",
    "test_state/test_state_context_object.snapshot.json",
    "test_state/test_test_state_mock_scenarios.snapshot.json",
}


@pytest.fixture(scope="module")
def corpora() -> Path:
    """The folder of the corpora."""
    return corpora_folder()


def read_as(path: Path, name: str) -> list[Item]:
    """Every item of a file, which the named reader alone must claim."""
    data = path.read_bytes()
    reader = claimant(data[:HEAD_BYTES], discover())
    assert reader is not None, path
    assert reader.name == name, path
    return list(reader.read(io.BytesIO(data), Limits()))


def spans_of(path: Path, name: str) -> list[Span]:
    """The spans of a file of which nothing is refused."""
    items = read_as(path, name)
    assert [item for item in items if isinstance(item, Rejected)] == [], path
    return [item for item in items if isinstance(item, Span)]


def every(value: Any) -> Iterator[dict[str, Any]]:
    """Every object at any depth."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            yield from every(item)


def activities(spans: list[Span]) -> set[tuple[str, str, str]]:
    """What identifies each activity, however it was recorded."""
    return {
        (
            span.name,
            str(span.attributes["temporalRunID"]),
            str(span.attributes["temporalActivityID"]),
        )
        for span in spans
        if span.name.startswith("RunActivity:")
    }


def opened(events: list[dict[str, Any]]) -> int:
    """Operations that a history opens, local activities included, by its types alone."""
    markers = [one.get("markerRecordedEventAttributes") or {} for one in events]
    local = sum("local" in str(one.get("markerName")).lower() for one in markers)
    return local + sum(OPENING.search(one["eventType"]) is not None for one in events)


@pytest.mark.parametrize("engine", ["temporal", "cadence"])
def test_every_history_gives_its_workflow_and_each_operation(corpora: Path, engine: str) -> None:
    paths = sorted((corpora / "workflows").glob(f"{engine}*/**/*.json"))
    if engine == "temporal":
        paths += sorted((corpora.parent / "recordings" / "temporal").glob("history_*.json"))
    assert len(paths) == {"temporal": 48, "cadence": 4}[engine]
    for path in paths:
        value = json.loads(path.read_text())
        events = value["events"] if isinstance(value, dict) else value
        spans = spans_of(path, engine)
        assert len(spans) == 1 + opened(events), path
        assert len({span.span_id for span in spans}) == len(spans), path
        (root,) = [span for span in spans if span.parent_span_id is None]
        closed = re.search(
            r"workflow_?execution_?(completed|failed|timed_?out|terminated|canceled|continued)",
            events[-1]["eventType"],
            re.IGNORECASE,
        )
        assert (root.end_ns is not None) == (closed is not None), path


def test_a_history_and_the_spans_of_the_same_run_meet(corpora: Path) -> None:
    recordings = corpora.parent / "recordings" / "temporal"
    for path in sorted(recordings.glob("otlp_*.json")):
        traced = spans_of(path, "otlp_json")
        history = spans_of(path.with_name(path.name.replace("otlp", "history")), "temporal")
        assert {span.trace_id for span in history} == {span.trace_id for span in traced}
        known = {span.span_id for span in traced}
        assert {link.span_id for span in history for link in span.links} <= known

        assert activities(history) == activities(traced)


def test_every_execution_gives_its_states_and_each_attempt(corpora: Path) -> None:
    paths = sorted((corpora / "workflows").glob("localstack*/**/*.json"))
    read = executions = 0
    for path in paths:
        value = json.loads(path.read_text())
        histories = [
            one["events"]
            for one in every(value)
            if isinstance(one.get("events"), list)
            and any(isinstance(e, dict) and "previousEventId" in e for e in one["events"])
        ]
        if any(str(path).endswith(end) for end in WITHOUT_HISTORY):
            assert histories == [], path
            assert claimant(path.read_bytes()[:HEAD_BYTES], discover()) is None
            continue
        kinds = [event["type"] for events in histories for event in events]
        want = len(histories) + sum(
            kind.endswith(("StateEntered", "Scheduled")) or kind == "MapIterationStarted"
            for kind in kinds
        )
        spans = spans_of(path, "step_functions")
        assert len(spans) == want, path
        roots = [span for span in spans if span.parent_span_id is None]
        assert len({span.trace_id for span in roots}) == len(roots) == len(histories), path
        failed = sum(kind.startswith("Execution") and kind[9:] in BAD for kind in kinds)
        assert sum(span.status == "error" for span in roots) == failed, path
        read, executions = read + 1, executions + len(histories)
    assert (read, executions) == (33, 563)
    assert read + len(WITHOUT_HISTORY) == len(paths)


BAD = ("Failed", "Aborted", "TimedOut")


def test_every_catch_of_the_error_handling_suite_names_its_route(corpora: Path) -> None:
    (path,) = corpora.glob("workflows/localstack*/**/error_handling/test_task_service_lambda*")
    caught = [s for s in spans_of(path, "step_functions") if "retrospan.catch.next" in s.attributes]
    assert caught
    assert all(span.attributes["retrospan.catch.error"] for span in caught)


def test_every_cassette_gives_each_interaction(corpora: Path) -> None:
    agents = corpora / "agents"
    yamls = sorted(agents.rglob("cassettes/*.yaml"))
    bare = sorted(agents.rglob("cassettes/*.json"))
    assert (len(yamls), len(bare)) == (34, 8)
    for path in yamls:
        want = len(re.findall(r"^- request:", path.read_text(), re.MULTILINE))
        spans = spans_of(path, "vcr")
        assert len(spans) == 1 + want, path
        answered = [span for span in spans[1:] if "http.response.status_code" in span.attributes]
        assert len(answered) == want, path
    for path in bare:
        assert len(spans_of(path, "vcr")) == 2, path


def test_every_observation_is_read_and_each_generation_with_output_decides(corpora: Path) -> None:
    paths = sorted((corpora / "agents").glob("langfuse*/**/*.trace.json"))
    assert len(paths) == 9
    for path in paths:
        observations = json.loads(path.read_text())["observations"]
        items = read_as(path, "langfuse")
        spans = [item for item in items if isinstance(item, Span)]
        assert {span.span_id for span in spans} == {one["id"] for one in observations}
        generated = {
            one["id"]
            for one in observations
            if one["type"] == "GENERATION" and one.get("output") not in (None, "", "None")
        }
        decided = {decision.span_id for decision in told_by(spans)}
        assert decided == generated, path
        assert not any(isinstance(item, Rejected) for item in items)


def test_every_policy_decision_is_read(corpora: Path) -> None:
    (path,) = (corpora / "agents").glob("open-policy-agent*/**/*.json")
    raw = json.loads(path.read_text())
    items = read_as(path, "opa")
    assert [item.record for item in items if isinstance(item, Decision)] == raw
    assert all(isinstance(item, Decision) for item in items)


def test_the_attributes_of_genai_spans_tell_the_decision_they_hold(corpora: Path) -> None:
    chosen = {
        "otel_genai_client_span_tool_calls": ["The weather in Paris is currently rainy"],
        "otel_genai_deprecated_client_span_tool_calls": ["The weather in Paris is currently rainy"],
        "openinference_client_span_tool_calls": ["The weather in Paris is currently rainy"],
        "otel_genai_tool_execution_span": [],
    }
    for name, want in chosen.items():
        (path,) = (corpora / "agents").rglob(f"{name}.json")
        span = Span(
            trace_id="ab" * 16,
            span_id="cd" * 8,
            parent_span_id=None,
            name="x",
            kind="client",
            service="s",
            start_ns=1,
            end_ns=2,
            attributes=json.loads(path.read_text()),
        )
        found = [decision.chosen for decision in decisions_of(span)]
        assert len(found) == len(want), name
        assert all(one.startswith(begins) for one, begins in zip(found, want, strict=True))


def test_tables_hold_what_their_json_twins_hold(corpora: Path) -> None:
    """Says nothing of `service.namespace`: the table of spans has no column for it."""
    (folder,) = (corpora / "otlp").glob("*/testdata/parquet")
    spans = spans_of(folder / "traces.parquet", "parquet")
    twins = spans_of(folder.parent / "traces.jsonl", "otlp_json")
    assert len(spans) == len(twins) == 19
    for span, twin in zip(spans, twins, strict=True):
        resource = {k: v for k, v in twin.resource.items() if k != "service.namespace"}
        assert span.resource == resource
        for name in Span.__dataclass_fields__:
            if name != "resource":
                assert getattr(span, name) == getattr(twin, name), name
    logs = read_as(folder / "logs.parquet", "parquet")
    assert logs == read_as(folder.parent / "logs.jsonl", "otlp_json")
    assert sum(isinstance(item, LogRecord) for item in logs) == 81
    for path in sorted(folder.glob("metrics_*.parquet")):
        (seen,) = read_as(path, "parquet")
        assert isinstance(seen, MetricsSeen), path
