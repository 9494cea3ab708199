"""Zipkin spans of both versions come out as spans, client and server halves apart."""

from typing import Any

import pytest

from ingest.limits import Limits
from ingest.reader import claimant, discover
from ingest.span_draft import span_id_of
from store.model import Rejected, Span
from tests.ingest.conftest import Read

START = 1_472_470_996_199_000
TRACE = "4d1e00c0db9010db"
PADDED = "0" * 16 + TRACE


def v2(**changes: Any) -> dict[str, Any]:
    return {"traceId": TRACE, "id": "a" * 16, "timestamp": START, "duration": 7, **changes}


def at(service: str, **more: Any) -> dict[str, Any]:
    return {"serviceName": service, "ipv4": "10.0.0.1", **more}


def note(value: str, offset: int, service: str = "pay") -> dict[str, Any]:
    return {"timestamp": START + offset, "value": value, "endpoint": at(service)}


def v1(**changes: Any) -> dict[str, Any]:
    return {"traceId": TRACE, "id": "a" * 16, "name": "get", **changes}


def half(span: str, service: str, offset: int = 0) -> str:
    address = "10.0.0.1" if service else ""
    start_ns = (START + offset) * 1000
    return span_id_of("zipkin server half", PADDED, span, service, address, 0, start_ns)


def spans_of(read: Read, document: object, version: str) -> list[Span]:
    items = read(document, reader=version)
    assert all(isinstance(item, Span) for item in items), items
    return [item for item in items if isinstance(item, Span)]


def test_a_v2_span_has_exact_times_parties_tags_and_events(read: Read) -> None:
    document = v2(
        name="charge",
        kind="CLIENT",
        parentId="b",
        localEndpoint=at("pay"),
        remoteEndpoint={"serviceName": "bank", "ipv6": "::1", "port": 9000},
        tags={"http.status_code": "500", "network.peer.port": "1"},
        annotations=[{"timestamp": START + 1, "value": "retry"}],
    )
    (span,) = spans_of(read, [document], "zipkin_v2")
    assert (span.trace_id, span.parent_span_id) == (PADDED, "0" * 15 + "b")
    assert (span.name, span.kind, span.service) == ("charge", "client", "pay")
    assert (span.start_ns, span.end_ns) == (START * 1000, START * 1000 + 7000)
    assert span.resource == {"service.name": "pay"}
    assert span.attributes == {
        "http.status_code": "500",
        "network.peer.port": "1",
        "network.local.address": "10.0.0.1",
        "peer.service": "bank",
        "network.peer.address": "::1",
    }
    assert [(event.name, event.time_ns) for event in span.events] == [
        ("retry", START * 1000 + 1000)
    ]


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ({"error": "declined"}, ("error", "declined")),
        ({"error": ""}, ("error", "")),
        ({"error": "true"}, ("error", "")),
        ({"error": "false"}, ("unset", "")),
        ({"otel.status_code": "ERROR", "error": "x"}, ("error", "x")),
        ({"otel.status_code": "OK"}, ("ok", "")),
        ({}, ("unset", "")),
    ],
)
def test_the_error_tag_is_the_status(
    read: Read, tags: dict[str, str], status: tuple[str, str]
) -> None:
    (span,) = spans_of(read, v2(tags=tags), "zipkin_v2")
    assert (span.status, span.status_message) == status


def test_the_server_half_of_a_shared_span_gets_an_id_and_the_client_half_as_parent(
    read: Read,
) -> None:
    client = v2(kind="CLIENT", parentId="b", localEndpoint=at("shop"))
    server = v2(kind="SERVER", parentId="b", localEndpoint=at("pay"), shared=True)
    below = v2(id="c" * 16, parentId="a" * 16, localEndpoint=at("pay"))
    foreign = v2(id="d" * 16, parentId="a" * 16, localEndpoint=at("bank"))
    local = v2(id="e" * 16, parentId="a" * 16, localEndpoint=at("shop"))
    spans = spans_of(read, [below, server, client, foreign, local], "zipkin_v2")
    derived = half("a" * 16, "pay")
    assert [(span.span_id, span.parent_span_id) for span in spans] == [
        ("c" * 16, derived),
        (derived, "a" * 16),
        ("a" * 16, "0" * 15 + "b"),
        ("d" * 16, derived),
        ("e" * 16, "a" * 16),
    ]
    assert spans[1].attributes["retrospan.original.span_id"] == "a" * 16
    assert spans[1].attributes["retrospan.original.parent_span_id"] == "0" * 15 + "b"
    assert spans[0].attributes["retrospan.original.parent_span_id"] == "a" * 16
    assert "retrospan.original.span_id" not in spans[2].attributes


