"""Two versions of a file: each change weighed for requests and for responses."""

from typing import Any

import pytest

from analyzer.contracts.api import api_of
from analyzer.contracts.compare import compare, verdict_of
from store.model import JsonValue

Schema = JsonValue


def document(
    request: Schema, response: Schema, *, version: str = "3.1.0", **operation: JsonValue
) -> dict[str, JsonValue]:
    return {
        "openapi": version,
        "paths": {
            "/orders": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": request}}},
                    "responses": {"200": {"content": {"application/json": {"schema": response}}}},
                    **operation,
                }
            }
        },
    }


def impacts(old: dict[str, JsonValue], new: dict[str, JsonValue]) -> list[tuple[str, str, str]]:
    changes = compare(api_of(old, "old"), api_of(new, "new"))
    return [(one.impact.value, one.direction, one.message) for one in changes]


def both(old: Schema, new: Schema, **versions: Any) -> tuple[str, str]:
    """The verdict of one change, in a request and in a response."""
    verdicts = []
    for before, after in (
        (document(old, True), document(new, True)),
        (document(True, old), document(True, new)),
    ):
        verdicts.append(verdict_of(compare(api_of(before, "old"), api_of(after, "new"))).value)
    return verdicts[0], verdicts[1]


OBJECT: dict[str, JsonValue] = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED: dict[str, JsonValue] = {**OBJECT, "additionalProperties": False}
MORE: dict[str, JsonValue] = {"a": {"type": "string"}, "b": True}


