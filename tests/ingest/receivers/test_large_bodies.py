"""Large protobuf bodies travel as columns, and give what small ones give."""

from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.receivers import frames, segments
from ingest.receivers.settings import ReceiverLimits
from store.model import Span
from tests.ingest.receivers.world import post, running

START = 1_700_000_000_000_000_000
SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
PROTOBUF = "application/x-protobuf"


def message(count: int, service: str = "shop", *, own: bool = False, odd: bool = False) -> bytes:
    """Spans with an attribute `n`, an event, a link, a secret."""
    data = TracesData()
    group = data.resource_spans.add()
    name = group.resource.attributes.add(key="service.name")
    name.value.string_value = service
    if own:
        group.resource.attributes.add(key="retrospan.self").value.bool_value = True
    scope = group.scope_spans.add()
    for number in range(count):
        span = scope.spans.add(
            trace_id=(number // 4 + 1).to_bytes(16), span_id=(number + 1).to_bytes(8), name="step"
        )
        span.start_time_unix_nano, span.end_time_unix_nano = START + number, START + number + 5
        span.attributes.add(key="n").value.int_value = number
        span.attributes.add(key="authorization").value.string_value = f"Bearer {SECRET}"
        span.attributes.add(key="double").value.double_value = number / 7
        span.events.add(name="seen", time_unix_nano=START).attributes.add(key="e")
        span.links.add(trace_id=b"1" * 16, span_id=b"2" * 8)
    if odd:
        scope.spans.add(trace_id=b"short", name="refused")
    written: bytes = data.SerializeToString()
    return written


def received(folder: Path, body: bytes, limits: ReceiverLimits) -> tuple[list[Span], bool, str]:
    """What is stored, whether it came as columns, what the sender was told."""
    folder.mkdir()
    with running(folder, replace(limits, load_seconds=60), gate_open=False) as receiver:
        answer = post(receiver.url(), body, PROTOBUF)
        (path,) = (folder / "spool").glob("*.open")
        assert SECRET.encode() not in path.read_bytes()
        segment = segments.read(path)
        assert segment is not None
        (block,) = segment.blocks
        by_columns = bool(frames.decoded(block).tables)
        spans, _ = receiver.stored()
    return spans, by_columns, answer.body.decode("utf-8", "replace")


@pytest.mark.parametrize("odd", [False, True])
def test_a_large_body_gives_what_it_gives_as_a_small_one(tmp_path: Path, odd: bool) -> None:
    body = message(30, odd=odd)
    large = received(tmp_path / "large", body, replace(ReceiverLimits(), column_bytes_min=1))
    small = received(tmp_path / "small", body, ReceiverLimits())
    assert large[0] == small[0]
    assert large[2] == small[2]
    assert (large[1], small[1]) == (not odd, False)
    assert [span.attributes["n"] for span in large[0]] == list(range(30))
    assert ("is missing" in large[2]) == odd


def test_own_telemetry_is_dropped_from_large_bodies_too(tmp_path: Path) -> None:
    limits = replace(ReceiverLimits(), column_bytes_min=1)
    with running(tmp_path, limits) as receiver:
        post(receiver.url(), message(30, "retrospan", own=True), PROTOBUF)
        post(receiver.url(), message(30), PROTOBUF)
        spans, _ = receiver.stored()
        assert receiver.receivers.intake.tally.own == 30
        assert receiver.receivers.intake.tally.spans == 30
    assert {span.service for span in spans} == {"shop"}
