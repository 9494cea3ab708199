"""Time range, environment and service: what an address means and what it narrows."""

import polars as pl
import pytest

from dashboards.scope import Scope, scope_of

SECOND = 1_000_000_000
END_NS = 1_795_000_000 * SECOND
FLOWS = pl.DataFrame(
    {
        "flow_id": ["a", "b", "c"],
        "start_ns": [END_NS - 7200 * SECOND, END_NS - 3600 * SECOND, END_NS],
        "services": [["shop"], ["shop", "bank"], ["bank"]],
        "environments": [["production"], ["staging"], []],
    },
    schema_overrides={"environments": pl.List(pl.String)},
)


def kept(**values: list[str]) -> list[str]:
    renamed = {name.removesuffix("_"): given for name, given in values.items()}
    return list(scope_of(renamed, END_NS).narrowed(FLOWS)["flow_id"])


def test_an_address_without_a_scope_narrows_nothing() -> None:
    scope = scope_of({}, END_NS)
    assert not scope.narrow
    assert scope.narrowed(FLOWS).height == 3
    assert (scope.address(), scope.as_options()) == ({}, [])


def test_a_length_counts_from_the_end_of_the_data_and_takes_its_first_moment_in() -> None:
    assert kept(from_=["1h"]) == ["b", "c"]
    assert kept(from_=["2h"], to=["1h"]) == ["a"]


def test_values_of_one_name_widen_and_names_narrow_each_other() -> None:
    assert kept(service=["shop", "bank"]) == ["a", "b", "c"]
    assert kept(service=["bank"], env=["staging"]) == ["b"]
    assert kept(env=["nowhere"]) == []


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00:00Z", "<script>", "9" * 500])
def test_a_time_that_is_none_is_said_and_narrows_nothing(text: str) -> None:
    scope = scope_of({"from": [text]}, END_NS)
    assert not scope.narrow
    assert "narrows nothing" in scope.faults[0]
    assert scope.as_options() == []


def test_a_length_without_data_is_said() -> None:
    assert "no end to count from" in scope_of({"from": ["1h"]}, None).faults[0]


def test_a_range_that_ends_before_it_begins_finds_nothing_and_says_so() -> None:
    scope = scope_of({"from": ["1h"], "to": ["2h"]}, END_NS)
    assert scope.narrowed(FLOWS).is_empty()
    assert "ends before it begins" in scope.faults[0]


def test_the_options_of_the_command_say_the_same() -> None:
    scope = scope_of({"from": ["2h"], "env": ["staging"], "service": ["bank"]}, END_NS)
    assert scope.as_options() == [
        "--since", "2h", "--service", "bank", "--where", "deployment.environment.name=staging",
    ]  # fmt: skip
    assert scope_of({"from": ["2h"]}, END_NS).holds(END_NS)
    assert not Scope(since_ns=END_NS + 1).holds(END_NS)
