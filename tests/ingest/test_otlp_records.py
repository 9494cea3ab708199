"""What is refused, what is kept beside it, what is marked."""

import hashlib
import json
from typing import Any

import pytest

from ingest.limits import Limits
from ingest.reader import MetricsSeen
from store.model import LogRecord, Rejected, Span

GOOD = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "good",
    "startTimeUnixNano": "1544712660000000000",
    "endTimeUnixNano": "1544712661000000000",
}


def spans(*records: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(records)}]}]}


def logs(*records: Any) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}


BAD_SPANS: dict[str, tuple[Any, str]] = {
    "zero trace id": ({**GOOD, "traceId": "0" * 32}, "trace id is missing, empty or all zero"),
    "zero in base64": ({**GOOD, "traceId": "A" * 22 + "=="}, "trace id is missing"),
    "empty span id": ({**GOOD, "spanId": ""}, "span id is missing"),
    "no span id": ({**GOOD, "spanId": None}, "span id is missing"),
    "id that is a list": ({**GOOD, "spanId": ["x"]}, "span id is list"),
    "start past int64": (
        {**GOOD, "startTimeUnixNano": "18446744073709551000"},
        "start time 18446744073709551000 is past the year 2262",
    ),
    "negative end": ({**GOOD, "endTimeUnixNano": -1}, "end time -1 is negative"),
    "time in words": ({**GOOD, "startTimeUnixNano": "now"}, "start time 'now' is not a number"),
    "time with a fraction": ({**GOOD, "startTimeUnixNano": 1.5}, "start time is not a whole"),
    "unknown kind": ({**GOOD, "kind": "SPAN_KIND_X"}, "unknown span kind 'SPAN_KIND_X'"),
    "unknown status": ({**GOOD, "status": {"code": "MAYBE"}}, "unknown status code 'MAYBE'"),
    "name that is a number": ({**GOOD, "name": 5}, "name is a number, expected text"),
    "attributes that are text": ({**GOOD, "attributes": "x"}, "attributes is text"),
    "attribute without key": ({**GOOD, "attributes": [{"value": {}}]}, "an attribute has no key"),
    "attribute that is a number": ({**GOOD, "attributes": [5]}, "an attribute is a number"),
    "bare attribute value": (
        {**GOOD, "attributes": [{"key": "a", "value": 1}]},
        "the value of attribute 'a' is a number",
    ),
    "span that is text": ("span", "the record is text, expected an object"),
    "span that is null": (None, "the record is null"),
}


@pytest.mark.parametrize("case", BAD_SPANS)
def test_a_bad_span_is_refused_with_its_place_and_its_neighbours_stay(read: Any, case: str) -> None:
    bad, reason = BAD_SPANS[case]
    first, rejected, last = read(spans(GOOD, bad, GOOD))
    assert isinstance(first, Span)
    assert first == last
    assert isinstance(rejected, Rejected)
    assert rejected.record == "line 1 resourceSpans[0].scopeSpans[0].spans[1]"
    assert rejected.reason.startswith(reason)


def test_a_number_json_cannot_hold_loses_no_span(read: Any) -> None:
    text = json.dumps(spans(GOOD, {**GOOD, "kind": "@"}, GOOD)).replace('"@"', "1e999")
    kinds = [type(item).__name__ for item in read(text)]
    assert kinds == ["Span", "Rejected", "Span"]


def test_bad_letters_lose_no_span(read: Any) -> None:
    text = json.dumps(spans(GOOD, {**GOOD, "name": "@@"}))
    for letters in (b"\xff\xfe", rb"\ud800"):
        _, span = read(text.encode().replace(b"@@", letters))
        assert isinstance(span, Span)
        span.name.encode("utf-8")


def test_a_bad_event_or_link_is_put_aside_and_the_span_stays(read: Any) -> None:
    span = {
        **GOOD,
        "events": [{"name": "a", "timeUnixNano": "-5"}, {"name": "b", "timeUnixNano": "5"}],
        "links": [{"traceId": "", "spanId": ""}],
    }
    kept, event, link = read(spans(span))
    assert [e.name for e in kept.events] == ["b"]
    assert kept.links == ()
    place = "line 1 resourceSpans[0].scopeSpans[0].spans[0]"
    assert (event.record, event.reason) == (f"{place}.events[0]", "event time -5 is negative")
    assert link.record == f"{place}.links[0]"


def test_bad_resources_and_scopes_lose_only_themselves(read: Any) -> None:
    document = spans(GOOD)
    document["resourceSpans"] += [5, {"resource": "x"}, {"scopeSpans": 7}]
    document["resourceSpans"] += [{"scopeSpans": [None, {"scope": 5}, {"spans": {}}]}]
    document["resourceSpans"] += spans(GOOD)["resourceSpans"]
    items = read(document)
    assert [type(item).__name__ for item in items].count("Span") == 2
    refused = [item.record for item in items if isinstance(item, Rejected)]
    assert sorted(refused) == [
        "line 1 resourceSpans[1]",
        "line 1 resourceSpans[2]",
        "line 1 resourceSpans[3].scopeSpans",
        "line 1 resourceSpans[4].scopeSpans[0]",
        "line 1 resourceSpans[4].scopeSpans[1]",
        "line 1 resourceSpans[4].scopeSpans[2].spans",
    ]


