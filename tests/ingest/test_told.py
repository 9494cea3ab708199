"""Decisions that spans tell of are loaded with them, and never beside a log's own."""

import gzip
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from ingest.told import told_by
from store.lease import Store
from store.model import Decision, Span
from store.read import read_decisions, read_flows
from store.rows import span_encoder, span_table

TRACE, MODEL_SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def chat(span_id: str = MODEL_SPAN, **attributes: str) -> dict[str, Any]:
    told = {"gen_ai.operation.name": "chat", "gen_ai.completion": "approve", **attributes}
    return {
        "traceId": TRACE, "spanId": span_id, "name": "chat", "kind": 3,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000050000000",
        "attributes": [attribute(key, value) for key, value in told.items()],
    }  # fmt: skip


def traces(path: Path, *spans: dict[str, Any]) -> Path:
    document = {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}
    path.write_text(json.dumps(document))
    return path


def log(path: Path, span_id: str = MODEL_SPAN) -> Path:
    record = {
        "schema": "retrospan.decision/1", "decision_id": "dec-1", "chosen": "approve",
        "time": "2023-11-14T22:13:20Z", "trace_id": TRACE, "span_id": span_id,
    }  # fmt: skip
    path.write_text(json.dumps(record) + "\n")
    return path


def load(store: Store, settings: IngestSettings, *rounds: Sequence[Path]) -> list[Decision]:
    for paths in rounds:
        ingest_paths(store, [str(path) for path in paths], settings)
        rebuild(store, RebuildSettings())
    with store.lease("test") as session:
        return read_decisions(session)


def test_a_model_s_answer_becomes_a_decision_of_its_flow(
    tmp_path: Path, store: Store, settings: IngestSettings
) -> None:
    (decision,) = load(store, settings, [traces(tmp_path / "t.json", chat())])
    assert decision.decision_id == f"span:{TRACE}/{MODEL_SPAN}"
    assert (decision.chosen, decision.record["derived_from"]) == ("approve", "span")
    with store.lease("test") as session:
        (flow,) = read_flows(session)
    assert list(flow.decision_ids) == [decision.decision_id]


def test_the_log_s_record_wins_in_either_order(tmp_path: Path, settings: IngestSettings) -> None:
    files = (traces(tmp_path / "t.json", chat()), log(tmp_path / "d.jsonl"))
    for number, order in enumerate(itertools.permutations(files)):
        store = Store(tmp_path / f"{number}.duckdb")
        (decision,) = load(store, settings, *([path] for path in order))
        assert decision.decision_id == "dec-1"
        with store.lease("test") as session:
            (flow,) = read_flows(session)
        assert list(flow.decision_ids) == ["dec-1"]


def test_a_gate_that_repeats_a_logged_decision_is_not_another(
    tmp_path: Path, settings: IngestSettings
) -> None:
    """The log names the model's span, the gate's span names the decision."""
    named = {"retrospan.decision.id": "dec-1", "retrospan.decision.chosen": "approve"}
    gate = {**chat("1" * 16), "attributes": [attribute(*pair) for pair in named.items()]}
    files = (traces(tmp_path / "t.json", gate), log(tmp_path / "d.jsonl"))
    for number, order in enumerate(itertools.permutations(files)):
        decisions = load(Store(tmp_path / f"{number}.duckdb"), settings, order)
        assert [("derived_from" in it.record) for it in decisions] == [False]


def test_what_a_decision_chose_is_redacted_like_its_span(
    tmp_path: Path, store: Store, settings: IngestSettings
) -> None:
    secret = "mail ann@example.com"
    span = chat(**{"gen_ai.completion": secret})
    (decision,) = load(store, settings, [traces(tmp_path / "t.json", span)])
    assert "ann@example.com" not in repr(decision)


def test_spans_in_columns_tell_the_same_as_spans_one_by_one() -> None:
    plain: dict[str, Any] = {
        "trace_id": TRACE, "parent_span_id": None, "name": "chat", "kind": "client",
        "service": "risk", "start_ns": 10, "end_ns": 20,
    }  # fmt: skip
    answers: list[dict[str, Any]] = [
        {"gen_ai.operation.name": "chat", "gen_ai.completion": "yes"},
        {"http.route": "/"},
        {"openinference.span.kind": "LLM", "output.value": 'say "gen_ai.completion": no'},
        {"note": '"gen_ai.completion":'},
    ]
    spans = [
        Span(span_id=f"{number:016x}", attributes=attributes, **plain)
        for number, attributes in enumerate(answers, 1)
    ]
    encode = span_encoder()
    table = span_table([encode(span) for span in spans])
    assert told_by((), [table]) == told_by(spans)
    assert len(told_by(spans)) == 2


