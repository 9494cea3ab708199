"""OTLP JSON by the fast way gives the rows of the slow way, or leaves the piece to it."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from arro3.io import read_json
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.json import FlatJson
from ingest.limits import Limits
from ingest.preparation import Preparation
from ingest.readers.otlp_json import READER as JSON_READER
from store.model import Rejected
from store.span_table import SpanTable
from tests.ingest.both_ways import (
    LIMITS,
    PREPARATIONS,
    assert_equal,
    in_json,
    read_columns,
    reference,
    resources,
    through_columns,
)


@given(
    st.lists(st.lists(resources, min_size=1, max_size=2), min_size=1, max_size=3),
    st.sampled_from(sorted(PREPARATIONS)),
)
@settings(deadline=None, max_examples=120)
def test_columns_of_json_hold_what_records_hold(documents: list[Any], how: str) -> None:
    lines = [in_json(TracesData(resource_spans=parts).SerializeToString()) for parts in documents]
    prepare = PREPARATIONS[how]()
    for data in ("\n".join(lines), *lines):
        found = through_columns(data.encode(), prepare, LIMITS, JSON_READER)
        assert_equal(found, reference(data.encode(), prepare, LIMITS, JSON_READER))


ODD_JSON = (
    '{"key":"a","value":{"intValue":1.0}}',
    '{"key":"a","value":{"intValue":"007"}}',
    '{"key":"a","value":{"intValue":"+7"}}',
    '{"key":"a","value":{"intValue":99999999999999999999}}',
    '{"key":"a","value":{"intValue":"99999999999999999999"}}',
    '{"key":"a","value":{"doubleValue":"NaN"}}',
    '{"key":"a","value":{"doubleValue":5}}',
    '{"key":"a","value":{"doubleValue":1e400}}',
    '{"key":"a","value":{"boolValue":"true"}}',
    '{"key":"a","value":{"stringValue":null,"intValue":3}}',
    '{"key":"a","value":{"stringValue":"x","intValue":3}}',
    '{"key":"a","value":{"arrayValue":null}}',
    '{"key":"a","value":{"bytesValue":"AAE="}}',
    '{"key":"a","value":{"string_value":"x"}}',
    '{"key":"a","value":null}',
    '{"key":"a"}',
    '{"value":{"stringValue":"x"}}',
    '{"key":"a","value":{"stringValue":"\\ud800"}}',
    '{"key":"a","value":{"stringValue":"\\u0041\\/\\u007f\\u0001"}}',
    '{"key":"b","value":{"stringValue":"x"}},{"key":"b","value":{"intValue":1}}',
)
NAMED_DOUBLES = (
    '{"key":"a","value":{"doubleValue":"-Infinity"}}',
    '{"key":"a","value":{"arrayValue":{"values":[{"doubleValue":"Infinity"}]}}}',
    '{"key":"a","value":{"kvlistValue":{"values":[{"key":"b","value":{"doubleValue":"NaN"}}]}}}',
)
ODD_SPANS = (
    '"kind":"SPAN_KIND_CLIENT"',
    '"kind":17',
    '"status":{"code":"STATUS_CODE_ERROR"}',
    '"status":null',
    '"parentSpanId":"0000000000000000"',
    '"parentSpanId":"7uK5mY6q3xE="',
    '"events":[{"name":"e","timeUnixNano":3},{"name":1},null]',
    '"links":[{"traceId":"","spanId":"1"}]',
    '"attributes":null',
    '"name":null',
    '"unknown":1',
    '"endTimeUnixNano":""',
    '"endTimeUnixNano":"-5"',
    '"endTimeUnixNano":17',
    '"endTimeUnixNano":"18446744073709551615"',
)


@pytest.mark.parametrize("part", [*(f'"attributes":[{pair}]' for pair in ODD_JSON), *ODD_SPANS])
def test_odd_json_is_read_the_same_either_way(part: str) -> None:
    plain = '"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174"'
    times = '"startTimeUnixNano":"1544712660000000000"'
    good = f"{{{plain.replace('5B', '5C')},{times}}}"
    spans = f"{good},{{{plain},{times},{part}}}"
    data = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}'.encode()
    found = through_columns(data, Preparation(None), Limits(), JSON_READER)
    assert_equal(found, reference(data, Preparation(None), Limits(), JSON_READER))
    assert len(found) >= 1


@pytest.mark.parametrize("owner", ["resource", "scope"])
@pytest.mark.parametrize("pair", [*ODD_JSON, *NAMED_DOUBLES])
def test_odd_resources_and_scopes_are_read_the_same_either_way(owner: str, pair: str) -> None:
    own = f'{{"attributes":[{pair}]}}'
    resource, scope = (own if owner == name else "{}" for name in ("resource", "scope"))
    ids = '"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174"'
    group = f'{{"scope":{scope},"spans":[{{{ids},"startTimeUnixNano":"1544712660000000000"}}]}}'
    data = f'{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{group}]}}]}}'.encode()
    found = through_columns(data, Preparation(None), Limits(), JSON_READER)
    assert_equal(found, reference(data, Preparation(None), Limits(), JSON_READER))


def plain_document() -> Any:
    """Objects of every sort, most of them with much left to say."""
    pairs = [
        {"key": "a", "value": {"stringValue": "x"}},
        {"key": "b", "value": {}},
        {"key": "c", "value": {"arrayValue": {"values": [{}, {"intValue": "5"}]}}},
        {"key": "d", "value": {"kvlistValue": {"values": [{"key": "e", "value": {}}]}}},
        {"key": "f", "value": {"kvlistValue": {}}},
    ]
    ids = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
    span = {**ids, "startTimeUnixNano": "5", "status": {}, "events": [{}], "links": [dict(ids)]}
    groups = [{"scope": {}, "spans": [{**span, "attributes": pairs}]}]
    return {"resourceSpans": [{"resource": {}, "scopeSpans": groups}]}


PLANTED: tuple[tuple[str, object], ...] = (
    *(("string_value", "y"), ("stringValue", "y"), ("stringValue", 5), ("int_value", "5")),
    *(("intValue", 6), ("intValue", "1.5"), ("bool_value", True), ("doubleValue", "2.5")),
    *(
        ("bytesValue", "AAE="),
        ("arrayValue", {"values": [None]}),
        ("array_value", {"values": [{}]}),
    ),
    *(("kvlistValue", {"values": [{"key": "k", "value": {"string_value": "z"}}]}),),
    *(("value", {"stringValue": "y"}), ("value", None), ("key", "k"), ("key", None)),
    *(("parent_span_id", "eee19b7ec3c1b175"), ("end_time_unix_nano", "9"), ("trace_state", "t")),
    *(
        ("endTimeUnixNano", "9"),
        ("endTimeUnixNano", 1.5),
        ("kind", "SPAN_KIND_SERVER"),
        ("kind", 2.5),
    ),
    *(("name", "n"), ("name", None), ("time_unix_nano", 7), ("code", "STATUS_CODE_ERROR")),
    *(("attributes", [{"key": "g", "value": {"string_value": "y"}}]), ("attributes", None)),
    *(("attributes", [None]), ("instrumentationLibrary", {"name": "l"}), ("scope", {"name": "l"})),
    *(("spans", []), ("links", [None]), ("events", [None]), ("batches", []), ("resourceLogs", [])),
    *(("unknown", 'a": \\'), ("", 1), ("\\", {"name": "q"}), ("schemaUrl", "s"), ("flags", 1)),
)


def objects_in(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from objects_in(item)


@pytest.mark.parametrize("place", range(len(list(objects_in(plain_document())))))
def test_nothing_that_json_holds_is_lost_in_columns(place: int) -> None:
    """The decoder leaves out keys it does not know: they must be noticed wherever they stand."""
    prepare = Preparation(None)
    for number, (key, value) in enumerate(PLANTED):
        document = plain_document()
        held = list(objects_in(document))[place]
        twice = json.dumps(held.get(key)) if key in held else None
        held[key] = value
        spaced = (number + place) % 5 == 0
        text = json.dumps(document, separators=(" ,", "\t: ") if spaced else (",", ":"))
        if twice is not None:  # the same key twice
            text = text.replace(json.dumps(key), f"{json.dumps(key)}:{twice},{json.dumps(key)}", 1)
        try:
            found = encode(FlatJson(LIMITS).flat([text.encode()]), prepare, LIMITS)
        except OddError:
            continue
        assert_equal(found, reference(text.encode(), prepare, LIMITS, JSON_READER))


@pytest.mark.parametrize(
    "letter", ["\u00e9", "\U0001f600", "\U0001ffff", "\U00020000", "\U000c8025"]
)
def test_letters_written_as_escapes_are_the_same_in_columns(letter: str) -> None:
    text = json.dumps(plain_document()).replace('"x"', json.dumps(f"{letter}!"))
    found = through_columns(text.encode(), Preparation(None), LIMITS, JSON_READER)
    (attributes,) = found.spans["attributes"].to_pylist()
    assert json.loads(attributes)["a"] == f"{letter}!"
    assert_equal(found, reference(text.encode(), Preparation(None), LIMITS, JSON_READER))


def test_the_decoder_of_json_still_misreads_letters_past_its_second_plane() -> None:
    """When this fails, `_MISREAD` in ingest/fast/json.py can go."""
    schema = pa.schema([("a", pa.string())])
    reader = read_json(json.dumps({"a": "\U00020000"}).encode(), schema)
    (row,) = pa.RecordBatchReader.from_stream(reader).read_all().to_pylist()
    assert row == {"a": "\U00010000"}


def test_what_is_no_json_is_refused_in_columns_too() -> None:
    """The decoder takes commas where none may be, and numbers that begin with zero."""
    plain = '{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","kind":1}'
    whole = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{plain}]}}]}}]}}'
    (table,) = read_columns(JSON_READER, whole.encode(), Preparation(None), LIMITS)
    assert isinstance(table, SpanTable)
    for before, after in (
        (":1}", ":1,}"),
        (":1}", ":01}"),
        (",", ",,"),
        ("[{", "[,{"),
        ("5b", "\n"),
    ):
        data = whole.replace(before, after, 1).encode()
        slow = list(JSON_READER.read(io.BytesIO(data), LIMITS))
        assert any(isinstance(item, Rejected) for item in slow)
        assert list(read_columns(JSON_READER, data, Preparation(None), LIMITS)) == slow


@pytest.mark.parametrize("integer", ["200", 200])
@pytest.mark.parametrize("kind", ["SPAN_KIND_CLIENT", 3])
def test_numbers_and_names_take_the_fast_way_however_they_are_written(
    integer: object, kind: object
) -> None:
    ids = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
    nested = {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": integer}]}}
    pairs = [
        {"key": "http.response.status_code", "value": {"intValue": integer}},
        {"key": "list", "value": nested},
        {"key": "text", "value": {"stringValue": 'say \\": {"key\\":1} :'}},
    ]
    span = {**ids, "kind": kind, "startTimeUnixNano": integer, "attributes": pairs}
    document = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}
    data = json.dumps(document).encode()
    (table,) = read_columns(JSON_READER, data, Preparation(None), Limits())
    assert isinstance(table, SpanTable)
    assert_equal(table, reference(data, Preparation(None), Limits(), JSON_READER))
    (row,) = table.spans.to_pylist()
    assert (row["http_status_code"], row["kind"], row["start_ns"]) == (200, "client", 200)
    assert json.loads(row["attributes"])["list"] == ["a", 200]


def test_plain_json_takes_the_fast_way() -> None:
    document = json.dumps(plain_document()).encode()
    assert len(FlatJson(LIMITS).flat([document, document]).trace_id) == 2
    ids = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
    pair = {"key": "http.response.status_code", "value": {"intValue": "200"}}
    span = {**ids, "startTimeUnixNano": "5", "endTimeUnixNano": "6", "attributes": [pair]}
    group = {"scope": {"name": "s"}, "spans": [span]}
    service = {"key": "service.name", "value": {"stringValue": "a"}}
    resource = {"resource": {"attributes": [service]}, "scopeSpans": [group]}
    data = json.dumps({"resourceSpans": [resource]}).encode()
    (table,) = read_columns(JSON_READER, data, Preparation(None), Limits())
    assert isinstance(table, SpanTable)
    assert table.spans["http_status_code"].to_pylist() == [200]
    assert table.spans["service"].to_pylist() == ["a"]
