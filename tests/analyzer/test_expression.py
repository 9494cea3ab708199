"""Predicates of strangers over the facts of flows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.expression import CHARACTERS_MAX, compiled
from store.errors import UsageError

KNOWN = ("succeeded", "duration_ms", "violations", "name")


@pytest.mark.parametrize(
    ("text", "facts", "answer"),
    [
        ("succeeded && duration_ms < 2000.0", {"succeeded": True, "duration_ms": 3.5}, True),
        ("succeeded && duration_ms < 2000.0", {"succeeded": False, "duration_ms": None}, False),
        ("succeeded && duration_ms < 2000.0", {"succeeded": True, "duration_ms": None}, None),
        ("duration_ms < 2000.0 && succeeded", {"succeeded": False, "duration_ms": None}, False),
        ("succeeded || duration_ms < 2.0", {"succeeded": True}, True),
        ("size(violations) == 0", {"violations": []}, True),
        ("violations.exists(it, it == 'S1')", {"violations": ["S3", "S1"]}, True),
        ("!('S1' in violations)", {"violations": ["S1"]}, False),
        ("name.startsWith('pay')", {"name": "payment"}, True),
    ],
)
def test_an_unknown_fact_is_unknown_only_where_the_answer_needs_it(
    text: str, facts: dict[str, object], answer: bool | None
) -> None:
    assert compiled(text, KNOWN).holds(facts) is answer  # type: ignore[arg-type]


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match="did you mean succeeded"):
        compiled("suceeded", KNOWN)


@pytest.mark.parametrize("text", ["succeeded &&", "(", "__import__('os')", "open(name)", ""])
def test_what_is_no_predicate_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        compiled(text, KNOWN)


def test_a_text_beyond_the_limits_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(UsageError, match="characters"):
        compiled("x" * (CHARACTERS_MAX + 1), KNOWN)
    with pytest.raises(UsageError, match="nested"):
        compiled("(" * 500 + "succeeded" + ")" * 500, KNOWN)


def test_a_comparison_of_text_with_a_number_names_the_fault() -> None:
    with pytest.raises(UsageError, match="name < 3"):
        compiled("name < 3", KNOWN).holds({"name": "payment"})


def test_a_number_is_no_answer() -> None:
    with pytest.raises(UsageError, match="not true or false"):
        compiled("duration_ms + 1.0", KNOWN).holds({"duration_ms": 1.0})


@given(st.text(max_size=60))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        compiled(text, KNOWN)
    except UsageError as error:
        assert str(error)
