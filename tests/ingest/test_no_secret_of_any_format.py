"""No byte of a secret reaches the store from recordings, histories, exports, Thrift or Parquet."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from jaeger_client.thrift_gen.jaeger import ttypes

from ingest.exported_rows import FORMAT
from ingest.own_rules import OwnRules
from ingest.pipeline import IngestSettings, ingest_paths
from ingest.reader import discover
from ingest.redact_check import check_file
from store.lease import Store
from tests.ingest.histories import cadence, order
from tests.ingest.planting import OWN_PATTERN, SHAPES, Planter, left_in
from tests.ingest.test_agent_runs import ANSWERED, SERVED
from tests.ingest.test_decisions_of_spans import EXPORT
from tests.ingest.test_jaeger_thrift import a_span, binary
from tests.ingest.test_no_secret_is_written import DOCUMENTS
from tests.ingest.test_otel_sdk import JAVASCRIPT
from tests.ingest.test_parquet import ROW, parquet
from tests.ingest.test_recorded_http import PLAIN, STUB
from tests.ingest.test_step_functions import history
from tests.ingest.test_zipkin import at, note, v1

RULES = OwnRules(names=("acme.phone",), patterns={"acme": OWN_PATTERN})
SETTINGS = IngestSettings(redaction_key=b"a key for tests only", own_rules=RULES)
TYPES: Any = ttypes  # generated code has no annotations
# Under these names stand ids, times, kinds and encodings; a text there would refuse the record.
SPARED = frozenset(
    {
        *("id", "traceId", "spanId", "parentObservationId", "type", "startTime", "endTime"),
        *("eventId", "eventTime", "eventType", "timestamp", "timerId", "activityId"),
        *("scheduledEventId", "startedEventId", "originalExecutionRunId", "firstExecutionRunId"),
        *("startToCloseTimeout", "startToFireTimeout", "initialInterval", "encoding", "header"),
        *("TraceId", "SpanId", "ParentSpanId", "SpanKind", "StatusCode", "Links.TraceId"),
        *("Links.SpanId", "method", "recorded_at", "recorded_with", "role", "kind", "status"),
    }
)


def planted(planter: Planter, value: Any, under: str = "") -> Any:
    """A document with a secret in each text, also inside base64 and inside JSON in a text."""
    if isinstance(value, dict):
        return {
            key: part if key in SPARED else planted(planter, part, key)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [planted(planter, part, under) for part in value]
    if not isinstance(value, str):
        return value
    if under in ("data", "input", "details", "result") and (inner := _decoded(value)) is not None:
        written = json.dumps(planted(planter, inner)).encode()
        return base64.b64encode(written).decode()
    if value.startswith(("{", "[")):
        return json.dumps(planted(planter, json.loads(value)))
    return f"{value} {planter.text()}"


def _decoded(text: str) -> Any:
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        return None


def as_json(value: Any) -> Callable[[Planter], bytes]:
    return lambda planter: json.dumps(planted(planter, value)).encode()


def as_yaml(value: Any) -> Callable[[Planter], bytes]:
    return lambda planter: yaml.safe_dump(planted(planter, value)).encode()


def as_thrift(planter: Planter) -> bytes:
    text = TYPES.TagType.STRING
    tags = [
        TYPES.Tag("http.url", text, vStr=planter.text()),
        TYPES.Tag("db.password", text, vStr=planter.bare()),
        TYPES.Tag(f"key {planter.text()}", text, vStr="v"),
        TYPES.Tag("raw", TYPES.TagType.BINARY, vBinary=planter.text()),
    ]
    logs = [TYPES.Log(1_485_467_191_639_876, [TYPES.Tag("event", text, vStr=planter.text())])]
    span = a_span(operationName=planter.text(), tags=tags, logs=logs)
    return binary(span, service=f"pay {planter.text()}")


def as_parquet(planter: Planter) -> bytes:
    return parquet([planted(planter, ROW)])


def as_exported(table: str, row: dict[str, Any]) -> Callable[[Planter], bytes]:
    def made(planter: Planter) -> bytes:
        sink = io.BytesIO()
        told = pa.Table.from_pylist([planted(planter, row)])
        named = told.replace_schema_metadata({"format": FORMAT, "table": table})
        pq.write_table(named, sink)
        return sink.getvalue()

    return made


SPAN_ROW: dict[str, Any] = {
    **{"TraceId": "ab" * 16, "SpanId": "cd" * 8, "start_ns": 1, "end_ns": 2, "name": "pay"},
    **{"kind": "client", "status": "ok"},
    **{"status_message": "no", "trace_state": "a=b", "service": "shop", "scope_name": "s"},
    **{"attributes": '{"a": "b", "c": ["d"]}', "resource": '{"host.name": "h"}'},
    "events": [{"name": "e", "time_ns": 1, "attributes": '{"a": "b"}'}],
}
INCIDENT_ROW = {
    **{"incident_id": "i", "start_ns": 1, "end_ns": 2, "declared_by": "who", "title": "down"},
    **{"flow_ids": ["f"], "services": ["shop"]},
}
REJECT_ROW = {"source": "s", "record": "line 1", "reason": "r", "excerpt": "e"}
DECISION_ROW = {
    **{"decision_id": "d", "time_ns": 1, "chosen": "c", "flow_id": "f", "model_name": "m"},
    **{"policy_outcome": "p", "action_step_key": "k", "record": '{"chosen": "c"}'},
}
EXPORTED = {
    "spans": SPAN_ROW,
    "incidents": INCIDENT_ROW,
    "rejects": REJECT_ROW,
    "decisions": DECISION_ROW,
}

MADE: dict[str, Callable[[Planter], bytes]] = {
    "cadence": as_json(cadence()),
    "jaeger_thrift": as_thrift,
    "langfuse": as_json(EXPORT),
    "otel_sdk": as_json(JAVASCRIPT),
    "parquet": as_parquet,
    "step_functions": as_json(history()),
    "tau_bench": as_json([SERVED]),
    "temporal": as_json(order()),
    "vcr": as_yaml(PLAIN),
    "who_and_when": as_json(ANSWERED),
    "wiremock": as_json(STUB),
    "zipkin_v1": as_json(
        [
            v1(
                timestamp=1_472_470_996_199_000,
                duration=5,
                annotations=[note("cs", 0, "shop"), note("retry", 1, "shop")],
                binaryAnnotations=[{"key": "http.path", "value": "/x", "endpoint": at("shop")}],
            )
        ]
    ),
}
ELSEWHERE = {*DOCUMENTS, "decisions", "otlp_json", "otlp_protobuf"}


def test_every_format_is_tried() -> None:
    assert set(MADE) | ELSEWHERE == set(discover())


@pytest.mark.parametrize("form", sorted(MADE))
@pytest.mark.parametrize("turn", [0, 5])
def test_nothing_secret_of_a_format_is_in_the_store(tmp_path: Path, form: str, turn: int) -> None:
    shapes = [*range(turn, len(SHAPES)), *range(turn)]
    planter = Planter("s3cretbody", "note", shapes)
    source, outputs = tmp_path / "in", tmp_path / "out"
    source.write_bytes(MADE[form](planter))
    outputs.mkdir()
    store = Store(outputs / "s.duckdb")
    with store.lease("keeps the write-ahead log", create=True):
        report = ingest_paths(store, [str(source)], replace(SETTINGS, format=form))
        assert left_in(outputs, planter.secrets) == set()
    assert left_in(outputs, planter.secrets) == set()
    assert len(planter.secrets) >= 5
    assert report.total("spans") > 0, report.problems()


@pytest.mark.parametrize("form", sorted(MADE))
def test_the_search_would_find_what_was_not_redacted(tmp_path: Path, form: str) -> None:
    planter = Planter("s3cretbody", "note", range(len(SHAPES)))
    source, outputs = tmp_path / "in", tmp_path / "out"
    source.write_bytes(MADE[form](planter))
    outputs.mkdir()
    store = Store(outputs / "s.duckdb")
    bare = replace(SETTINGS, format=form, redact=False)
    with store.lease("keeps the write-ahead log", create=True):
        ingest_paths(store, [str(source)], bare)
        assert len(left_in(outputs, planter.secrets)) >= len(planter.secrets) / 3


@pytest.mark.parametrize("table", sorted(EXPORTED))
def test_nothing_secret_of_an_exported_table_is_in_the_store(tmp_path: Path, table: str) -> None:
    """Whoever wrote the file may not have redacted it."""
    planter = Planter("s3cretbody", "note", range(len(SHAPES)))
    source, outputs = tmp_path / "in", tmp_path / "out"
    source.write_bytes(as_exported(table, EXPORTED[table])(planter))
    outputs.mkdir()
    store = Store(outputs / "s.duckdb")
    with store.lease("keeps the write-ahead log", create=True):
        report = ingest_paths(store, [str(source)], SETTINGS)
        assert left_in(outputs, planter.secrets) == set()
    assert left_in(outputs, planter.secrets) == set()
    assert len(planter.secrets) >= 4
    assert report.files[0].records_read + report.files[0].rejected_count == 1, report.problems()
    _, seen = check_file(source, SETTINGS)
    assert (seen.records, seen.secrets > 0) == (1, True)
    assert table == "rejects" or not report.problems()
