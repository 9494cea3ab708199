"""Large bodies travel as columns, and give what small ones give."""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.receivers import frames, segments
from ingest.receivers.settings import ReceiverLimits
from store.model import LogRecord, Span
from tests.ingest.receivers.world import JSON, PROTOBUF, post, running

START = 1_700_000_000_000_000_000
SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
SMALL = replace(ReceiverLimits(), column_bytes_min=10**9)
LARGE = replace(ReceiverLimits(), column_bytes_min=1)


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


def log_message(count: int, *, own: bool = False, odd: bool = False) -> bytes:
    """Log records with a body, an attribute, a secret."""
    data = LogsData()
    group = data.resource_logs.add()
    name = group.resource.attributes.add(key="service.name")
    name.value.string_value = "retrospan" if own else "shop"
    if own:
        group.resource.attributes.add(key="retrospan.self").value.bool_value = True
    scope = group.scope_logs.add(scope={"name": "logger"})
    for number in range(count):
        log = scope.log_records.add(
            time_unix_nano=START + number, trace_id=(number // 4 + 1).to_bytes(16),
            span_id=(number + 1).to_bytes(8), severity_number=9, severity_text="INFO",
        )  # fmt: skip
        log.body.string_value = f"token {SECRET} of order {number}"
        log.attributes.add(key="n").value.int_value = number
    if odd:  # attributes of a scope are read record by record
        other = group.scope_logs.add(scope={"attributes": [{"key": "module"}]})
        other.log_records.add(time_unix_nano=START, event_name="exception")
    written: bytes = data.SerializeToString()
    return written


def as_json(kind: type[TracesData] | type[LogsData], body: bytes) -> bytes:
    """The same as OTLP writes it in JSON, with ids in hex."""

    def hexed(value: object) -> object:
        if isinstance(value, list):
            return [hexed(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: b64decode(item).hex() if key in ("traceId", "spanId") else hexed(item)
            for key, item in value.items()
        }

    document = MessageToDict(kind.FromString(body), use_integers_for_enums=True)
    return json.dumps(hexed(document)).encode()


def received(
    folder: Path,
    body: bytes,
    limits: ReceiverLimits,
    path: str = "/v1/traces",
    media: str = PROTOBUF,
) -> tuple[list[Span], list[LogRecord], bool, str]:
    """Spans and logs that are stored, whether they came as columns, what the sender was told."""
    folder.mkdir()
    with running(folder, replace(limits, load_seconds=60), gate_open=False) as receiver:
        answer = post(receiver.url(path), body, media)
        (file,) = (folder / "spool").glob("*.open")
        assert SECRET.encode() not in file.read_bytes()
        segment = segments.read(file)
        assert segment is not None
        (block,) = segment.blocks
        back = frames.decoded(block)
        by_columns = bool(back.tables or back.log_tables)
        spans, logs = receiver.stored()
        kept = receiver.receivers.loaded
    assert kept == (len(spans), len(logs))
    return spans, logs, by_columns, answer.body.decode("utf-8", "replace")


@pytest.mark.parametrize(("media", "odd"), [(PROTOBUF, False), (PROTOBUF, True), (JSON, False)])
def test_a_large_body_of_spans_gives_what_it_gives_as_a_small_one(
    tmp_path: Path, media: str, odd: bool
) -> None:
    body = message(30, odd=odd)
    if media == JSON:
        body = as_json(TracesData, body)
    spans, _, by_columns, told = received(tmp_path / "large", body, LARGE, media=media)
    small = received(tmp_path / "small", body, SMALL, media=media)
    assert (spans, told) == (small[0], small[3])
    assert (by_columns, small[2]) == (not odd, False)
    assert [span.attributes["n"] for span in spans] == list(range(30))
    assert ("is missing" in told) == odd


@pytest.mark.parametrize(("media", "odd"), [(PROTOBUF, False), (PROTOBUF, True), (JSON, False)])
def test_a_large_body_of_logs_gives_what_it_gives_as_a_small_one(
    tmp_path: Path, media: str, odd: bool
) -> None:
    body = log_message(30, odd=odd)
    if media == JSON:
        body = as_json(LogsData, body)
    _, logs, by_columns, told = received(tmp_path / "large", body, LARGE, "/v1/logs", media)
    small = received(tmp_path / "small", body, SMALL, "/v1/logs", media)
    assert (logs, told) == (small[1], small[3])
    assert (by_columns, small[2]) == (not odd, False)
    assert len(logs) == 30 + odd
    assert [log.attributes["n"] for log in logs if not log.event_name] == list(range(30))


def test_own_telemetry_is_dropped_from_large_bodies_too(tmp_path: Path) -> None:
    with running(tmp_path, LARGE) as receiver:
        for own in (True, False):
            service = "retrospan" if own else "shop"
            post(receiver.url(), message(30, service, own=own), PROTOBUF)
            post(receiver.url("/v1/logs"), log_message(30, own=own), PROTOBUF)
        spans, logs = receiver.stored()
        tally = receiver.receivers.intake.tally
    assert (tally.own, tally.spans, tally.logs) == (60, 30, 30)
    assert {span.service for span in spans} | {log.service for log in logs} == {"shop"}


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_a_large_body_at_the_address_of_another_signal_stores_nothing(
    tmp_path: Path, media: str
) -> None:
    body = log_message(30)
    with running(tmp_path, LARGE) as receiver:
        answer = post(receiver.url(), as_json(LogsData, body) if media == JSON else body, media)
        assert receiver.stored() == ([], [])
    assert answer.status == 400
