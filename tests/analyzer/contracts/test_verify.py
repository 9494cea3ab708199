"""Recorded exchanges against files: each rule catches its fault, and a clean service is silent."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analyzer.contracts.api import api_of
from analyzer.contracts.drift import Window
from analyzer.contracts.file import parse
from analyzer.contracts.observed import observe, observe_drift
from analyzer.contracts.result import Result
from analyzer.contracts.verify import verify
from store.lease import Store
from store.model import Batch, Span
from store.write import write_batch
from tests.retrospan.records import write

SECOND = 1_000_000_000
ALL = Window(since_ns=0, until_ns=2**62)
CONTRACT = """
openapi: 3.1.0
paths:
  /orders:
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, required: [sku], properties: {sku: {type: string}}}
      responses:
        '201':
          content:
            application/json: {schema: {type: object, required: [id]}}
        4XX: {description: refused}
  /orders/{id}:
    get:
      deprecated: true
      responses:
        '200': {description: found}
"""


def call(number: int, **fields: Any) -> list[Span]:
    """A caller's span and the service's own: POST /orders answered by 201."""
    status: int | None = fields.get("status", 201)
    attributes = {
        "http.request.method": fields.get("method", "POST"),
        "http.request.body.content": json.dumps(fields.get("request", {"sku": "a"})),
        "http.response.body.content": json.dumps(fields.get("response", {"id": 1})),
        **({} if status is None else {"http.response.status_code": status}),
        **fields.get("attributes", {}),
    }
    route = fields.get("route", "/orders")
    common: dict[str, Any] = {
        "start_ns": number * SECOND,
        "end_ns": number * SECOND + 5,
        "name": "x",
    }
    trace = f"{number + 1:032x}"
    client = Span(
        trace_id=trace,
        span_id=f"{number * 2 + 1:016x}",
        parent_span_id=None,
        kind="client",
        service="shop",
        attributes={**attributes, "service.peer.name": "orders", "url.template": route},
        resource={"service.version": fields.get("version", "1")},
        **common,
    )
    server = Span(
        trace_id=trace,
        span_id=f"{number * 2 + 2:016x}",
        parent_span_id=client.span_id,
        kind="server",
        service="orders",
        attributes={
            key: value
            for key, value in {**attributes, "http.route": route}.items()
            if "body" not in key
        },
        **common,
    )
    which = fields.get("which", "both")
    return [client] if which == "client" else [server] if which == "server" else [client, server]


def results(tmp_path: Path, spans: Sequence[Span], contract: str = CONTRACT) -> list[Result]:
    store = write(tmp_path / "store.duckdb", spans=spans)
    with store.lease("test") as session:
        observed = observe(session, ["orders"], ALL, 200)
    found, _ = verify({"orders": [api_of(parse(contract, "orders.yaml"), "orders.yaml")]}, observed)
    return found


def told(tmp_path: Path, spans: Sequence[Span], contract: str = CONTRACT) -> list[tuple[str, str]]:
    """Rules and verdicts, without what nobody called."""
    found = results(tmp_path, spans, contract)
    return [(one.rule, one.verdict.value) for one in found if one.rule != "unused_operation"]


def test_a_clean_service_is_silent(tmp_path: Path) -> None:
    assert told(tmp_path, [span for n in range(5) for span in call(n)]) == []


@pytest.mark.parametrize(
    ("fields", "rule", "verdict"),
    [
        ({"route": "/carts"}, "undocumented_route", "violation"),
        ({"route": "/carts", "which": "client"}, "undocumented_route", "suspected"),
        ({"route": "/api/*"}, "route_unknown", "unknown"),
        ({"method": "PUT"}, "undocumented_method", "violation"),
        ({"status": 500}, "undocumented_status", "violation"),
        ({"status": 503, "which": "client"}, "undocumented_status", "suspected"),
        ({"request": {}}, "body_violates_schema", "violation"),
        ({"response": {"no": 1}}, "body_violates_schema", "violation"),
        (
            {"attributes": {"http.response.header.content-type": ["text/html; charset=x"]}},
            "wrong_media_type",
            "violation",
        ),
        (
            {"attributes": {"http.request.header.content-type": ["text/xml"]}},
            "wrong_media_type",
            "violation",
        ),
        (
            {"status": 404, "attributes": {"http.response.header.content-type": ["text/html"]}},
            "undocumented_body",
            "suspected",
        ),
        ({"method": "GET", "route": "/orders/{id}", "status": 200}, "deprecated_used", "pass"),
        (
            {"attributes": {"http.response.header.deprecation": ["@1688169599"]}},
            "deprecated_used",
            "pass",
        ),
        (
            {"attributes": {"http.response.header.sunset": ["Thu, 01 Jan 1970 00:00:01 GMT"]}},
            "used_after_sunset",
            "violation",
        ),
        (
            {"attributes": {"http.response.header.sunset": ["Sun, 01 Jan 2170 00:00:00 GMT"]}},
            "deprecated_used",
            "pass",
        ),
        (
            {"attributes": {"http.request.body.content": '{"sku": "a'}},
            "body_not_checked",
            "unknown",
        ),
    ],
)
def test_each_fault_is_caught_once_with_who_called(
    tmp_path: Path, fields: dict[str, Any], rule: str, verdict: str
) -> None:
    spans = [span for n in range(5) for span in call(n)]
    spans += call(7, version="2", **fields)
    found = [
        one
        for one in results(tmp_path, spans)
        if one.rule not in ("unused_operation", "body_violates_schema") or one.rule == rule
    ]
    assert [(one.rule, one.verdict.value, one.n) for one in found] == [(rule, verdict, 1)]
    if rule != "body_not_checked":
        assert [(one.service, one.version, one.n) for one in found[0].callers] == [("shop", "2", 1)]
    assert found[0].evidence[0].trace_id == f"{8:032x}"


def test_a_path_the_service_itself_refuses_breaks_nothing(tmp_path: Path) -> None:
    spans = call(1) + call(2, route="/.env", status=404) + call(3, method="PUT", status=405)
    assert told(tmp_path, spans) == []


def test_a_call_without_an_answer_says_nothing_of_statuses(tmp_path: Path) -> None:
    assert told(tmp_path, call(1) + call(2, status=None, which="client")) == []


def test_a_route_recorded_relative_to_its_mount_is_found_by_its_path(tmp_path: Path) -> None:
    mounted = call(2, route="/", attributes={"url.path": "/orders"})
    assert told(tmp_path, mounted) == []


def test_cut_redacted_and_binary_bodies_accuse_nobody(tmp_path: Path) -> None:
    spans = call(1, request={}, attributes={"retrospan.body.truncated": True})
    spans += call(2, request={"sku": "[redacted:0123456789ab]"})
    spans += call(3, response="[redacted:0123456789ab]")
    spans += call(4, attributes={"http.request.body.content": b"\x00\x01"})
    assert set(told(tmp_path, spans)) == {("body_not_checked", "unknown")}


@pytest.mark.parametrize(("which", "verdict"), [("both", "pass"), ("client", "unknown")])
def test_what_was_not_seen_is_unused_only_where_the_service_recorded(
    tmp_path: Path, which: str, verdict: str
) -> None:
    found = results(tmp_path, call(1, which=which))
    unused = [one for one in found if one.rule == "unused_operation"]
    assert [(one.operation, one.verdict.value) for one in unused] == [("GET /orders/{id}", verdict)]


def test_without_any_data_nothing_is_unused(tmp_path: Path) -> None:
    found = results(tmp_path, [])
    assert {one.verdict.value for one in found} == {"unknown"}
    assert len(found) == 2


def test_the_order_of_loading_changes_nothing(tmp_path: Path) -> None:
    spans = [
        span
        for n in range(6)
        for span in call(n, request={} if n % 2 else {"sku": 1}, version=str(n % 3))
    ]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = results(tmp_path / "a", spans)
    assert first == results(tmp_path / "b", spans[::-1])


def drifts(tmp_path: Path, after: dict[str, Any], n: int = 40) -> list[tuple[str, str, str]]:
    """What changed when the second half of the calls has other bodies."""
    spans = [span for number in range(n) for span in call(number)]
    spans += [span for number in range(n, 2 * n) for span in call(number, **after)]
    store = Store(tmp_path / "store.duckdb")
    with store.lease("test", create=True) as session:
        write_batch(
            session,
            Batch(source="x", content_sha256="0:0", reader="x", rules_sha256="", spans=spans),
        )
        changed = observe_drift(
            session,
            Window(since_ns=0, until_ns=n * SECOND),
            Window(since_ns=n * SECOND, until_ns=2 * n * SECOND),
            20,
        )
    return [(one.part, one.field, one.change) for one in changed]


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        ({}, []),
        ({"request": {"sku": 7}}, [("request", "sku", "type_changed")]),
        ({"request": {"sku": None}}, [("request", "sku", "type_changed")]),
        (
            {"response": {"id": 1, "at": {"day": "x"}}},
            [("response 201", "at", "appeared")],
        ),
        (
            {"response": {"ref": "x"}},
            [("response 201", "id", "vanished"), ("response 201", "ref", "appeared")],
        ),
        ({"response": {"id": [1, 2]}}, [("response 201", "id", "type_changed")]),
        ({"response": {"id": 1.5}}, []),
    ],
)
def test_fields_that_change_are_told_and_equal_ones_are_not(
    tmp_path: Path, after: dict[str, Any], changes: list[tuple[str, str, str]]
) -> None:
    assert drifts(tmp_path, after) == changes


def test_an_attribute_that_appears_is_told_on_both_sides(tmp_path: Path) -> None:
    found = drifts(tmp_path, {"attributes": {"tenant.id": "x"}})
    assert found == [("attribute", "tenant.id", "appeared")] * 2


def test_too_few_bodies_say_nothing(tmp_path: Path) -> None:
    assert drifts(tmp_path, {"request": {"sku": 7}}, n=10) == []
