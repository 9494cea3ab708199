"""The fast way gives the rows of the slow way, or leaves the piece to it."""

import io
import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest import redact_columns
from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.protobuf import FlatProtobuf
from ingest.limits import Limits
from ingest.preparation import Preparation
from ingest.readers.otlp_protobuf import READER
from ingest.redact import Redactor
from ingest.redact_columns import redacted
from store.model import Rejected
from store.span_table import SpanTable, joined
from tests.ingest.both_ways import (
    KEY,
    LIMITS,
    PREPARATIONS,
    SECRETS,
    assert_equal,
    read_columns,
    reference,
    resources,
    texts,
    through_columns,
)
from tests.ingest.planting import SHAPES, Planter


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
