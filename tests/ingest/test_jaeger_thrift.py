"""Jaeger Thrift as jaeger-client's own types write it comes out as spans, or is refused."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaeger_client.thrift_gen.agent import Agent
from jaeger_client.thrift_gen.jaeger import ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol  # type: ignore[import-untyped]
from thrift.protocol.TCompactProtocol import TCompactProtocol  # type: ignore[import-untyped]
from thrift.Thrift import TMessageType  # type: ignore[import-untyped]
from thrift.transport.TTransport import TMemoryBuffer  # type: ignore[import-untyped]

from ingest.legacy import jaeger_batch
from ingest.legacy.jaeger_batch import decode_batch, decode_datagram, read_stream
from ingest.limits import Limits
from ingest.reader import claimant, discover
from store.model import Rejected, Span

LIMITS = Limits()
TYPES: Any = ttypes  # generated code has no annotations
AGENT: Any = Agent
TAGS = [
    TYPES.Tag("span.kind", TYPES.TagType.STRING, vStr="server"),
    TYPES.Tag("rows", TYPES.TagType.LONG, vLong=-(2**63)),
    TYPES.Tag("ratio", TYPES.TagType.DOUBLE, vDouble=0.5),
    TYPES.Tag("error", TYPES.TagType.BOOL, vBool=True),
    TYPES.Tag("word", TYPES.TagType.STRING, vStr="größer"),
]


def a_span(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "traceIdLow": -1,
        "traceIdHigh": 0,
        "spanId": -2,
        "parentSpanId": 3,
        "operationName": "charge",
        "references": None,
        "flags": 1,
        "startTime": 1_485_467_191_639_875,
        "duration": 7,
        "tags": TAGS,
        "logs": [
            TYPES.Log(
                1_485_467_191_639_876, [TYPES.Tag("event", TYPES.TagType.STRING, vStr="retry")]
            )
        ],
    }
    return TYPES.Span(**{**fields, **changes})


def binary(*spans: Any, service: str = "pay") -> bytes:
    buffer = TMemoryBuffer()
    process = TYPES.Process(service, [TYPES.Tag("hostname", TYPES.TagType.STRING, vStr="h")])
    TYPES.Batch(process, list(spans)).write(TBinaryProtocol(buffer))
    return bytes(buffer.getvalue())


def emitted(protocol: Any, *spans: Any) -> bytes:
    buffer = TMemoryBuffer()
    message = protocol(buffer)
    message.writeMessageBegin("emitBatch", TMessageType.ONEWAY, 0)
    AGENT.emitBatch_args(TYPES.Batch(TYPES.Process("pay", []), list(spans))).write(message)
    message.writeMessageEnd()
    return bytes(buffer.getvalue())


def spans_of(items: Any) -> list[Span]:
    found = list(items)
    assert all(isinstance(item, Span) for item in found), found
    return found


def test_a_batch_gives_spans_with_typed_tags_events_and_exact_times() -> None:
    (span,) = spans_of(decode_batch(binary(a_span()), LIMITS))
    assert (span.trace_id, span.span_id) == ("0" * 16 + "f" * 16, "f" * 15 + "e")
    assert span.parent_span_id == "0000000000000003"
    assert (span.name, span.kind, span.service, span.status) == (
        "charge",
        "server",
        "pay",
        "error",
    )
    assert span.start_ns == 1_485_467_191_639_875_000
    assert span.end_ns == 1_485_467_191_639_882_000
    assert span.attributes == {
        "span.kind": "server",
        "rows": -(2**63),
        "ratio": 0.5,
        "error": True,
        "word": "größer",
    }
    assert span.resource == {"hostname": "h", "service.name": "pay"}
    assert [(event.name, event.time_ns) for event in span.events] == [
        ("retry", 1_485_467_191_639_876_000)
    ]


def test_bytes_in_a_binary_tag_stay_bytes() -> None:
    data = binary(a_span(tags=[TYPES.Tag("blob", TYPES.TagType.BINARY, vBinary="12345")]))
    (span,) = spans_of(decode_batch(data.replace(b"12345", b"\xff\x00\xfe34"), LIMITS))
    assert span.attributes == {"blob": b"\xff\x00\xfe34"}


def test_references_make_the_parent_and_links() -> None:
    references = [
        TYPES.SpanRef(TYPES.SpanRefType.FOLLOWS_FROM, -1, 0, 9),
        TYPES.SpanRef(TYPES.SpanRefType.CHILD_OF, 5, 6, 7),
        TYPES.SpanRef(TYPES.SpanRefType.CHILD_OF, -1, 0, 8),
        TYPES.SpanRef(TYPES.SpanRefType.CHILD_OF, 0, 0, 8),
    ]
    items = list(decode_batch(binary(a_span(references=references)), LIMITS))
    span, refused = items
    assert isinstance(span, Span)
    assert isinstance(refused, Rejected)
    assert span.parent_span_id == "0000000000000008"
    assert [(link.trace_id, link.span_id, link.attributes) for link in span.links] == [
        ("0" * 16 + "f" * 16, f"{9:016x}", {"opentracing.ref_type": "follows_from"}),
        (f"{6:016x}{5:016x}", f"{7:016x}", {"opentracing.ref_type": "child_of"}),
    ]
    assert refused.record == "batch 0 spans[0].references[3]"


def test_a_parent_of_zero_is_a_root() -> None:
    (span,) = spans_of(decode_batch(binary(a_span(parentSpanId=0)), LIMITS))
    assert span.parent_span_id is None


def test_batches_one_behind_the_other_are_read_across_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"".join(binary(a_span(spanId=number)) for number in range(1, 60))
    want = [f"{number:016x}" for number in range(1, 60)]
    assert [span.span_id for span in spans_of(decode_batch(data, LIMITS))] == want
    monkeypatch.setattr(jaeger_batch, "BATCH_BYTES_MAX", len(binary(a_span())) + 1)
    assert [span.span_id for span in spans_of(read_stream(io.BytesIO(data), LIMITS))] == want


def test_a_batch_larger_than_the_limit_is_refused_by_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = binary(a_span()) + binary(*[a_span()] * 9)
    monkeypatch.setattr(jaeger_batch, "BATCH_BYTES_MAX", len(binary(a_span())) + 1)
    first, refused = read_stream(io.BytesIO(data), LIMITS)
    assert isinstance(first, Span)
    assert isinstance(refused, Rejected)
    assert refused.record == "batch 1"
    assert refused.reason.startswith("batch is larger than")
    (refused,) = decode_batch(data, LIMITS)
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("body is larger than BATCH_BYTES_MAX")


@pytest.mark.parametrize("protocol", [TBinaryProtocol, TCompactProtocol])
def test_agent_messages_hold_the_same_spans(protocol: Any) -> None:
    (want,) = spans_of(decode_batch(binary(a_span()), LIMITS))
    data = emitted(protocol, a_span())
    (found,) = spans_of(decode_datagram(data, LIMITS))
    assert found == Span(
        **{
            **{name: getattr(want, name) for name in Span.__slots__},
            "resource": {"service.name": "pay"},
        }
    )
    assert len(spans_of(read_stream(io.BytesIO(data * 3), LIMITS))) == 3


@pytest.mark.parametrize(
    "head", [binary(a_span()), emitted(TBinaryProtocol), emitted(TCompactProtocol)]
)
def test_wire_bytes_are_claimed_by_this_reader_only(head: bytes) -> None:
    reader = claimant(head, discover())
    assert reader is not None
    assert reader.name == "jaeger_thrift"


def test_without_the_c_extension_the_records_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = binary(a_span(), a_span(spanId=9))
    want = list(decode_batch(data, LIMITS))
    message = emitted(TCompactProtocol, a_span())
    want_message = list(decode_datagram(message, LIMITS))
    monkeypatch.setattr(jaeger_batch, "fastbinary", None)
    assert list(decode_batch(data, LIMITS)) == want
    assert list(decode_datagram(message, LIMITS)) == want_message


def test_a_span_without_a_trace_id_is_refused_and_its_neighbour_kept() -> None:
    items = list(decode_batch(binary(a_span(traceIdLow=0), a_span(startTime=-1), a_span()), LIMITS))
    assert [getattr(item, "record", "span") for item in items] == [
        "batch 0 spans[0]",
        "batch 0 spans[1]",
        "span",
    ]


def test_what_is_past_the_limits_is_counted() -> None:
    limits = Limits(attributes_per_record=2, attribute_chars=3, events_per_span=0, links_per_span=0)
    references = [TYPES.SpanRef(TYPES.SpanRefType.FOLLOWS_FROM, 1, 1, 9)]
    (span,) = spans_of(decode_batch(binary(a_span(references=references)), limits))
    assert span.attributes == {
        "span.kind": "ser",
        "rows": -(2**63),
        "retrospan.truncated": 6,
    }
    assert (len(span.events), len(span.links)) == (0, 0)


def test_a_batch_that_is_cut_short_says_so_and_keeps_what_came_before() -> None:
    whole = binary(a_span())
    first, refused = decode_batch(whole + whole[:-5], LIMITS)
    assert isinstance(first, Span)
    assert isinstance(refused, Rejected)
    assert (refused.record, refused.reason) == (
        "batch 1",
        "not Jaeger Thrift: the input ends inside a batch",
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no Jaeger batch: it is empty"),
        (b"\x00", "no Jaeger batch: it has neither process nor spans"),
        (b"\x0c\x00\x01\x0b\x00\x01\x7f\xff\xff\xff", "size exceeded specified limit"),
        (b"\x0f\x00\x02\x0c\x7f\xff\xff\xff", "size exceeded specified limit"),
        (b"\x0f\x00\x02\x0c\xff\xff\xff\xff", "negative length"),
        (b"\x0c\x00\x09" * 100_000, "recursion"),
    ],
)
def test_hostile_bytes_are_refused_with_a_reason(data: bytes, reason: str) -> None:
    (refused,) = decode_batch(data, LIMITS)
    assert isinstance(refused, Rejected)
    assert reason in refused.reason


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 400), put=st.binary(max_size=6), drop=st.integers(0, 6))
def test_damaged_bytes_never_break_the_decoders(at: int, put: bytes, drop: int) -> None:
    """Says nothing of what a damaged batch is read as: Thrift has no check sum."""
    for data in (binary(a_span()), emitted(TCompactProtocol, a_span())):
        damaged = data[:at] + put + data[at + drop :]
        for decode in (decode_batch, decode_datagram):
            for item in decode(damaged, LIMITS):
                repr(item).encode()


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_random_bytes_never_break_the_decoders(data: bytes) -> None:
    for beginning in (b"", b"\x0c\x00\x01", b"\x82\x81\x00\temitBatch"):
        for decode in (decode_batch, decode_datagram):
            assert list(decode(beginning + data, LIMITS)) or beginning
