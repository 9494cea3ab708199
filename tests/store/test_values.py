"""Attribute values survive as JSON text."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import DataError
from store.values import NESTING_MAX, from_json, to_json

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["$map", "$bytes", "$double"]), inner)
    ),
    max_leaves=12,
)


def typed(value: Any) -> Any:
    """The value with its types spelled out, because 1 == 1.0 == True."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, repr(value)


@given(VALUES)
def test_every_value_comes_back_with_its_type(value: Any) -> None:
    assert typed(from_json(to_json(value))) == typed(value)


@given(VALUES)
def test_the_text_is_plain_json_that_sql_can_read(value: Any) -> None:
    json.loads(to_json(value), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_not_a_number_comes_back() -> None:
    assert math.isnan(from_json(to_json(math.nan)))
    assert from_json(to_json([-math.inf, {"a": math.inf}])) == [-math.inf, {"a": math.inf}]


def test_a_recorded_map_that_looks_like_an_encoding_stays_a_map() -> None:
    for hostile in ({"$bytes": "AA=="}, {"$map": {"$double": "NaN"}}, {"$bytes": 1}, {"$": None}):
        assert from_json(to_json({"attribute": hostile})) == {"attribute": hostile}
        assert from_json(to_json(hostile)) == hostile


def test_equal_maps_give_equal_text_whatever_their_order() -> None:
    assert to_json({"b": 1, "a": {"d": 2, "c": 3}}) == to_json({"a": {"c": 3, "d": 2}, "b": 1})


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a", "\ud800"], {"a": {1}}, object()])
def test_what_cannot_be_kept_is_refused_in_words(value: object) -> None:
    with pytest.raises(DataError, match="cannot be stored"):
        to_json(value)


def test_nesting_beyond_the_limit_is_refused() -> None:
    value: Any = 1
    for _ in range(NESTING_MAX + 5):
        value = [value]
    with pytest.raises(DataError, match="nested deeper"):
        to_json(value)
