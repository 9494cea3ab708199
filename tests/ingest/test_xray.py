"""AWS X-Ray segments and subsegments come out as spans."""

import json
from typing import Any

import pytest

from ingest.limits import Limits
from ingest.reader import claimant, discover
from store.model import Rejected, Span
from tests.ingest.conftest import Read

TRACE = "1-5f2aebcc-b475d14618c51eaa28753d37"


def a_segment(**changes: Any) -> dict[str, Any]:
    return {
        "trace_id": TRACE,
        "id": "bda182a644eee9b3",
        "name": "pay",
        "start_time": 1,
        "end_time": 2,
        **changes,
    }


def inside(**changes: Any) -> dict[str, Any]:
    return {"id": "5cc4a447f5d4d696", "name": "db", "start_time": 1, "end_time": 2, **changes}


def spans_of(read: Read, document: object) -> list[Span]:
    items = read(document, reader="xray")
    assert all(isinstance(item, Span) for item in items), items
    return [item for item in items if isinstance(item, Span)]


def one(read: Read, **changes: Any) -> Span:
    (span,) = spans_of(read, a_segment(**changes))
    return span


def test_a_segment_has_its_ids_its_service_and_its_version(read: Read) -> None:
    span = one(read, parent_id="5cc4a447f5d4d696", service={"version": "3"}, origin="AWS::EC2")
    assert (span.trace_id, span.span_id) == ("5f2aebccb475d14618c51eaa28753d37", "bda182a644eee9b3")
    assert span.parent_span_id == "5cc4a447f5d4d696"
    assert (span.name, span.service, span.kind) == ("pay", "pay", "unspecified")
    assert span.resource == {"service.name": "pay", "service.version": "3"}
    assert span.attributes == {"service.version": "3", "aws.xray.origin": "AWS::EC2"}


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        ("1596648396.6399446", 1_596_648_396_639_944_600),
        ("1596648396.639944673", 1_596_648_396_639_944_673),
        ("1596648396.63994467399", 1_596_648_396_639_944_673),
        ("1.5966483966399446E9", 1_596_648_396_639_944_600),
        ("1596648396", 1_596_648_396_000_000_000),
        ('"1596648396.1"', 1_596_648_396_100_000_000),
    ],
)
def test_seconds_are_exact_nanoseconds(read: Read, written: str, ns: int) -> None:
    text = json.dumps(a_segment(start_time=0, end_time=0)).replace(
        '_time": 0', f'_time": {written}'
    )
    (span,) = spans_of(read, text)
    assert (span.start_ns, span.end_ns) == (ns, ns)


def test_a_segment_in_progress_has_no_end(read: Read) -> None:
    assert one(read, in_progress=True, end_time=None).end_ns is None
    assert one(read, in_progress=True).end_ns is None
    assert one(read, in_progress=False).end_ns == 2_000_000_000


@pytest.mark.parametrize("flag", ["fault", "error", "throttle"])
def test_each_kind_of_failure_is_an_error_and_stays_told_apart(read: Read, flag: str) -> None:
    span = one(read, **{flag: True})
    assert span.status == "error"
    assert span.attributes == {f"aws.xray.{flag}": True}
    assert one(read, **{flag: False}).status == "unset"


def test_exceptions_are_events_and_the_first_message_is_the_status(read: Read) -> None:
    cause = {
        "working_directory": "/app",
        "exceptions": [
            {
                "id": "1",
                "type": "Declined",
                "message": "no funds",
                "stack": [{"path": "a.py", "line": 3, "label": "f"}, {"path": "b.py", "line": 4}],
            }
        ],
    }
    span = one(read, fault=True, cause=cause)
    assert span.status_message == "no funds"
    (event,) = span.events
    assert (event.name, event.time_ns) == ("exception", 2_000_000_000)
    assert event.attributes == {
        "exception.type": "Declined",
        "exception.message": "no funds",
        "exception.stacktrace": "f at a.py:3\n at b.py:4",
        "aws.xray.exception.id": "1",
    }
    assert one(read, cause="1234").attributes == {"aws.xray.cause": "1234"}


def test_http_sql_and_aws_blocks_are_paths_with_opentelemetrys_names_beside(read: Read) -> None:
    span = one(
        read,
        http={
            "request": {"method": "GET", "url": "http://x/", "client_ip": "1.2.3.4"},
            "response": {"status": 200, "content_length": 5},
        },
        sql={"database_type": "PostgreSQL", "sanitized_query": "SELECT 1"},
        aws={"account_id": "0", "ec2": {"instance_id": "i"}},
        user="me",
    )
    assert span.kind == "server"
    assert span.attributes == {
        "http.request.method": "GET",
        "http.request.url": "http://x/",
        "http.request.client_ip": "1.2.3.4",
        "http.response.status": 200,
        "http.response.content_length": 5,
        "sql.database_type": "PostgreSQL",
        "sql.sanitized_query": "SELECT 1",
        "aws.account_id": "0",
        "aws.ec2.instance_id": "i",
        "user": "me",
        "url.full": "http://x/",
        "client.address": "1.2.3.4",
        "http.response.status_code": 200,
        "http.response.body.size": 5,
        "db.system": "PostgreSQL",
        "db.statement": "SELECT 1",
        "cloud.account.id": "0",
        "enduser.id": "me",
    }