@pytest.mark.parametrize("first", ["decisions", "traces"])
def test_in_the_sample_every_decision_stands_once(
    first: str, tmp_path: Path, settings: IngestSettings
) -> None:
    """Each decision of it is told three times: by the log, its gate, the scorer."""
    folder = Path(__file__).parents[2] / "sample_traces" / "payment-healthy"
    names = ["decisions", "traces"] if first == "decisions" else ["traces", "decisions"]
    store = Store(tmp_path / "s.duckdb")
    for name in names:
        ingest_paths(store, [str(folder / f"{name}.jsonl.gz")], settings)
    with gzip.open(folder / "decisions.jsonl.gz") as lines:
        ids = sorted(json.loads(line)["decision_id"] for line in lines)
    with store.lease("test") as session:
        found = read_decisions(session)
    assert sorted(it.decision_id for it in found) == ids
    assert not any("derived_from" in it.record for it in found)


def events(path: Path, *records: dict[str, Any]) -> Path:
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}
    path.write_text(json.dumps(document))
    return path


def answer_event(index: int = 0, **fields: Any) -> dict[str, Any]:
    """What instrumentations send since events moved to logs."""
    call = {"key": "name", "value": {"stringValue": "refund"}}
    function = {"key": "function", "value": {"kvlistValue": {"values": [call]}}}
    calls = {"arrayValue": {"values": [{"kvlistValue": {"values": [function]}}]}}
    message = {"kvlistValue": {"values": [{"key": "tool_calls", "value": calls}]}}
    body = {
        "kvlistValue": {
            "values": [
                {"key": "index", "value": {"intValue": str(index)}},
                {"key": "finish_reason", "value": {"stringValue": "tool_calls"}},
                {"key": "message", "value": message},
            ]
        }
    }
    return {
        "traceId": TRACE, "spanId": MODEL_SPAN, "timeUnixNano": "1700000000049000000",
        "eventName": "gen_ai.choice", "body": body,
        "attributes": [attribute("gen_ai.request.model", "large-1")], **fields,
    }  # fmt: skip


SILENT = chat()
SILENT["attributes"] = [attribute("gen_ai.operation.name", "chat")]


def test_an_answer_in_a_log_is_a_decision_of_its_span_in_any_order(
    tmp_path: Path, settings: IngestSettings
) -> None:
    logs = events(tmp_path / "logs.json", answer_event(), answer_event(index=1))
    spans = traces(tmp_path / "spans.json", SILENT)
    found = []
    for number, rounds in enumerate(([logs, spans], [spans, logs])):
        for together in (True, False):
            store = Store(tmp_path / f"{number}{together}.duckdb")
            cut = [rounds] if together else [[path] for path in rounds]
            found.append(load(store, settings, *cut))
    assert all(decisions == found[0] for decisions in found)
    (decision,) = found[0]
    assert (decision.chosen, decision.model_name) == ("refund", "large-1")
    assert (decision.trace_id, decision.span_id) == (TRACE, MODEL_SPAN)
    assert decision.record["derived_from"] == "log"


def test_a_span_s_own_answer_and_its_event_are_one_decision(
    tmp_path: Path, settings: IngestSettings
) -> None:
    logs = events(tmp_path / "logs.json", answer_event())
    spans = traces(tmp_path / "spans.json", chat())
    found = []
    for number, rounds in enumerate(([logs, spans], [spans, logs])):
        store = Store(tmp_path / f"{number}.duckdb")
        found.append(load(store, settings, *([path] for path in rounds)))
    assert found[0] == found[1]
    assert [decision.chosen for decision in found[0]] == ["approve"]


@pytest.mark.parametrize(
    "fields",
    [
        {"eventName": "gen_ai.user.message"},
        {"eventName": "order.placed"},
        {"traceId": "", "spanId": ""},
        {"body": {"stringValue": "just words"}},
        {"attributes": [attribute("gen_ai.operation.name", "execute_tool")]},
    ],
)
def test_other_events_in_logs_are_no_decisions(
    tmp_path: Path, store: Store, settings: IngestSettings, fields: dict[str, Any]
) -> None:
    assert load(store, settings, [events(tmp_path / "logs.json", answer_event(**fields))]) == []
