"""The fast way gives the rows of the slow way, or leaves the piece to it."""

import io
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import polars as pl
import pyarrow as pa
import pytest
from arro3.io import read_json
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest import redact_columns
from ingest.aliases import Aliases
from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.json import FlatJson
from ingest.fast.protobuf import FlatProtobuf
from ingest.limits import Limits
from ingest.otlp.protobuf import traces_of
from ingest.own_rules import OwnRules
from ingest.preparation import Preparation
from ingest.reader import Item, Piece
from ingest.readers.otlp_json import READER as JSON_READER
from ingest.readers.otlp_json import OtlpJsonReader
from ingest.readers.otlp_protobuf import READER, OtlpProtobufReader
from ingest.redact import Redactor
from ingest.redact_columns import redacted
from store import rows
from store.log_table import LogTable
from store.model import Rejected, Span
from store.span_table import SpanTable, joined
from tests.ingest.planting import SHAPES, Planter

AnyReader = OtlpJsonReader | OtlpProtobufReader
LIMITS = Limits(attribute_chars=60, attributes_per_record=6, events_per_span=2, links_per_span=2)
SECRETS = (
    "Bearer abcdef0123456789abcdef",
    "mail me: someone@example.com now",
    'say "password": "hunter2"',
    "token=abc&x=1",
    "https://u:pw1@host/?key=1",
    "card 4111 1111 1111 1111",
    "1700000000000000000",
    "to\u212aen=abcdefgh",
    "AUTHORIZATION: Basic dXNlcjpwYXNz",
    "tenant=abc, tenant: 'secret'",
    "see ORD-1234 and ORD-12",
)


KEY = b"a key for tests"
OWN_RULES = OwnRules(
    names=("tenant", "gen_ai.request.model"),
    patterns={"order": "ORD-[0-9]{4}"},
    exempt=("x.api_key",),
)
ALIASES = Aliases(
    names={
        "http.route": ["card.number", "password", "http.method"],
        "retrospan.flow.id": ["http.status_code"],
        "service.name": ["http.request.method"],
    }
)
PREPARATIONS: dict[str, Callable[[], Preparation]] = {
    "nothing": lambda: Preparation(None),
    "redacted": lambda: Preparation(Redactor(KEY)),
    "by own rules": lambda: Preparation(Redactor(KEY, OWN_RULES)),
    "by own names": lambda: Preparation(Redactor(KEY, OwnRules(names=("tenant",)))),
    "with aliases": lambda: Preparation(None, ALIASES),
    "with all": lambda: Preparation(Redactor(KEY, OWN_RULES), ALIASES),
}


def in_json(message: bytes) -> str:
    """A message as OTLP JSON, by the conversion that the walk over records reads."""
    document = traces_of(message)
    return json.dumps(document)


def reference(
    data: bytes, prepare: Preparation, limits: Limits, reader: AnyReader = READER
) -> SpanTable:
    encoder = rows.span_encoder()
    found = []
    for item in reader.read(io.BytesIO(data), limits):
        item = prepare.item(item)
        if isinstance(item, Span):
            found.append(encoder(item))
    return rows.span_table(found)


def read_columns(
    reader: AnyReader, data: bytes, prepare: Preparation, limits: Limits, piece_bytes: int = 1 << 20
) -> Iterator[Item | SpanTable | LogTable]:
    for part in reader.read_columns(io.BytesIO(data), limits, piece_bytes):
        if isinstance(part, Piece):
            yield from part.make(prepare)
        else:
            yield part


def through_columns(
    data: bytes, prepare: Preparation, limits: Limits, reader: AnyReader = READER
) -> SpanTable:
    encoder = rows.span_encoder()
    parts = []
    for item in read_columns(reader, data, prepare, limits):
        if isinstance(item, SpanTable):
            parts.append(item)
        elif not isinstance(item, LogTable):
            item = prepare.item(item)
            if isinstance(item, Span):
                parts.append(rows.span_table([encoder(item)]))
    return joined([rows.span_table([]), *parts])


def assert_equal(one: SpanTable, other: SpanTable) -> None:
    assert one.spans.to_pylist() == other.spans.to_pylist()
    assert one.events.to_pylist() == other.events.to_pylist()
    assert one.links.to_pylist() == other.links.to_pylist()
    assert one.event_owner.to_list() == other.event_owner.to_list()
    assert one.link_owner.to_list() == other.link_owner.to_list()


texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(SECRETS)
scalars: st.SearchStrategy[dict[str, object]] = (
    st.builds(lambda v: {"string_value": v}, texts)
    | st.builds(lambda v: {"int_value": v}, st.integers(-(2**63), 2**63 - 1))
    | st.builds(lambda v: {"bool_value": v}, st.booleans())
    | st.builds(lambda v: {"double_value": v}, st.floats())
    | st.builds(lambda v: {"bytes_value": v}, st.binary(max_size=5))
    | st.just({})
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.builds(lambda v: {"array_value": {"values": v}}, st.lists(inner, max_size=2))
        | st.builds(
            lambda k, v: {"kvlist_value": {"values": [{"key": k, "value": v}]}}, texts, inner
        )
    ),
    max_leaves=3,
)
keys = texts | st.sampled_from(
    (
        *("http.method", "http.request.method", "http.status_code", "gen_ai.request.model"),
        *("password", "retrospan.flow.id", "x.api_key", "card.number", "$b", "retrospan.truncated"),
    )
)
attributes = st.lists(st.builds(lambda k, v: {"key": k, "value": v}, keys, values), max_size=7)
times = st.integers(1, 2**63 - 1) | st.sampled_from((0, 2**63, 2**64 - 1))
trace_ids = st.binary(min_size=16, max_size=16) | st.sampled_from((b"", b"\0" * 16, b"short"))
span_ids = st.binary(min_size=8, max_size=8) | st.sampled_from((b"", b"\0" * 8))
sound_ids = st.binary(min_size=15, max_size=15).map(lambda v: b"\1" + v)
spans = st.fixed_dictionaries(
    {
        "trace_id": st.one_of(*[sound_ids] * 6, trace_ids),
        "span_id": st.one_of(
            *[st.binary(min_size=7, max_size=7).map(lambda v: b"\1" + v)] * 6, span_ids
        ),
        "parent_span_id": span_ids,
        "name": texts,
        "trace_state": texts,
        "kind": st.one_of(*[st.integers(0, 5)] * 6, st.just(9)),
        "start_time_unix_nano": st.one_of(*[st.integers(1, 2**62)] * 6, times),
        "end_time_unix_nano": st.one_of(*[st.integers(0, 2**62)] * 6, times),
        "attributes": attributes,
    },
    optional={
        "status": st.fixed_dictionaries({"code": st.integers(0, 2), "message": texts}),
        "events": st.lists(
            st.fixed_dictionaries(
                {"time_unix_nano": st.integers(0, 99), "name": texts, "attributes": attributes}
            ),
            max_size=3,
        ),
        "links": st.lists(
            st.fixed_dictionaries(
                {"trace_id": sound_ids, "span_id": span_ids, "attributes": attributes}
            ),
            max_size=2,
        ),
    },
)
resources = st.fixed_dictionaries(
    {
        "resource": st.fixed_dictionaries({"attributes": attributes}),
        "scope_spans": st.lists(
            st.fixed_dictionaries(
                {
                    "scope": st.fixed_dictionaries({"name": texts, "version": texts}),
                    "spans": st.lists(spans, max_size=3),
                }
            ),
            max_size=2,
        ),
    }
)


@given(
    st.lists(st.lists(resources, min_size=1, max_size=2), min_size=1, max_size=3),
    st.sampled_from(sorted(PREPARATIONS)),
)
@settings(deadline=None, max_examples=200)
def test_columns_hold_what_records_hold(documents: list[Any], how: str) -> None:
    messages = [TracesData(resource_spans=parts).SerializeToString() for parts in documents]
    data = b"".join(len(message).to_bytes(4) + message for message in messages)
    prepare = PREPARATIONS[how]()
    assert_equal(through_columns(data, prepare, LIMITS), reference(data, prepare, LIMITS))
    for message in messages:  # also each by itself, so that an odd one hides no other
        try:
            found = encode(FlatProtobuf(LIMITS).flat([message]), prepare, LIMITS)
        except OddError:
            continue
        assert_equal(found, reference(message, prepare, LIMITS))


@pytest.mark.parametrize("few", [0, redact_columns.FEW])
@given(st.lists(texts | st.text(), max_size=20))
@settings(deadline=None)
def test_a_column_is_redacted_like_its_texts(few: int, column: Sequence[str]) -> None:
    column = [text.encode("utf-8", "replace").decode() for text in column]
    redactor = Redactor(KEY)
    with mock.patch.object(redact_columns, "FEW", few):
        found = redacted(pl.Series("t", column, dtype=pl.String), redactor)
    assert found.to_list() == [Redactor(KEY).text(text) for text in column]


