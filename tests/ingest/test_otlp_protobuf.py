"""OTLP protobuf is known by its fields and read in every framing."""

import io
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.limits import Limits
from ingest.otlp.framing import BIG_ENDIAN, SINGLE, VARINTS, framing_of
from ingest.reader import HEAD_BYTES, Item, MetricsSeen, claimant, discover
from ingest.readers.otlp_protobuf import READER
from store.model import LogRecord, Rejected, Span


def traces(first: int, count: int = 3) -> bytes:
    data = TracesData()
    for number in range(first, first + count):
        resource = data.resource_spans.add()
        value = AnyValue(string_value=f"service {number}")
        resource.resource.attributes.append(KeyValue(key="service.name", value=value))
        resource.scope_spans.add().spans.add(
            trace_id=(number + 1).to_bytes(16),
            span_id=(number + 1).to_bytes(8),
            name=f"span {number}",
            start_time_unix_nano=5,
            end_time_unix_nano=6,
        )
    return bytes(data.SerializeToString())


def logs() -> bytes:
    data = LogsData()
    record = data.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=7)
    record.body.string_value = "said"
    return bytes(data.SerializeToString())


def metrics(name: str = "requests") -> bytes:
    data = MetricsData()
    metric = data.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    metric.gauge.data_points.add(time_unix_nano=7, as_int=1)
    metric.gauge.data_points.add(time_unix_nano=8, as_int=1)
    return bytes(data.SerializeToString())


def behind_varints(*messages: bytes) -> bytes:
    found = b""
    for message in messages:
        size = len(message)
        while size > 0x7F:
            found += bytes([size & 0x7F | 0x80])
            size >>= 7
        found += bytes([size]) + message
    return found


def behind_sizes(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4) + message for message in messages)


def joined(*messages: bytes) -> bytes:
    return b"".join(messages)


def read(data: bytes, limits: Limits | None = None) -> list[Item]:
    return list(READER.read(io.BytesIO(data), limits or Limits()))


def names(items: list[Item]) -> list[str]:
    return [item.name for item in items if isinstance(item, Span)]


FRAMINGS = [(joined, SINGLE), (behind_varints, VARINTS), (behind_sizes, BIG_ENDIAN)]
Frame = Callable[..., bytes]


@pytest.mark.parametrize(("frame", "framing"), FRAMINGS)
@pytest.mark.parametrize("count", [1, 3, 2000])
def test_every_framing_is_known_and_gives_the_same_spans(
    frame: Frame, framing: str, count: int
) -> None:
    data = frame(traces(0, count), traces(count, 2))
    head = data[:HEAD_BYTES]
    assert framing_of(head) == framing
    assert claimant(head, discover()) is READER
    assert names(read(data)) == [f"span {number}" for number in range(count + 2)]


@pytest.mark.parametrize("frame", [behind_varints, behind_sizes])
def test_one_stream_may_hold_every_signal(frame: Frame) -> None:
    items = read(frame(traces(0, 1), logs(), metrics()))
    assert [type(item) for item in items] == [Span, LogRecord, MetricsSeen]


@pytest.mark.parametrize("name", ["sixteen_letters_", "a"])
def test_a_metric_is_not_taken_for_a_span(name: str) -> None:
    assert [item for item in read(metrics(name))] == [MetricsSeen(2)]


@pytest.mark.parametrize(("frame", "framing"), FRAMINGS)
def test_what_came_before_a_cut_is_kept(frame: Frame, framing: str) -> None:
    whole = frame(*(traces(number, 1) for number in range(10)))
    items = read(whole[:-3])
    assert names(items) == [f"span {number}" for number in range(9)]
    (cut,) = [item for item in items if isinstance(item, Rejected)]
    assert cut.reason == "the input ends inside a protobuf message"


def test_a_message_that_is_none_is_told_and_the_next_is_read() -> None:
    bad = traces(5, 1).replace(b"span 5", b"span \xff")
    items = read(behind_sizes(traces(0, 1), bad, traces(1, 1)))
    assert names(items) == ["span 0", "span 1"]
    (refused,) = [item for item in items if isinstance(item, Rejected)]
    assert refused.record == "message 2"
    assert refused.reason.startswith("no TracesData in protobuf encoding")


@pytest.mark.parametrize("frame", [behind_varints, behind_sizes])
def test_a_message_past_the_limit_is_refused_and_the_next_is_read(frame: Frame) -> None:
    data = frame(traces(0, 1), traces(1, 50), traces(80, 1))
    items = read(data, Limits(document_bytes=200))
    assert names(items) == ["span 0", "span 80"]
    assert [item.record for item in items if isinstance(item, Rejected)] == ["message 2"]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    READER.sniff(data)
    read(data)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_damage_never_makes_it_raise(place: int, byte: int) -> None:
    data = bytearray(behind_varints(traces(0, 20), logs(), metrics()))
    data[place % len(data)] = byte
    READER.sniff(bytes(data))
    read(bytes(data))


def test_random_bytes_are_not_claimed() -> None:
    """Says nothing of other protobuf formats; the corpora hold none."""
    for size in (3, 30, 3000):
        for _ in range(300):
            assert not READER.sniff(b"\x0a" + os.urandom(size))
