"""HAR files, cassettes, stub mappings: requests with their answers, hostile ones too."""

import base64
import gzip
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.reader import claimant, discover
from ingest.readers.vcr import READER as VCR
from store.model import Rejected, Span
from tests.ingest.test_fuzz import SCALARS, check_read, mutated, places

HAR: dict[str, Any] = {
    "log": {
        "version": "1.2",
        "pages": [{"id": "p1", "title": "Checkout", "startedDateTime": "2026-01-01T00:00:00.000Z"}],
        "entries": [
            {
                "pageref": "p1",
                "startedDateTime": "2026-01-01T01:00:00.010+01:00",
                "time": 50.5,
                "request": {
                    "method": "POST",
                    "url": "https://shop.example:8443/orders/12?x=1",
                    "headers": [
                        {"name": "Idempotency-Key", "value": "k-1"},
                        {"name": "traceparent", "value": f"00-{'ab' * 16}-{'cd' * 8}-01"},
                    ],
                    "postData": {"mimeType": "application/json", "text": '{"n":1}'},
                },
                "response": {
                    "status": 409,
                    "headers": [],
                    "content": {"text": "e30=", "encoding": "base64"},
                },
                "timings": {"blocked": -1, "wait": 50, "receive": 0.5},
            },
            {
                "startedDateTime": "2026-01-01T00:00:01Z",
                "timings": {"send": 1, "wait": 2, "receive": 3},
                "request": {"method": "GET", "url": "https://shop.example/"},
                "response": {"status": 0, "_error": "net::ERR_ABORTED"},
            },
        ],
    }
}
CASSETTE: dict[str, Any] = {
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "https://api.example/v1/chat",
                "body": '{"model":"m"}',
                "headers": {"accept": ["a", "b"]},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Content-Encoding": ["gzip"]},
                "body": {"string": gzip.compress(b'{"ok":true}', mtime=0)},
            },
        },
        {
            "request": {"method": "GET", "uri": "https://api.example/v1/x", "headers": {}},
            "response": {"status": {"code": 500}, "headers": {}, "body": {"string": "no"}},
        },
    ],
    "version": 1,
}
STUB: dict[str, Any] = {
    "id": "8c5db8b0",
    "name": "orders_12",
    "request": {
        "urlPath": "/orders/12",
        "method": "POST",
        "host": {"equalTo": "shop.example"},
        "headers": {"Idempotency-Key": {"equalTo": "k-1"}, "Accept": {"contains": "json"}},
        "queryParameters": {"x": {"equalTo": "1+2&3"}},
        "bodyPatterns": [{"equalToJson": {"n": 1}, "ignoreArrayOrder": True}],
    },
    "response": {
        "status": 200,
        "headers": {"Content-Type": "application/json", "Vary": ["a", "b"]},
        "jsonBody": {"ok": True},
        "fixedDelayMilliseconds": 12,
    },
    "persistent": True,
}
PLAIN: dict[str, Any] = json.loads(json.dumps(CASSETTE, default=lambda raw: raw.hex()))


def test_a_page_holds_its_requests(read: Any) -> None:
    page, order, rest, aborted = read(HAR, reader="har")
    assert (page.name, page.kind, page.end_ns) == ("Checkout", "internal", order.end_ns)
    assert (order.name, order.parent_span_id) == ("POST /orders/12", page.span_id)
    assert (order.start_ns, order.end_ns) == (1767225600010000000, 1767225600060500000)
    told = {
        "http.request.method": "POST",
        "http.response.status_code": 409,
        "http.request.body.content": '{"n":1}',
        "http.response.body.content": "{}",
        "http.request.header.idempotency-key": "k-1",
        "server.address": "shop.example",
        "server.port": 8443,
        "har.timing.wait_ms": 50,
    }
    assert {name: order.attributes[name] for name in told} == told
    assert "har.timing.blocked_ms" not in order.attributes
    assert order.status == "error"
    assert [(link.trace_id, link.span_id) for link in order.links] == [("ab" * 16, "cd" * 8)]
    assert rest.trace_id == aborted.trace_id != page.trace_id
    assert aborted.status_message == "net::ERR_ABORTED"
    assert aborted.end_ns - aborted.start_ns == 6_000_000


def test_a_bad_entry_is_refused_alone(read: Any) -> None:
    value = json.loads(json.dumps(HAR))
    value["log"]["entries"] += [5, {"startedDateTime": "2026-01-01T00:00:00Z"}]
    items = read(value, reader="har")
    refused = [item for item in items if isinstance(item, Rejected)]
    assert [item.record for item in refused] == ["line 1 entries[2]", "line 1 entries[3]"]
    assert sum(isinstance(item, Span) for item in items) == 4


def test_a_cassette_has_an_order_and_no_times(read: Any) -> None:
    root, chat, failed = read(yaml.safe_dump(CASSETTE), reader="vcr")
    assert all(one.attributes["retrospan.time.synthetic"] is True for one in (root, chat, failed))
    assert root.start_ns <= chat.start_ns < failed.start_ns
    assert chat.attributes["http.response.body.content"] == '{"ok":true}'
    assert chat.attributes["http.request.body.content"] == '{"model":"m"}'
    assert chat.attributes["http.request.header.accept"] == "a, b"
    assert (failed.status, failed.attributes["http.response.status_code"]) == ("error", 500)


