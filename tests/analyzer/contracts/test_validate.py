"""Bodies against schemas: what breaks them, what is in doubt, what cannot do harm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.contracts.references import root
from analyzer.contracts.schemas import Direction
from analyzer.contracts.validate import Judged, Validator
from store.errors import DataError
from store.model import JsonValue


def judge(
    schema: JsonValue,
    body: JsonValue,
    *,
    is_30: bool = True,
    direction: Direction = "request",
    **others: JsonValue,
) -> Judged:
    document: dict[str, JsonValue] = {"schema": schema, **others}
    return Validator(is_30).judge(root(document, "api").at("schema"), direction, body)


def said(judged: Judged) -> list[str]:
    return [f"{fault.path} {fault.message}" for fault in judged.faults]


ORDER: JsonValue = {
    "type": "object",
    "required": ["id", "items"],
    "properties": {
        "id": {"type": "string", "pattern": "^o-[0-9]+$"},
        "items": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
        "kind": {"enum": ["a", "b"]},
    },
    "additionalProperties": False,
}


def test_a_body_that_fits_breaks_nothing() -> None:
    assert judge(ORDER, {"id": "o-1", "items": [{"sku": "x"}], "kind": "a"}) == Judged()


def test_each_fault_is_told_with_its_path() -> None:
    body: JsonValue = {"id": "x", "items": [{"sku": "x"}, {}], "kind": "c", "more": 1}
    assert said(judge(ORDER, body)) == [
        "(the body) has a property the schema does not allow: 'more' was unexpected)",
        "id does not match the pattern ^o-[0-9]+$",
        "items[] lacks 'sku'",
        "kind is none of the 2 values listed",
    ]
    assert said(judge(ORDER, [])) == ["(the body) is array, not object"]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "nullable": True}, [None, "x"], [1]),
        ({"enum": ["a"], "nullable": True}, [None, "a"], ["b"]),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, [1], [0]),
        ({"type": "integer", "maximum": 9, "exclusiveMaximum": False}, [9], [10]),
        ({"$ref": "#/other", "type": "string"}, [1], ["x"]),
        ({"allOf": [{"$ref": "#/other"}], "nullable": True}, [None, 1], ["x"]),
    ],
)
def test_openapi_3_0_has_words_of_its_own(
    schema: JsonValue, good: list[JsonValue], bad: list[JsonValue]
) -> None:
    for body in good:
        assert judge(schema, body, other={"type": "integer"}) == Judged(), body
    for body in bad:
        assert judge(schema, body, other={"type": "integer"}).faults, body


def test_openapi_3_1_is_json_schema() -> None:
    schema: JsonValue = {"type": ["string", "null"], "$ref": "#/other"}
    assert judge(schema, None, is_30=False, other=True) == Judged()
    assert judge(schema, "x", is_30=False, other={"minLength": 2}).faults
    assert judge({"exclusiveMinimum": 3}, 3, is_30=False).faults


def test_read_only_properties_are_not_asked_of_requests() -> None:
    schema: JsonValue = {
        "type": "object",
        "required": ["id", "secret"],
        "properties": {"id": {"readOnly": True}, "secret": {"writeOnly": True}},
    }
    assert said(judge(schema, {})) == ["(the body) lacks 'secret'"]
    assert said(judge(schema, {}, direction="response")) == ["(the body) lacks 'id'"]


def test_a_schema_that_holds_itself_is_followed_as_deep_as_the_body() -> None:
    tree: JsonValue = {
        "type": "object",
        "properties": {"below": {"$ref": "#/schema"}, "n": {"type": "integer"}},
    }
    assert judge(tree, {"below": {"below": {"n": 1}}}) == Judged()
    assert said(judge(tree, {"below": {"below": {"n": "x"}}})) == [
        "below.below.n is string, not integer"
    ]


def test_a_schema_that_goes_in_circles_is_not_decided() -> None:
    around: JsonValue = {"allOf": [{"$ref": "#/schema"}]}
    assert "too often" in judge(around, 1).doubt


def test_references_that_multiply_are_not_followed_for_ever() -> None:
    chain: dict[str, Any] = {
        f"s{n}": {"allOf": [{"$ref": f"#/s{n + 1}"}, {"$ref": f"#/s{n + 1}"}]} for n in range(40)
    }
    judged = judge({"$ref": "#/s0"}, 1, s40={"type": "integer"}, **chain)
    assert "too often" in judged.doubt


def test_a_pattern_cannot_hang() -> None:
    """Backtracking would take 2^40 steps; and what only backtracking can do is not checked."""
    assert judge({"pattern": "^(a+)+$"}, "a" * 40 + "!").faults
    assert judge({"pattern": "^(?=x)y$"}, "anything") == Judged()


def test_a_redacted_value_accuses_nobody() -> None:
    token = "[redacted:0123456789ab]"
    assert judge({"type": "integer"}, token).doubt == "a value was redacted"
    body: JsonValue = {"id": token, "items": []}
    assert judge(ORDER, body) == Judged(doubt="a value was redacted")
    mixed = judge(ORDER, {"id": token, "items": 3})
    assert said(mixed) == ["items is integer, not array"]


@pytest.mark.parametrize(
    ("schema", "is_30", "reason"),
    [
        ({"type": "text"}, True, "#/schema/type: no type 'text'"),
        ({"$ref": "other.json"}, True, "leaves the file"),
        ({"properties": {"a": 3}}, True, "#/schema/properties/a: a schema must be a map"),
        ({"enum": 3}, True, "must be a list"),
        ({"minimum": "3"}, True, "must be a number"),
        ({"multipleOf": 0}, True, "must not be 0"),
        ({"exclusiveMinimum": 3}, True, "true or false in OpenAPI 3.0"),
        ({"exclusiveMinimum": True}, False, "a number in OpenAPI 3.1"),
        ({"$id": "x"}, False, r"\$id is not read"),
        ({"required": True}, True, "list of names"),
    ],
)
def test_a_schema_that_cannot_be_read_is_named(schema: JsonValue, is_30: bool, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        judge(schema, {}, is_30=is_30)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "string", "object"]),
    lambda below: (
        st.lists(below, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type", "properties", "items", "enum", "allOf", "oneOf", "required", "minimum",
                    "nullable", "maxLength", "minItems", "const", "pattern", "uniqueItems", "not",
                    "minProperties", "dependentRequired", "contains", "minContains",
                ]
            ),
            below,
            max_size=3,
        )
    ),
    max_leaves=8,
)  # fmt: skip


@given(VALUES, VALUES, st.booleans())
def test_any_schema_judges_any_body_or_is_refused(
    schema: JsonValue, body: JsonValue, is_30: bool
) -> None:
    try:
        judged = judge(schema, body, is_30=is_30)
    except DataError as error:
        assert str(error).startswith("api: ")
    else:
        assert judged == judge(schema, body, is_30=is_30)
