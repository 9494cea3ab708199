"""Zipkin v1: kinds, times and parties come out of annotations."""

import pytest

from tests.ingest.conftest import Read
from tests.ingest.test_zipkin import PADDED, START, at, half, note, spans_of, v1


@pytest.mark.parametrize(("pair", "kind"), [(("cs", "cr"), "client"), (("sr", "ss"), "server")])
def test_core_annotations_of_v1_are_kind_and_times(
    read: Read, pair: tuple[str, str], kind: str
) -> None:
    core = [note(pair[0], 0), note("retry", 1), note(pair[1], 9)]
    document = v1(timestamp=START, annotations=core)
    (span,) = spans_of(read, document, "zipkin_v1")
    assert (span.kind, span.service, span.name) == (kind, "pay", "get")
    assert (span.start_ns, span.end_ns) == (START * 1000, START * 1000 + 9000)
    assert [event.name for event in span.events] == ["retry"]
    assert span.span_id == "a" * 16


def test_a_v1_span_of_both_sides_is_two_halves(read: Read) -> None:
    document = v1(
        parentId="b",
        timestamp=START,
        duration=20,
        annotations=[
            note("cs", 0, "shop"),
            note("sr", 5, "pay"),
            note("work", 6, "pay"),
            note("ss", 15, "pay"),
            note("cr", 20, "shop"),
        ],
        binaryAnnotations=[
            {"key": "http.path", "value": "/x", "endpoint": at("shop")},
            {"key": "rows", "value": "3", "endpoint": at("pay")},
            {"key": "sa", "value": True, "endpoint": at("bank", port=1)},
            {"key": "ca", "value": "true", "endpoint": at("edge")},
        ],
    )
    client, server = spans_of(read, document, "zipkin_v1")
    assert (client.kind, client.service, client.span_id) == ("client", "shop", "a" * 16)
    assert (client.start_ns, client.end_ns) == (START * 1000, START * 1000 + 20_000)
    assert (server.kind, server.service) == ("server", "pay")
    assert (server.start_ns, server.end_ns) == (START * 1000 + 5000, START * 1000 + 15_000)
    assert (server.span_id, server.parent_span_id) == (half("a" * 16, "pay", 5), "a" * 16)
    assert ([e.name for e in client.events], [e.name for e in server.events]) == ([], ["work"])
    assert client.attributes["http.path"] == "/x"
    assert client.attributes["peer.service"] == "bank"
    assert (server.attributes["rows"], server.attributes["peer.service"]) == ("3", "edge")


def test_a_v1_server_that_states_no_timestamp_shares_its_id(read: Read) -> None:
    (server,) = spans_of(read, v1(annotations=[note("sr", 0), note("ss", 4)]), "zipkin_v1")
    assert server.span_id == half("a" * 16, "pay")
    assert server.attributes["retrospan.original.span_id"] == "a" * 16


@pytest.mark.parametrize(
    ("core", "times"),
    [
        ([note("cs", 1)], (1, None)),
        ([note("cr", 3)], (3, 3)),
        ([note("mr", 2)], (2, None)),
    ],
)
def test_half_of_the_core_annotations_is_half_of_the_times(
    read: Read, core: list[object], times: tuple[int, int | None]
) -> None:
    (span,) = spans_of(read, v1(annotations=core), "zipkin_v1")
    want = tuple(None if time is None else (START + time) * 1000 for time in times)
    assert (span.start_ns, span.end_ns) == want
    assert span.attributes.get("retrospan.start_missing") == (True if times[1] else None)


def test_thrifts_spelling_of_v1_is_decoded(read: Read) -> None:
    host = {"ipv4": -1407254524, "port": 0, "service_name": "pay"}
    document = {
        "trace_id": 0x4D1E00C0DB9010DB,
        "id": -1,
        "parent_id": 2,
        "name": "get",
        "timestamp": START,
        "annotations": [{"timestamp": START, "value": "ms", "host": host}],
        "binary_annotations": [
            {"key": "s", "annotation_type": "STRING", "value": "b2s="},
            {"key": "b", "annotation_type": "BOOL", "value": "AQ=="},
            {"key": "i", "annotation_type": 4, "value": "//////////4="},
            {"key": "d", "annotation_type": "DOUBLE", "value": "P+AAAAAAAAA="},
            {"key": "y", "annotation_type": "BYTES", "value": "/wA="},
            {"key": "broken", "annotation_type": "DOUBLE", "value": "AQ=="},
        ],
    }
    (span,) = spans_of(read, document, "zipkin_v1")
    assert (span.trace_id, span.span_id, span.kind) == (PADDED, "f" * 16, "producer")
    assert span.attributes == {
        "s": "ok",
        "b": True,
        "i": -2,
        "d": 0.5,
        "y": b"\xff\x00",
        "broken": "AQ==",
        "network.local.address": "172.31.0.4",
    }
