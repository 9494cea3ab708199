"""OTLP over HTTP: answers by the specification, to bodies made by hand."""

import gzip
import json
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.otlp.values import Object
from ingest.receivers.settings import ReceiverLimits
from tests.ingest.receivers.world import (
    JSON,
    PROTOBUF,
    START,
    Answer,
    post,
    running,
    spans_document,
)

SMALL = replace(ReceiverLimits(), load_seconds=0.05, body_bytes=20_000)


def as_json(document: Object) -> bytes:
    return json.dumps(document).encode()


def test_json_is_stored_plain_and_gzipped_and_answered_as_json(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        answers = [
            post(receiver.url(), as_json(spans_document(range(3)))),
            post(receiver.url(), as_json(spans_document(range(3, 5))), zipped=True),
        ]
        spans, _ = receiver.stored()
    assert [(a.status, a.headers["content-type"], a.document) for a in answers] == [
        (200, JSON, {})
    ] * 2
    assert [span.name for span in spans] == [f"step {n}" for n in range(5)]
    assert [span.attributes["n"] for span in spans] == list(range(5))


def test_logs_are_stored_and_metrics_are_counted(tmp_path: Path) -> None:
    record = {"timeUnixNano": str(START), "body": {"stringValue": "said"}, "severityNumber": 9}
    logs: Object = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    metrics = MetricsData()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for value in range(3):
        metric.gauge.data_points.add(as_int=value)
    with running(tmp_path) as receiver:
        assert post(receiver.url("/v1/logs"), as_json(logs)).status == 200
        sent = post(receiver.url("/v1/metrics"), metrics.SerializeToString(), PROTOBUF)
        _, stored = receiver.stored()
        tally = receiver.receivers.intake.tally
    assert (sent.status, sent.headers["content-type"], sent.body) == (200, PROTOBUF, b"")
    assert [log.body for log in stored] == ["said"]
    assert (tally.logs, tally.metrics) == (1, 3)


def test_rejected_records_are_a_partial_success_in_the_encoding_of_the_request(
    tmp_path: Path,
) -> None:
    message = TracesData()
    scope = message.resource_spans.add().scope_spans.add()
    scope.spans.add(trace_id=bytes(16), span_id=b"12345678", name="no trace")
    scope.spans.add(trace_id=b"1" * 16, span_id=b"12345678", name="fine")
    bad = spans_document(range(2))
    text = as_json(bad).replace(f"{2:016x}".encode(), b"0" * 16)
    with running(tmp_path) as receiver:
        binary = post(receiver.url(), message.SerializeToString(), PROTOBUF)
        plain = post(receiver.url(), text)
        spans, _ = receiver.stored()
    partial = ExportTraceServiceResponse.FromString(binary.body).partial_success
    assert (binary.status, plain.status) == (200, 200)
    assert partial.rejected_spans == 1
    assert "trace id is missing" in partial.error_message
    document = plain.document
    assert isinstance(document, dict)
    assert document["partialSuccess"]["rejectedSpans"] == "1"
    assert "spans[1]: span id is missing" in document["partialSuccess"]["errorMessage"]
    assert sorted(span.name for span in spans) == ["fine", "step 0"]


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"\xff\xff\xff", PROTOBUF),
        (b"{", JSON),
        (b"[]", JSON),
        (b'{"resourceLogs": []}', JSON),
    ],
)
def test_what_cannot_be_decoded_is_refused_for_good(
    tmp_path: Path, body: bytes, media: str
) -> None:
    with running(tmp_path) as receiver:
        answer = post(receiver.url(), body, media)
        assert receiver.receivers.intake.tally.undecodable == 1
    assert (answer.status, answer.headers["content-type"]) == (400, media)
    if media == PROTOBUF:
        assert Status.FromString(answer.body).code == 3
    else:
        assert json.loads(answer.body)["code"] == 3