def test_every_shape_of_a_secret_is_looked_at_in_a_column() -> None:
    planter = Planter("s3cretbody", "note", range(len(SHAPES) - 1))  # the last is no built-in one
    column = [planter.text() for _ in range(len(SHAPES) - 1)] + list(SECRETS)
    whole = [*column, *[text.upper() for text in column], *["harmless"] * redact_columns.FEW]
    found = redacted(pl.Series("t", whole, dtype=pl.String), Redactor(KEY))
    assert found.to_list() == [Redactor(KEY).text(text) for text in whole]


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


def test_a_broken_resource_without_spans_is_refused_either_way() -> None:
    """Found by fuzzing: nothing of it is decoded column by column."""
    data = b"\x0a\x04\x0a\x02\x0a\x09"  # a resource that promises more than there is
    prepare = Preparation(None)
    slow = list(READER.read(io.BytesIO(data), Limits()))
    assert [type(item).__name__ for item in slow] == ["Rejected"]
    assert list(read_columns(READER, data, prepare, Limits())) == slow


def test_a_text_that_nobody_reads_is_refused_either_way_when_it_is_no_text() -> None:
    """Found by fuzzing: the address of a schema, the state of a link."""
    link = b"\x6a\x05\x1a\x03a\xffb"
    ids = b"\x0a\x10" + b"1" * 16 + b"\x12\x08" + b"2" * 8 + b"\x39" + b"1" * 8

    def message(of_span: bytes = b"", of_scope: bytes = b"", of_resource: bytes = b"") -> bytes:
        span = ids + of_span
        scope = b"\x12" + bytes([len(span)]) + span + of_scope
        resource = b"\x12" + bytes([len(scope)]) + scope + of_resource
        return b"\x0a" + bytes([len(resource)]) + resource

    odd = b"\x1a\x03a\xffb"
    for data in (message(link), message(of_scope=odd), message(of_resource=odd)):
        slow = list(READER.read(io.BytesIO(data), Limits()))
        assert [type(item).__name__ for item in slow] == ["Rejected"]
        assert list(read_columns(READER, data, Preparation(None), Limits(), 99)) == slow


def test_plain_spans_take_the_fast_way() -> None:
    """Without this the equality above could hold because nothing is fast."""
    span = {"trace_id": b"1" * 16, "span_id": b"2" * 8, "start_time_unix_nano": 1}
    pair = {"key": "http.method", "value": {"string_value": "GET"}}
    group: Any = {"spans": [{**span, "attributes": [pair], "events": [{"name": "e"}]}]}
    resource: Any = {"scope_spans": [group]}
    data = TracesData(resource_spans=[resource]).SerializeToString()
    (table,) = read_columns(READER, data, Preparation(None), Limits())
    assert isinstance(table, SpanTable)
    assert table.spans["http_method"].to_pylist() == ["GET"]
    assert json.loads(table.spans["attributes"][0].as_py()) == {"http.method": "GET"}


@pytest.mark.parametrize("kept", [[], [0, 2], [1], [0, 1, 2]])
def test_rows_of_a_table_keep_their_own_events(kept: list[int]) -> None:
    parts = []
    for number in range(3):
        events = [{"name": f"{number}.{at}"} for at in range(number)]
        ids = {"trace_id": b"1" * 16, "span_id": bytes([number + 1]) * 8}
        span = {**ids, "name": str(number), "start_time_unix_nano": 1, "events": events}
        group: Any = {"scope_spans": [{"spans": [span]}]}
        data = TracesData(resource_spans=[group]).SerializeToString()
        parts.append(through_columns(data, Preparation(None), Limits()))
    chosen = joined(parts).without({0, 1, 2} - set(kept))
    assert chosen.spans["name"].to_pylist() == [str(at) for at in kept]
    owners = [kept[at] for at in chosen.event_owner.to_list()]
    names = chosen.events["name"].to_pylist()
    assert [(owner, name) for owner, name in zip(owners, names, strict=True)] == [
        (number, f"{number}.{at}") for number in kept for at in range(number)
    ]


def test_a_corrupt_message_is_refused_in_columns_too() -> None:
    """Found by fuzzing: what ptars leaves out in silence, protobuf's own parser refuses."""
    data = b64decode(
        "CpQBCjoKHgoMc2VydmljZS5uYW1lEg4KDGxvZ3Mtc2VydmljZQoYCglob3N0Lm5hbWUSCwoJdGVzdC1ob3N0ElYK"
        "FAoYCglob3N0Lm5hbWUScz4LZRJ0CgkJAAB8eJ3yVRYQCRoESU5GTyoSChBUZXOM35OQmN+SkHNzYWdlMhcKBm1v"
        "ZHVsZRINCgt0ZXN0LW1vZHVsZQ=="
    )
    (found,) = read_columns(READER, data, Preparation(None), LIMITS)
    assert isinstance(found, Rejected)
    assert "no TracesData" in found.reason