@pytest.mark.parametrize(
    ("old", "new", "request_verdict", "response_verdict"),
    [
        (OBJECT, OBJECT, "compatible", "compatible"),
        (OBJECT, {**OBJECT, "required": ["a"]}, "breaking", "compatible"),
        ({**OBJECT, "required": ["a"]}, OBJECT, "compatible", "breaking"),
        ({"type": "string"}, {"type": "integer"}, "breaking", "breaking"),
        ({"type": "integer"}, {"type": "number"}, "compatible", "breaking"),
        ({"type": "string"}, {"type": ["string", "null"]}, "compatible", "breaking"),
        ({"enum": ["x"]}, {"enum": ["x", "y"]}, "compatible", "breaking"),
        ({"enum": ["x", "y"]}, {"enum": ["x"]}, "breaking", "compatible"),
        ({"type": "string"}, {"type": "string", "enum": ["x"]}, "breaking", "compatible"),
        ({"maxLength": 9}, {"maxLength": 5}, "breaking", "compatible"),
        ({"minimum": 3}, {"minimum": 1}, "compatible", "breaking"),
        ({"minimum": 3}, {}, "compatible", "breaking"),
        ({"pattern": "a"}, {"pattern": "b"}, "unknown", "unknown"),
        (
            OBJECT,
            {**OBJECT, "properties": MORE},
            "compatible",
            "compatible",
        ),
        (
            CLOSED,
            {**CLOSED, "properties": MORE},
            "compatible",
            "breaking",
        ),
        (OBJECT, {"type": "object"}, "unknown", "compatible"),
        (CLOSED, {"type": "object", "additionalProperties": False}, "breaking", "compatible"),
        (OBJECT, CLOSED, "breaking", "compatible"),
        ({"items": {"type": "string"}}, {"items": {"type": "integer"}}, "breaking", "breaking"),
        (
            {"anyOf": [{"type": "string"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "compatible",
            "breaking",
        ),
        (
            {"allOf": [{"type": "object", "required": ["a"]}]},
            {"type": "object", "required": ["a"]},
            "compatible",
            "compatible",
        ),
        (True, False, "breaking", "compatible"),
    ],
)
def test_a_change_of_a_schema_weighs_by_direction(
    old: Schema, new: Schema, request_verdict: str, response_verdict: str
) -> None:
    assert both(old, new) == (request_verdict, response_verdict)


def test_a_change_is_told_with_its_field_and_place() -> None:
    old = {"type": "object", "properties": {"lines": {"items": {"type": "string"}}}}
    new = {"type": "object", "properties": {"lines": {"items": {"type": "integer"}}}}
    (change,) = compare(
        api_of(document(True, old), "old"),  # type: ignore[arg-type]
        api_of(document(True, new), "new"),  # type: ignore[arg-type]
    )[:1]
    assert change.operation == "POST /orders"
    assert change.place.endswith("/application~1json/schema/properties/lines/items")
    assert change.message == "response 200: lines[]: type string became integer"


def test_schemas_behind_references_are_compared_where_they_are_used() -> None:
    def with_tree(kind: str) -> dict[str, JsonValue]:
        made = document(True, {"$ref": "#/components/schemas/Tree"})
        made["components"] = {
            "schemas": {
                "Tree": {
                    "type": "object",
                    "properties": {
                        "below": {"$ref": "#/components/schemas/Tree"},
                        "leaf": {"type": kind},
                    },
                }
            }
        }
        return made

    assert impacts(with_tree("string"), with_tree("string")) == []
    told = impacts(with_tree("string"), with_tree("integer"))
    assert ("breaking", "response", "response 200: leaf: type string became integer") in told


def test_the_same_contract_in_3_0_and_3_1_is_no_change() -> None:
    old = document({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, True)
    new = document({"type": "integer", "exclusiveMinimum": 0}, True)
    old["openapi"] = "3.0.3"
    old["paths"]["/orders"]["post"]["responses"]["200"].pop("content")  # type: ignore
    new["paths"]["/orders"]["post"]["responses"]["200"].pop("content")  # type: ignore
    assert impacts(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "impact", "message"),
    [
        ({}, {"deprecated": True}, "compatible", "now deprecated"),
        (
            {},
            {"parameters": [{"name": "q", "in": "query", "required": True}]},
            "breaking",
            "required query parameter 'q' added",
        ),
        (
            {},
            {"parameters": [{"name": "q", "in": "query"}]},
            "compatible",
            "optional query parameter 'q' added",
        ),
        (
            {"parameters": [{"name": "X-A", "in": "header"}]},
            {"parameters": [{"name": "x-a", "in": "header", "required": True}]},
            "breaking",
            "header parameter 'x-a' is now required",
        ),
        ({"responses": {"200": {}, "201": {}}}, {"responses": {"201": {}}}, "breaking",
         "response 200 removed"),
        ({"responses": {"404": {}}}, {"responses": {}}, "compatible", "response 404 removed"),
        ({"requestBody": {}}, {"requestBody": {"required": True}}, "breaking",
         "the body is now required"),
        (
            {"responses": {"200": {"content": {"text/csv": {}, "text/html": {}}}}},
            {"responses": {"200": {"content": {"text/html": {}}}}},
            "breaking",
            "response 200: text/csv removed",
        ),
    ],
)  # fmt: skip
def test_a_change_of_an_operation_is_weighed(
    old: dict[str, JsonValue], new: dict[str, JsonValue], impact: str, message: str
) -> None:
    told = impacts(
        {"openapi": "3.1.0", "paths": {"/a": {"get": dict(old)}}},
        {"openapi": "3.1.0", "paths": {"/a": {"get": dict(new)}}},
    )
    assert [(one, said) for one, _, said in told] == [(impact, message)]


def test_routes_come_and_go_and_parameters_may_be_renamed() -> None:
    old: dict[str, JsonValue] = {
        "openapi": "3.1.0",
        "paths": {"/a/{id}": {"get": {}}, "/gone": {"get": {}}},
    }
    new: dict[str, JsonValue] = {
        "openapi": "3.1.0",
        "paths": {"/a/{key}": {"get": {}}, "/new": {"get": {}}},
    }
    assert impacts(old, new) == [
        ("breaking", "route", "operation removed"),
        ("compatible", "route", "operation added"),
    ]
