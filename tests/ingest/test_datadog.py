"""Datadog spans come out as spans, their trace ids whole."""

import json
from typing import Any

import pytest

from ingest.limits import Limits
from ingest.reader import claimant, discover
from store.model import Rejected, Span
from tests.ingest.conftest import Read

START = 1_780_084_576_468_218_959
UPPER = "6a19ef6000000000"


def a_span(**changes: Any) -> dict[str, Any]:
    return {
        "name": "http.request",
        "service": "pay",
        "resource": "GET /x",
        "trace_id": 2**64 - 2,
        "span_id": 5,
        "parent_id": 0,
        "type": "",
        "error": 0,
        "meta": {},
        "metrics": {},
        "start": START,
        "duration": 11,
        **changes,
    }


def spans_of(read: Read, document: object) -> list[Span]:
    items = read(document, reader="datadog")
    assert all(isinstance(item, Span) for item in items), items
    return [item for item in items if isinstance(item, Span)]


def test_a_span_keeps_nanoseconds_tags_and_numbers(read: Read) -> None:
    document = a_span(
        type="web", parent_id=2**63, meta={"span.kind": "client", "a": "b"}, metrics={"rows": 2.0}
    )
    (span,) = spans_of(read, [[document]])
    assert (span.trace_id, span.span_id) == ("0" * 16 + "f" * 15 + "e", "0" * 15 + "5")
    assert span.parent_span_id == "8" + "0" * 15
    assert (span.start_ns, span.end_ns) == (START, START + 11)
    assert (span.name, span.service, span.kind) == ("http.request", "pay", "client")
    assert span.resource == {"service.name": "pay"}
    assert span.attributes == {
        "span.kind": "client",
        "a": "b",
        "rows": 2.0,
        "resource.name": "GET /x",
        "span.type": "web",
    }


def test_the_upper_half_of_a_trace_id_counts_for_every_span_of_its_trace(read: Read) -> None:
    root = a_span(meta={"_dd.p.tid": UPPER})
    other = a_span(trace_id=9, span_id=7)
    spans = spans_of(read, [[a_span(span_id=6, parent_id=5), root, other]])
    assert [span.trace_id[:16] for span in spans] == [UPPER, UPPER, "0" * 16]


def test_a_trace_id_of_zero_gets_a_stand_in_made_of_the_trace(read: Read) -> None:
    trace = [a_span(trace_id=0), a_span(trace_id=0, span_id=6)]
    later = [a_span(trace_id=0, start=START + 1)]
    spans = spans_of(read, [trace, later])
    assert spans[0].trace_id == spans[1].trace_id != spans[2].trace_id
    assert {span.attributes["retrospan.original.trace_id"] for span in spans} == {"0"}
    assert spans_of(read, [trace]) == spans[:2]
    (whole,) = spans_of(read, [[a_span(trace_id=0, meta={"_dd.p.tid": UPPER})]])
    assert whole.trace_id == UPPER + "0" * 16


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"meta": {"span.kind": "consumer"}, "type": "web"}, "consumer"),
        ({"type": "web"}, "server"),
        ({"type": "web", "parent_id": 3}, "unspecified"),
        ({"type": "sql"}, "client"),
        ({"type": "worker"}, "unspecified"),
        ({"meta": {"span.kind": "test"}}, "unspecified"),
    ],
)
def test_the_kind_is_named_or_stands_in_the_type(
    read: Read, changes: dict[str, Any], kind: str
) -> None:
    assert spans_of(read, a_span(**changes))[0].kind == kind


def test_an_error_has_its_message(read: Read) -> None:
    meta = {"error.message": "declined", "error.type": "E"}
    (span,) = spans_of(read, a_span(error=1, meta=meta))
    assert (span.status, span.status_message) == ("error", "declined")
    assert span.attributes["error.type"] == "E"
    assert spans_of(read, a_span(error=1, meta={"error.msg": "old"}))[0].status_message == "old"
    (fine,) = spans_of(read, a_span(meta=meta))
    assert (fine.status, fine.status_message) == ("unset", "")