def test_an_id_of_another_kind_is_mapped_and_kept_as_text(read: Any) -> None:
    odd = {**GOOD, "traceId": "order-17", "spanId": "zzz", "parentSpanId": "abc"}
    child = {**GOOD, "traceId": "order-17", "parentSpanId": "zzz"}
    first, second = read(spans(odd, child))
    assert first.trace_id == hashlib.sha256(b"order-17").hexdigest()[:32] == second.trace_id
    assert first.span_id == hashlib.sha256(b"zzz").hexdigest()[:16] == second.parent_span_id
    assert first.attributes == {
        "retrospan.original.trace_id": "order-17",
        "retrospan.original.span_id": "zzz",
        "retrospan.original.parent_span_id": "abc",
    }


def test_texts_that_share_their_bytes_in_base64_stay_two_ids(read: Any) -> None:
    canonical, other = "A" * 21 + "Q", "A" * 21 + "R"  # differ in bits that are no data
    one, two = read(spans({**GOOD, "traceId": canonical}, {**GOOD, "traceId": other}))
    assert one.trace_id == "00" * 15 + "01"
    assert two.trace_id != one.trace_id
    assert two.attributes["retrospan.original.trace_id"] == other


def test_a_number_of_an_enumeration_to_come_is_kept_beside_the_span(read: Any) -> None:
    (span,) = read(spans({**GOOD, "kind": 9, "status": {"code": 4}}))
    assert (span.kind, span.status) == ("unspecified", "unset")
    assert span.attributes == {
        "retrospan.original.kind": "9",
        "retrospan.original.status": "4",
    }


def test_a_span_without_start_has_no_duration_and_says_so(read: Any) -> None:
    (span,) = read(spans({**GOOD, "startTimeUnixNano": None}))
    assert span.start_ns == span.end_ns == 1544712661000000000
    assert span.attributes == {"retrospan.start_missing": True}


def test_attributes_of_the_scope_are_kept_with_the_span(read: Any) -> None:
    document = spans(GOOD)
    scope = {"name": "s", "attributes": [{"key": "team", "value": {"stringValue": "a"}}]}
    document["resourceSpans"][0]["scopeSpans"][0]["scope"] = scope
    (span,) = read(document)
    assert span.attributes == {"otel.scope.team": "a"}


def test_a_log_without_a_time_has_the_time_it_was_seen(read: Any) -> None:
    seen, told = read(logs({"observedTimeUnixNano": "7"}, {"timeUnixNano": 8}))
    assert isinstance(seen, LogRecord)
    assert (seen.time_ns, seen.observed_ns) == (7, 7)
    assert (told.time_ns, told.observed_ns) == (8, 8)
    assert (told.trace_id, told.span_id, told.body) == (None, None, None)


def test_an_event_name_may_stand_in_an_attribute(read: Any) -> None:
    attributes = [{"key": "event.name", "value": {"stringValue": "order.paid"}}]
    (log,) = read(logs({"timeUnixNano": "1", "attributes": attributes}))
    assert log.event_name == "order.paid"


def test_a_bad_log_is_refused_with_its_place(read: Any) -> None:
    bad, good = read(logs({"timeUnixNano": str(2**63)}, {"timeUnixNano": str(2**63 - 1)}))
    assert bad.record == "line 1 resourceLogs[0].scopeLogs[0].logRecords[0]"
    assert "past the year 2262" in bad.reason
    assert good.time_ns == 2**63 - 1


def test_metric_points_are_counted(read: Any) -> None:
    metrics = [
        {"name": "a", "sum": {"dataPoints": [{}, {}]}},
        {"name": "b", "exponential_histogram": {"data_points": [{}]}},
        {"name": "c", "gauge": {}},
    ]
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    assert read(document) == [MetricsSeen(3)]


def test_attributes_past_the_limits_are_cut_and_counted(read: Any) -> None:
    attributes = [{"key": f"k{n}", "value": {"stringValue": "x" * 20}} for n in range(5)]
    limits = Limits(attributes_per_record=3, attribute_chars=10)
    (span,) = read(spans({**GOOD, "attributes": attributes}), limits)
    assert span.attributes == {
        **{f"k{n}": "x" * 10 for n in range(3)},
        "retrospan.truncated": 5,
    }


def test_nesting_past_the_limit_is_refused_by_its_name(read: Any) -> None:
    value: dict[str, Any] = {"stringValue": "deep"}
    for _ in range(5):
        value = {"arrayValue": {"values": [value]}}
    span = {**GOOD, "attributes": [{"key": "a", "value": value}]}
    (kept,) = read(spans(span), Limits(nesting_depth=5))
    (refused,) = read(spans(span), Limits(nesting_depth=4))
    assert kept.attributes == {"a": [[[[["deep"]]]]]}
    assert refused.reason == "an attribute is nested deeper than nesting_depth = 4"


def test_whole_numbers_past_int64_stay_as_text(read: Any) -> None:
    attributes = [{"key": "n", "value": {"intValue": str(2**64 - 1)}}]
    (span,) = read(spans({**GOOD, "attributes": attributes}))
    assert span.attributes == {"n": "18446744073709551615"}
