"""What is wrong in Jaeger JSON is refused at its place; what is near it stays."""

import pytest

from ingest.limits import Limits
from ingest.reader import claimant, discover
from store.model import Rejected, Span
from tests.ingest.conftest import Read
from tests.ingest.jaeger_documents import START, TRACE, a_span, answer, kept, reference, tag


@pytest.mark.parametrize(
    "damage",
    [
        {"traceID": "0"},
        {"spanID": ""},
        {"spanID": {}},
        {"startTime": "soon"},
        {"startTime": -1},
        {"startTime": 10**17},
        {"startTime": 1e300},
        {"duration": "5 parsecs"},
        {"tags": {"a": 1}},
        {"tags": ["a"]},
        {"references": 7},
        {"logs": "x"},
        {"spanID": 2**64},
    ],
)
def test_a_bad_span_is_refused_at_its_place_and_neighbours_stay(
    read: Read, damage: dict[str, object]
) -> None:
    first, last = a_span(spanID="1"), a_span(spanID="3")
    items = read(answer(first, a_span(**damage), last), reader="jaeger_json")
    assert kept(items) == ["0" * 15 + "1", "line 1 data [0] spans [1]", "0" * 15 + "3"]


def test_a_bad_part_of_a_span_is_refused_alone(read: Read) -> None:
    parts = {
        "references": [{"refType": "SIBLING_OF", "traceID": TRACE, "spanID": "2"}, 5],
        "logs": [{"timestamp": "x"}, 5, {"timestamp": START}],
    }
    items = read(answer(a_span(**parts)), reader="jaeger_json")
    assert isinstance(items[0], Span)
    assert len(items[0].events) == 1
    assert kept(items[1:]) == [
        f"line 1 data [0] spans [0].{part}"
        for part in ("logs[0]", "logs[1]", "references[0]", "references[1]")
    ]


def test_a_bad_process_loses_no_span(read: Read) -> None:
    document = answer(a_span())
    document["data"][0]["processes"] = {"p1": 5, "p2": {"serviceName": "x"}}
    refused, span = read(document, reader="jaeger_json")
    assert isinstance(refused, Rejected)
    assert refused.record == "line 1 data [0] processes.p1"
    assert isinstance(span, Span)
    assert span.service == "unknown_service"


@pytest.mark.parametrize("document", [5, [5], {}, {"a": 1}, {"data": 5}, {"spans": 5}])
def test_what_is_no_jaeger_data_is_refused(read: Read, document: object) -> None:
    (refused,) = read(document, reader="jaeger_json")
    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("no ")


def test_limits_cut_and_count(read: Read) -> None:
    limits = Limits(attributes_per_record=1, attribute_chars=3, events_per_span=1, links_per_span=1)
    span = a_span(
        tags=[tag("a", "string", "long"), tag("b", "string", "x")],
        logs=[{"timestamp": START, "fields": []}] * 3,
        references=[reference("CHILD_OF", "1", "ff")] * 2,
    )
    (item,) = read(answer(span), limits, "jaeger_json")
    assert isinstance(item, Span)
    assert item.attributes == {"a": "lon", "retrospan.truncated": 5}
    assert (len(item.events), len(item.links)) == (1, 1)


def test_a_large_document_is_read_span_by_span(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    document = answer(a_span(), a_span(spanID="8"), 5)
    want = read(document, reader="jaeger_json")
    monkeypatch.setattr("ingest.legacy.walking.WHOLE_BYTES_MAX", 50)
    assert read(document, reader="jaeger_json") == want


def test_depth_without_end_is_refused(read: Read) -> None:
    for text in ("[" * 900 + "5" + "]" * 900, '{"data":' * 400 + "1" + "}" * 400):
        (refused,) = read(text, reader="jaeger_json")
        assert isinstance(refused, Rejected)


@pytest.mark.parametrize(
    "head",
    [
        b'{"data":[{"traceID":"a","spans":[{"operationName":"x"}]}]}',
        b'{"data":[{"processes":{"p1":{}},"traceID":"a","sp',
        b'{oops\n[{"traceID":"a","spanID":"b"}',
        b'{"process":{},"spans":[{"traceIdLow":1,"spanId":2}]}',
    ],
)
def test_jaeger_is_claimed_wherever_its_spans_may_stand(head: bytes) -> None:
    reader = claimant(head, discover())
    assert reader is not None
    assert reader.name == "jaeger_json"


@pytest.mark.parametrize(
    "head",
    [
        b'{"operationName":"q","query":"{}","traceId":"x"',  # what GraphQL clients send
        b'{"a":{"traceID":"x","spanID":"y","operationName":"z"}}',
        b'{"note":"\\"traceID\\": 1, \\"spanID\\": 2"}',
        b'"traceID": 1, "spanID": 2',
    ],
)
def test_words_of_jaeger_in_other_places_claim_nothing(head: bytes) -> None:
    assert not discover()["jaeger_json"].sniff(head)