def test_links_and_events_are_read_from_fields_and_from_tags(read: Read) -> None:
    links = [
        {"trace_id": 1, "trace_id_high": 2, "span_id": 3, "attributes": {"a": "b"}},
        {"trace_id": "f" * 32, "span_id": "e" * 16},
    ]
    events = [{"name": "x", "time_unix_nano": START, "attributes": {"n": 1}}]
    meta = {"_dd.span_links": json.dumps(links), "events": json.dumps(events)}
    (in_tags,) = spans_of(read, a_span(meta=meta))
    (in_fields,) = spans_of(read, a_span(span_links=links, span_events=events))
    for span in (in_tags, in_fields):
        assert [(link.trace_id, link.span_id, link.attributes) for link in span.links] == [
            (f"{2:016x}{1:016x}", f"{3:016x}", {"a": "b"}),
            ("f" * 32, "e" * 16, {}),
        ]
        (event,) = span.events
        assert (event.name, event.time_ns, event.attributes) == ("x", START, {"n": 1})


def test_a_tag_that_is_called_events_may_be_anything(read: Read) -> None:
    (span,) = spans_of(read, a_span(meta={"events": "click,scroll"}))
    assert span.attributes["events"] == "click,scroll"


@pytest.mark.parametrize(
    "document",
    [
        a_span(),
        [a_span()],
        [[a_span()]],
        {"traces": [[a_span()]]},
        {"chunks": [{"priority": 1, "spans": [a_span()]}]},
        {"tracerPayloads": [{"chunks": [{"spans": [a_span()]}]}]},
    ],
)
def test_every_wrapping_holds_the_same_span(read: Read, document: object) -> None:
    assert spans_of(read, document) == spans_of(read, [[a_span()]])
    reader = claimant(json.dumps(document).encode(), discover())
    assert reader is not None
    assert reader.name == "datadog"


def test_ids_may_be_text(read: Read) -> None:
    (decimal,) = spans_of(read, a_span(trace_id="18446744073709551614", span_id="5"))
    assert decimal == spans_of(read, a_span())[0]
    (hexadecimal,) = spans_of(read, a_span(trace_id="A" * 32, span_id="00000000000000A5"))
    assert (hexadecimal.trace_id, hexadecimal.span_id) == ("a" * 32, "00000000000000a5")


def test_a_missing_start_is_said(read: Read) -> None:
    (span,) = spans_of(read, a_span(start=None))
    assert (span.start_ns, span.end_ns) == (0, None)
    assert span.attributes["retrospan.start_missing"] is True


@pytest.mark.parametrize(
    "damage",
    [
        {"trace_id": None},
        {"trace_id": 2**64},
        {"trace_id": []},
        {"span_id": 0},
        {"span_id": None},
        {"start": -1},
        {"start": "x"},
        {"duration": 2**63},
        {"meta": 5},
        {"metrics": []},
    ],
)
def test_a_bad_span_is_refused_and_its_neighbours_stay(read: Read, damage: dict[str, Any]) -> None:
    document = [[a_span(), a_span(**damage), a_span(span_id=6)], 5]
    first, refused, last, wrong = read(document, reader="datadog")
    assert isinstance(first, Span)
    assert isinstance(last, Span)
    assert isinstance(refused, Rejected)
    assert isinstance(wrong, Rejected)
    assert (refused.record, wrong.record) == ("line 1 [0] [1]", "line 1 [1]")


def test_a_bad_link_is_refused_alone(read: Read) -> None:
    links = [{"trace_id": 1, "span_id": 0}, 5]
    items = read(a_span(span_links=links, span_events=7), reader="datadog")
    assert [getattr(item, "record", "span") for item in items] == [
        "span",
        "line 1.span_links[0]",
        "line 1.span_links[1]",
    ]


def test_limits_cut_and_count(read: Read) -> None:
    limits = Limits(attributes_per_record=2, attribute_chars=3, events_per_span=0, links_per_span=0)
    document = a_span(
        meta={"a": "long"}, metrics={"b": 1}, span_links=[{}], span_events=[{}], type="web"
    )
    (span,) = read(document, limits, "datadog")
    assert isinstance(span, Span)
    assert span.attributes == {"a": "lon", "b": 1, "retrospan.truncated": 5}


@pytest.mark.parametrize(
    "document",
    [
        # A made-up format of root-cause benchmarks: durations in milliseconds, start as text.
        [{"trace_id": "a", "span_id": "b", "name": "x", "start": "2026", "duration_ms": 1.0}],
        {"trace_id": "a", "span_id": "b", "name": "x"},
    ],
)
def test_what_only_has_ids_like_datadog_is_not_claimed(document: object) -> None:
    assert not discover()["datadog"].sniff(json.dumps(document).encode())
