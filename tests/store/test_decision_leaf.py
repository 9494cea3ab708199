"""Leaves of the decision log: one per record, kept while fields go."""

import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from store import decision_leaf
from store.decision_leaf import canonical, commitment, commitments, field_salt, leaf, leaf_of
from store.model import JsonValue

SALT = bytes(range(32))
RECORD: dict[str, JsonValue] = {
    "decision_id": "d-1",
    "chosen": "approve",
    "confidence": 0.42,
    "input": {"iban": "DE00", "amount": 12},
}
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_a_field_that_was_taken_away_leaves_the_leaf_as_it_was() -> None:
    kept = {name: value for name, value in RECORD.items() if name != "input"}
    fields = commitments(kept, SALT) | {"input": commitments(RECORD, SALT)["input"]}
    assert leaf(fields) == leaf_of(RECORD, SALT)


def test_one_field_can_be_shown_alone_by_its_own_salt() -> None:
    shown = commitment("approve", field_salt(SALT, "chosen"))
    assert shown == commitments(RECORD, SALT)["chosen"]
    assert shown != commitment("approve", field_salt(SALT, "input"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("chosen", "decline"), ("confidence", 0.43), ("confidence", "0.42"), ("extra", None)],
)
def test_any_change_changes_the_leaf(name: str, value: JsonValue) -> None:
    assert leaf_of({**RECORD, name: value}, SALT) != leaf_of(RECORD, SALT)


def test_the_order_of_fields_does_not() -> None:
    assert leaf_of(dict(reversed(RECORD.items())), SALT) == leaf_of(RECORD, SALT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (2**53, 2**53 + 1),
        (2**60, "int:1152921504606846976"),
        (float("nan"), "number:nan"),
        ("text:x", "x"),
        ("\ud800", "\ud801"),
        ("\ud800", "text:eda080"),
        (None, "null"),
        (True, 1.5),
    ],
)
def test_values_that_differ_have_different_bytes(one: JsonValue, other: JsonValue) -> None:
    assert canonical(one) != canonical(other)


@given(JSON)
def test_every_value_that_a_record_can_hold_has_canonical_bytes(value: JsonValue) -> None:
    assert canonical(value) == canonical(json.loads(json.dumps(value)))


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=6)
        | st.sampled_from(["int:1", "text:", "\x7f", "\x00", '"', "0.1"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=4) | st.sampled_from(["b", "a", "int:"]), inner)
        ),
        max_leaves=6,
    )
)
def test_the_short_way_gives_the_bytes_of_the_long_way(value: JsonValue) -> None:
    assert decision_leaf.canonical(value) == rfc8785.dumps(decision_leaf._tagged(value))


@pytest.mark.parametrize(
    "number",
    [0.5, 0.1 + 0.2, 1e-4, 0.00012345678901234567, 99999999999999.9, 1 / 3, -2.5, 1e13 / 3],
)
def test_doubles_that_are_written_the_short_way_are_written_as_ecmascript_does(
    number: float,
) -> None:
    assert decision_leaf._is_plain(number)
    assert decision_leaf.canonical(number) == rfc8785.dumps(number)
