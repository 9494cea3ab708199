"""Log records column by column are those of the walk over records, value by value."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from ingest.limits import Limits
from ingest.otlp.protobuf import logs_of
from ingest.preparation import Preparation
from ingest.readers.otlp_json import READER as JSON_READER
from ingest.readers.otlp_protobuf import READER
from store import columns, rows
from store.log_table import LogTable
from store.model import LogRecord
from store.span_table import SpanTable
from tests.ingest.both_ways import (
    LIMITS,
    PREPARATIONS,
    AnyReader,
    attributes,
    read_columns,
    sound_ids,
    span_ids,
    texts,
    times,
    trace_ids,
    under_resources,
    values,
)

Rows = list[dict[str, Any]]

logs = st.fixed_dictionaries(
    {
        "trace_id": st.one_of(*[sound_ids] * 6, trace_ids),
        "span_id": span_ids,
        "time_unix_nano": st.one_of(*[st.integers(0, 2**62)] * 6, times),
        "observed_time_unix_nano": st.one_of(*[st.integers(0, 2**62)] * 6, times),
        "severity_number": st.one_of(*[st.integers(0, 24)] * 6, st.just(99)),
        "severity_text": texts,
        "attributes": attributes,
    },
    optional={
        "body": values,
        "event_name": st.sampled_from(("", "", "", "order.paid")),
        "flags": st.integers(0, 1),
    },
)
resources = under_resources("scope_logs", "log_records", logs)


def one_by_one(data: bytes, prepare: Preparation, limits: Limits, reader: AnyReader) -> Rows:
    found = map(prepare.item, reader.read(io.BytesIO(data), limits))
    made = [rows.log_row(item) for item in found if isinstance(item, LogRecord)]
    return rows.table(made, columns.LOG_SCHEMA).to_pylist()  # type: ignore[no-any-return]


def by_columns(data: bytes, prepare: Preparation, limits: Limits, reader: AnyReader) -> Rows:
    found: Rows = []
    for item in read_columns(reader, data, prepare, limits):
        if isinstance(item, LogTable):
            assert item.rows.schema.equals(columns.LOG_SCHEMA)
            found += item.rows.to_pylist()
        else:
            assert not isinstance(item, SpanTable)
            prepared = prepare.item(item)
            if isinstance(prepared, LogRecord):
                made = rows.table([rows.log_row(prepared)], columns.LOG_SCHEMA)
                found += made.to_pylist()
    return found


@given(
    st.lists(st.lists(resources, min_size=1, max_size=2), min_size=1, max_size=2),
    st.sampled_from(sorted(PREPARATIONS)),
)
@settings(deadline=None, max_examples=100)
def test_log_columns_hold_what_records_hold(documents: list[Any], how: str) -> None:
    messages = [LogsData(resource_logs=parts).SerializeToString() for parts in documents]
    data = b"".join(len(message).to_bytes(4) + message for message in messages)
    prepare = PREPARATIONS[how]()
    assert by_columns(data, prepare, LIMITS, READER) == one_by_one(data, prepare, LIMITS, READER)
    lines = "\n".join(json.dumps(logs_of(message)) for message in messages).encode()
    expected = one_by_one(lines, prepare, LIMITS, JSON_READER)
    assert by_columns(lines, prepare, LIMITS, JSON_READER) == expected


def plain(**changed: object) -> dict[str, Any]:
    pair = {"key": "order.id", "value": {"string_value": 'a "quoted" one'}}
    return {
        "trace_id": b"1" * 16,
        "span_id": b"2" * 8,
        "time_unix_nano": 5,
        "severity_number": 9,
        "severity_text": "INFO",
        "body": {"string_value": "mail someone@example.com"},
        "attributes": [pair],
        **changed,
    }


def message_of(*records: dict[str, Any]) -> bytes:
    group = {"scope": {"name": "a.scope"}, "log_records": records}
    resource: Any = {"scope_logs": [group]}
    return LogsData(resource_logs=[resource]).SerializeToString()


@pytest.mark.parametrize("how", ["protobuf", "JSON"])
def test_plain_log_records_take_the_fast_way(how: str) -> None:
    """Without this the equality above could hold because nothing is fast."""
    data = message_of(plain(), plain(time_unix_nano=0, observed_time_unix_nano=7))
    chosen: AnyReader = READER
    if how == "JSON":
        data, chosen = json.dumps(logs_of(data)).encode(), JSON_READER
    prepare = PREPARATIONS["redacted"]()
    (table,) = read_columns(chosen, data, prepare, Limits())
    assert isinstance(table, LogTable)
    found = table.rows.to_pylist()
    assert [row["time_ns"] for row in found] == [5, 7]
    assert [row["observed_ns"] for row in found] == [5, 7]
    assert "example.com" not in found[0]["body"]
    assert json.loads(found[0]["attributes"]) == {
        "order.id": 'a "quoted" one',
        "otel.scope.name": "a.scope",
    }
    assert found == one_by_one(data, prepare, Limits(), chosen)


def test_events_are_named_by_their_field_or_by_an_attribute_in_columns_too() -> None:
    def named(*values: dict[str, object], **changed: object) -> dict[str, Any]:
        pairs = [{"key": "event.name", "value": value} for value in values]
        return plain(attributes=pairs, **changed)

    data = message_of(
        plain(),
        plain(event_name="order.paid"),
        named({"string_value": "order.sent"}),
        named({"string_value": "order.sent"}, event_name="order.paid"),
        named({"string_value": "order.sent"}, {"string_value": "mail to a@example.com"}),
        named({"string_value": "order.sent"}, {"int_value": 5}),
        named({}),
    )
    prepare = PREPARATIONS["redacted"]()
    (table,) = read_columns(READER, data, prepare, Limits())
    assert isinstance(table, LogTable)
    events = table.rows["event_name"].to_pylist()
    assert events[:4] == ["", "order.paid", "order.sent", "order.paid"]
    assert events[4].startswith("mail to [redacted:")
    assert events[5:] == ["", ""]
    assert table.rows.to_pylist() == one_by_one(data, prepare, Limits(), READER)


@pytest.mark.parametrize("severity", ["SEVERITY_NUMBER_ERROR2", "18", 18])
def test_a_severity_may_be_a_name(severity: object) -> None:
    document: Any = logs_of(message_of(plain()))
    document["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["severityNumber"] = severity
    (table,) = read_columns(JSON_READER, json.dumps(document).encode(), Preparation(None), Limits())
    assert isinstance(table, LogTable)
    assert table.rows["severity_number"].to_pylist() == [18]


@pytest.mark.parametrize(
    "odd",
    [
        {"event_name": "gen_ai.choice"},
        {"attributes": [{"key": "event.name", "value": {"string_value": "gen_ai.choice"}}]},
        {"trace_id": b"short"},
        {"severity_number": 99},
    ],
)
def test_odd_log_records_are_left_to_the_walk(odd: dict[str, Any]) -> None:
    """An event may be a decision, which is told from records."""
    data = message_of(plain(), plain(**odd))
    found = list(read_columns(READER, data, Preparation(None), Limits()))
    assert found == list(READER.read(io.BytesIO(data), Limits()))


def test_spans_and_log_records_of_one_file_keep_their_order() -> None:
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "startTimeUnixNano": "1"}
    of_spans = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    of_logs = json.dumps(logs_of(message_of(plain()))).encode()
    data = b"\n".join([of_spans, of_logs, of_logs, of_spans])
    found = list(read_columns(JSON_READER, data, Preparation(None), Limits()))
    assert [(type(table).__name__, len(table)) for table in found] == [  # type: ignore[arg-type]
        ("SpanTable", 1),
        ("LogTable", 2),
        ("SpanTable", 1),
    ]