@pytest.mark.parametrize("at", ["Sat, 03 May 2025 01:47:25 GMT", "2025-05-03T01:47:25Z"])
def test_recorded_times_are_kept(read: Any, at: str) -> None:
    value = {
        "http_interactions": [
            {
                **one,
                "recorded_at": at,
                "response": {
                    **one["response"],
                    "body": {"encoding": "UTF-8", "base64_string": base64.b64encode(b"x").decode()},
                    "headers": {},
                },
            }
            for one in CASSETTE["interactions"]
        ]
    }
    _, chat, _ = read(yaml.safe_dump(value), reader="vcr")
    assert chat.start_ns == 1746236845000000000
    assert "retrospan.time.synthetic" not in chat.attributes
    assert chat.attributes["http.response.body.content"] == "x"


def test_json_cassettes_and_bare_responses_are_read(read: Any) -> None:
    assert len(read(PLAIN, reader="vcr")) == 3
    bare = {"status": 200, "headers": {"a": "b"}, "body": "event: x"}
    head = json.dumps(bare).encode()
    reader = claimant(head, discover())
    assert reader is not None
    assert reader.name == "vcr"
    _, answer = read(bare, reader="vcr")
    assert answer.attributes["http.response.body.content"] == "event: x"


def test_one_broken_interaction_loses_no_other(read: Any) -> None:
    text = yaml.safe_dump(PLAIN) + "- request: {unclosed: [\n"
    text = text.replace("version: 1\n", "")
    items = read(text, reader="vcr")
    assert sum(isinstance(item, Span) for item in items) == 3
    assert [item.reason[:9] for item in items if isinstance(item, Rejected)] == ["not YAML:"]


BOMB = "\n".join(
    ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("interactions: " + "[" * 100_000, "nested deeper than nesting_depth = 64"),
        (f"interactions:\n{BOMB}", ""),
        ("interactions: &a [*a]", "aliases make it larger than may be read"),
        ("interactions: !!python/object/apply:os.getcwd []", "not YAML: could not determine"),
        ("interactions: 5", "no cassette"),
    ],
)
def test_hostile_yaml_is_refused(read: Any, text: str, reason: str) -> None:
    (item,) = read(text, reader="vcr")
    assert isinstance(item, Rejected)
    assert item.reason.startswith(reason)


def test_a_cassette_past_the_limit_is_refused(read: Any) -> None:
    (item,) = read(yaml.safe_dump(PLAIN), Limits(document_bytes=100), reader="vcr")
    assert item.reason == "document is larger than document_bytes = 100"


def test_other_yaml_is_not_claimed() -> None:
    assert not VCR.sniff(b"services:\n  interactions: 1\n")


def test_a_stub_is_the_request_it_was_recorded_from(read: Any) -> None:
    for value in (STUB, {"mappings": [STUB], "meta": {"total": 1}}):
        reader = claimant(json.dumps(value).encode(), discover())
        assert reader is not None
        assert reader.name == "wiremock"
        _, order = read(value, reader="wiremock")
        told = {
            "url.full": "http://shop.example/orders/12?x=1%2B2%263",
            "http.request.body.content": '{"n":1}',
            "http.request.header.idempotency-key": "k-1",
            "http.response.body.content": '{"ok":true}',
            "http.response.header.vary": "a, b",
        }
        assert {name: order.attributes[name] for name in told} == told
        assert "http.request.header.accept" not in order.attributes
        assert (order.end_ns or 0) - order.start_ns == 12_000_000


@pytest.mark.parametrize(
    ("side", "change", "reason"),
    [
        ("request", {"urlPath": None, "urlPathPattern": "/orders/.*"}, "matches URLs by a pattern"),
        ("request", {"method": "ANY"}, "matches any method"),
        ("request", {"queryParameters": {"x": {"matches": ".*"}}}, "the parameter x by a pattern"),
        ("response", {"proxyBaseUrl": "http://shop.example"}, "computed, not recorded"),
        ("response", {"transformers": ["response-template"]}, "computed, not recorded"),
    ],
)
def test_a_stub_of_no_single_request_is_refused_alone(
    read: Any, side: str, change: dict[str, Any], reason: str
) -> None:
    odd = {**STUB, side: {**STUB[side], **change}}
    refused, root, order = read({"mappings": [odd, STUB]}, reader="wiremock")
    assert refused.record == "line 1 mappings[0]"
    assert reason in refused.reason
    assert order.parent_span_id == root.span_id


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(places(STUB)), new=SCALARS)
def test_an_odd_stub_is_read_or_refused(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("wiremock", json.dumps({"mappings": [mutated(STUB, path, new)]}).encode())
    assert items


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(places(HAR)), new=SCALARS)
def test_an_odd_har_is_read_or_refused(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("har", json.dumps(mutated(HAR, path, new)).encode())
    spans = sum(isinstance(item, Span) for item in items)
    assert spans >= (2 if len(path) > 2 else 0)


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(places(PLAIN)), new=SCALARS)
def test_an_odd_cassette_is_read_or_refused(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("vcr", json.dumps(mutated(PLAIN, path, new)).encode())
    spans = sum(isinstance(item, Span) for item in items)
    assert spans >= (2 if len(path) > 1 else 0)


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="- :[]{}&*!a\n'\"|>", max_size=60))
def test_any_yaml_is_read_or_refused(text: str) -> None:
    check_read("vcr", f"interactions:\n{text}".encode())