def test_gzip_that_is_none_is_refused_for_good(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        whole = as_json(spans_document(range(1)))
        for body in (whole, gzip.compress(whole)[:-9]):
            headers = {"content-type": JSON, "content-encoding": "gzip"}
            request = urllib.request.Request(receiver.url(), body, headers)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            with refused.value:
                assert refused.value.code == 400


def test_other_places_methods_and_media_are_refused(tmp_path: Path) -> None:
    with running(tmp_path) as receiver:
        assert post(receiver.url("/v1/profiles"), b"{}").status == 404
        assert post(receiver.url(), b"{}", "text/plain").status == 415
        assert post(receiver.url(), b"{}").status == 200


def test_a_body_past_the_limit_is_refused_as_sent_and_as_unzipped(tmp_path: Path) -> None:
    large = as_json(spans_document(range(1000)))
    with running(tmp_path, SMALL) as receiver:
        for zipped in (False, True):
            answer = post(receiver.url(), large, zipped=zipped)
            assert answer.status == 413
            assert b"body_bytes = 20000" in answer.body
        bomb = post(receiver.url(), b" " * 50_000_000, zipped=True)
        assert bomb.status == 413
        assert receiver.stored() == ([], [])


def test_overload_is_answered_with_when_to_come_again_and_ends(tmp_path: Path) -> None:
    limits = replace(SMALL, spool_bytes=4_000)
    with running(tmp_path, limits, gate_open=False) as receiver:
        sent: list[int] = []
        number = 0
        deadline = time.monotonic() + 20

        def send() -> Answer:
            return post(receiver.url(), as_json(spans_document(range(number, number + 5))))

        while (answer := send()).status == 200 and time.monotonic() < deadline:
            sent += range(number, number + 5)
            number += 5
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert b"spool_bytes = 4000" in answer.body
        assert receiver.receivers.intake.tally.overloaded == 1
        receiver.gate.set()
        while (
            post(receiver.url(), as_json(spans_document(range(number, number + 5)))).status != 200
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        sent += range(number, number + 5)
        spans, _ = receiver.stored()
    assert [span.attributes["n"] for span in spans] == sent


def test_too_many_bytes_at_once_are_overload_too(tmp_path: Path) -> None:
    limits = replace(ReceiverLimits(), in_flight_bytes=1_000)
    with running(tmp_path, limits) as receiver:
        receiver.receivers.intake.enter(900)
        body = as_json(spans_document(range(3)))
        assert post(receiver.url(), body).status == 503
        receiver.receivers.intake.leave(900)
        assert post(receiver.url(), as_json(spans_document(range(1)))).status == 200


def test_a_token_is_asked_for_when_there_is_one(tmp_path: Path) -> None:
    token = "sesame-sesame-sesame"
    body = as_json(spans_document(range(1)))
    with running(tmp_path, token=token) as receiver:
        assert "jaeger_udp" not in receiver.receivers.ports
        for path, name in (("/v1/traces", "otlp_http"), ("/api/traces", "jaeger_http")):
            for wrong in (None, "sesame", token + "x"):
                refused = post(receiver.url(path, name), body, token=wrong)
                assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert post(receiver.url(), body, token=token).status == 200
        spans, _ = receiver.stored()
    assert len(spans) == 1


def test_retrospans_own_telemetry_is_dropped_and_counted(tmp_path: Path) -> None:
    own = spans_document(range(3), "retrospan", retrospan_self=True)
    namesake = spans_document(range(3, 5), "retrospan")
    with running(tmp_path) as receiver:
        assert post(receiver.url(), as_json(own)).document == {}
        assert post(receiver.url(), as_json(namesake)).document == {}
        spans, _ = receiver.stored()
        assert receiver.receivers.intake.tally.own == 3
    assert [span.name for span in spans] == ["step 3", "step 4"]


def test_no_secret_reaches_the_spool(tmp_path: Path) -> None:
    secret = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    document = spans_document(range(2), authorization=f"Bearer {secret}")
    with running(tmp_path, replace(SMALL, load_seconds=60)) as receiver:
        assert post(receiver.url(), as_json(document)).status == 200
        (segment,) = (tmp_path / "spool").glob("*.open")
        data = segment.read_bytes()
        assert b"step 1" in data
        assert secret.encode() not in data
        assert segment.stat().st_mode & 0o777 == 0o600
        assert segment.parent.stat().st_mode & 0o777 == 0o700