def test_annotations_keep_their_names_and_metadata_its_space(read: Read) -> None:
    span = one(
        read,
        annotations={"retrospan_flow": "x", "n": 1.5},
        metadata={"default": {"k": [1, {"a": 0.5}]}, "odd": 3},
    )
    assert span.attributes == {
        "retrospan_flow": "x",
        "n": 1.5,
        "aws.xray.metadata.default.k": [1, {"a": 0.5}],
        "aws.xray.metadata.odd": 3,
    }


def test_subsegments_hang_below_their_segment_in_its_service(read: Read) -> None:
    deepest = inside(id="3" * 16, namespace="aws", name="DynamoDB")
    inner = inside(namespace="remote", subsegments=[deepest])
    local = inside(id="4" * 16)
    spans = spans_of(read, a_segment(subsegments=[inner, local]))
    assert [(span.span_id, span.parent_span_id, span.kind) for span in spans] == [
        ("bda182a644eee9b3", None, "unspecified"),
        ("5cc4a447f5d4d696", "bda182a644eee9b3", "client"),
        ("3" * 16, "5cc4a447f5d4d696", "client"),
        ("4" * 16, "bda182a644eee9b3", "internal"),
    ]
    assert {span.trace_id for span in spans} == {"5f2aebccb475d14618c51eaa28753d37"}
    assert {span.service for span in spans} == {"pay"}


def test_a_subsegment_that_came_alone_does_not_name_a_service(read: Read) -> None:
    span = one(read, type="subsegment", namespace="remote", parent_id="1")
    assert (span.service, span.kind, span.resource) == ("unknown_service", "client", {})


def test_links_and_w3c_ids_are_read(read: Read) -> None:
    link = {"trace_id": TRACE, "id": "a" * 16, "attributes": {"reason": "batch"}}
    span = one(read, trace_id="F" * 32, links=[link])
    assert span.trace_id == "f" * 32
    (found,) = span.links
    assert (found.trace_id, found.span_id) == ("5f2aebccb475d14618c51eaa28753d37", "a" * 16)
    assert found.attributes == {"aws.xray.link.reason": "batch"}


SEGMENT = a_segment(subsegments=[inside()])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SEGMENT),
        json.dumps(SEGMENT, indent=2),
        json.dumps([SEGMENT]),
        '{"format":"json","version":1}\n' + json.dumps(SEGMENT),
        json.dumps({"Traces": [{"Id": TRACE, "Segments": [{"Document": json.dumps(SEGMENT)}]}]}),
        json.dumps({"Id": TRACE, "Segments": [{"Id": "x", "Document": json.dumps(SEGMENT)}]}),
        json.dumps({"TraceSegmentDocuments": [json.dumps(SEGMENT)]}),
    ],
)
def test_segments_are_read_however_they_are_wrapped(read: Read, text: str) -> None:
    assert spans_of(read, text) == spans_of(read, SEGMENT)
    reader = claimant(text.encode(), discover())
    assert reader is not None
    assert reader.name == "xray"


@pytest.mark.parametrize(
    "damage",
    [
        {"trace_id": None},
        {"trace_id": "1-00000000-" + "0" * 24},
        {"id": 1.5},
        {"start_time": "soon"},
        {"start_time": 1e300},
        {"end_time": -1},
    ],
)
def test_a_bad_segment_is_refused_and_its_neighbours_stay(
    read: Read, damage: dict[str, Any]
) -> None:
    first, refused, last = read([a_segment(), a_segment(**damage), a_segment()], reader="xray")
    assert isinstance(first, Span)
    assert isinstance(last, Span)
    assert isinstance(refused, Rejected)
    assert refused.record == "line 1 [1]"


def test_a_bad_document_in_an_answer_is_refused_alone(read: Read) -> None:
    documents = ["{oops", "5", json.dumps(a_segment())]
    answer = {"Traces": [{"Segments": [{"Document": text} for text in documents]}]}
    items = read(answer, reader="xray")
    assert [getattr(item, "record", "span") for item in items] == [
        "line 1 Traces [0] Segments [0] Document",
        "line 1 Traces [0] Segments [1] Document",
        "span",
    ]


def test_a_bad_part_of_a_segment_is_refused_alone(read: Read) -> None:
    segment = a_segment(subsegments=[5, inside(id=None)], links=[{}], cause={"exceptions": [5]})
    items = read(segment, reader="xray")
    assert [getattr(item, "record", "span") for item in items] == [
        "span",
        "line 1.cause.exceptions[0]",
        "line 1.links[0]",
        "line 1.subsegments[0]",
        "line 1.subsegments[1]",
    ]


def test_a_bad_segment_does_not_lose_its_subsegments(read: Read) -> None:
    items = read(a_segment(start_time="x", subsegments=[inside()]), reader="xray")
    assert [type(item) for item in items] == [Rejected, Span]


def test_subsegments_nested_past_the_limit_are_refused(read: Read) -> None:
    nested = inside()
    for _ in range(5):
        nested = inside(subsegments=[nested])
    items = read(a_segment(subsegments=[nested]), Limits(nesting_depth=3), "xray")
    assert [type(item) for item in items] == [Span] * 4 + [Rejected]