def test_a_server_half_has_the_same_id_when_it_comes_alone(read: Read) -> None:
    """Says nothing of its children in other documents: they stay below the client half."""
    server = v2(kind="SERVER", localEndpoint=at("pay"), shared=True)
    (alone,) = spans_of(read, server, "zipkin_v2")
    both = spans_of(read, [v2(kind="CLIENT"), server], "zipkin_v2")
    assert alone == both[1]
    assert alone.parent_span_id == "a" * 16


def test_two_halves_that_nobody_marked_as_shared_are_told_apart_by_kind(read: Read) -> None:
    spans = spans_of(read, [v2(kind="CLIENT"), v2(kind="SERVER")], "zipkin_v2")
    assert [span.span_id for span in spans] == ["a" * 16, half("a" * 16, "")]


def test_a_message_that_was_taken_twice_has_two_server_halves(read: Read) -> None:
    first = v2(kind="SERVER", shared=True, localEndpoint=at("pay"))
    second = {**first, "timestamp": START + 50}
    below = v2(id="c" * 16, parentId="a" * 16, timestamp=START + 60, localEndpoint=at("pay"))
    before = {**below, "id": "d" * 16, "timestamp": START + 40}
    spans = spans_of(read, [v2(kind="CLIENT"), first, second, below, before], "zipkin_v2")
    assert spans[1].span_id == spans[4].parent_span_id == half("a" * 16, "pay")
    assert spans[2].span_id == spans[3].parent_span_id == half("a" * 16, "pay", 50)


def test_traces_in_one_document_do_not_mix(read: Read) -> None:
    other = "5" * 16
    traces = [
        [v2(kind="SERVER", shared=True)],
        [v2(traceId=other, id="c" * 16, parentId="a" * 16)],
    ]
    assert spans_of(read, traces, "zipkin_v2")[1].parent_span_id == "a" * 16


def test_a_missing_timestamp_is_said_and_the_duration_kept(read: Read) -> None:
    document = {"traceId": TRACE, "id": "a", "duration": 7, "annotations": [note("x", 3)]}
    (span,) = spans_of(read, document, "zipkin_v2")
    assert (span.start_ns, span.end_ns) == ((START + 3) * 1000, None)
    assert span.attributes == {
        "retrospan.start_missing": True,
        "retrospan.original.duration_us": 7,
    }
    (unfinished,) = spans_of(read, v2(duration=None), "zipkin_v2")
    assert (unfinished.start_ns, unfinished.end_ns) == (START * 1000, None)


@pytest.mark.parametrize(
    "damage",
    [
        {"traceId": None},
        {"id": "0"},
        {"timestamp": "soon"},
        {"timestamp": -5},
        {"duration": {}},
        {"annotations": 5},
        {"id": True},
    ],
)
@pytest.mark.parametrize("version", ["zipkin_v1", "zipkin_v2"])
def test_a_bad_span_is_refused_and_its_neighbours_stay(
    read: Read, version: str, damage: dict[str, Any]
) -> None:
    first, refused, last = read([v2(), v2(**damage), v2()], reader=version)
    assert isinstance(first, Span)
    assert isinstance(last, Span)
    assert isinstance(refused, Rejected)
    assert refused.record == "line 1 [1]"


def test_a_bad_annotation_is_refused_alone(read: Read) -> None:
    document = v1(annotations=[5, note("x", 0)], binaryAnnotations=[7])
    items = read(document, reader="zipkin_v1")
    assert [getattr(item, "record", "span") for item in items] == [
        "span",
        "line 1.annotations[0]",
        "line 1.binaryAnnotations[0]",
    ]


def test_limits_cut_and_count(read: Read) -> None:
    limits = Limits(attributes_per_record=1, attribute_chars=2, events_per_span=1)
    notes = [{"timestamp": START, "value": "x"}] * 3
    (span,) = read(v2(tags={"a": "long", "b": "x"}, annotations=notes), limits, "zipkin_v2")
    assert isinstance(span, Span)
    assert span.attributes == {"a": "lo", "retrospan.truncated": 4}
    assert len(span.events) == 1


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (b'[{"traceId":"a","id":"b","kind":"SERVER","localEndpoint":{}}]', "zipkin_v2"),
        (b'{"traceId":"a","id":"b","timestamp":1,"duration":2}', "zipkin_v2"),
        (b'[[{"traceId":"a","id":"b","annotations":[{"endpoint":{}}]}]]', "zipkin_v1"),
        (b'[{"trace_id":1,"id":2,"binary_annotations":[]}]', "zipkin_v1"),
        (b'{"traceId":"a","id":"b","type":"GENERATION","startTime":"x","shared":1}', None),
    ],
)
def test_each_version_claims_its_own(document: bytes, name: str | None) -> None:
    reader = claimant(document, discover())
    assert (reader.name if reader else None) == name
