"""Time range, environment and service: what an address means and what it narrows."""

import pytest

from dashboards import data
from dashboards.scope import ALL, Scope, scope_of
from dashboards.serve import STORE_VARIABLE
from store.lease import Store

SECOND = 1_000_000_000
END_NS = 1_795_000_000 * SECOND
FLOWS: tuple[tuple[str, int, list[str], list[str]], ...] = (
    ("a", END_NS - 7200 * SECOND, ["shop"], ["production"]),
    ("b", END_NS - 3600 * SECOND, ["shop", "bank"], ["staging"]),
    ("c", END_NS, ["bank"], []),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with nothing but the heads of three flows."""
    made = Store(tmp_path_factory.mktemp("scope") / "scope.duckdb")
    with made.lease("test", create=True) as session:
        for row in FLOWS:
            session.cursor.execute(
                "INSERT INTO flow_heads BY NAME "
                "SELECT $1 AS flow_id, $2 AS start_ns, $3 AS services, $4 AS environments",
                list(row),
            )
    return made


@pytest.fixture(autouse=True)
def served(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(store.path))


def kept(**values: list[str]) -> list[str]:
    renamed = {name.removesuffix("_"): given for name, given in values.items()}
    return sorted(data.overview(scope_of(renamed, END_NS)).flows["flow_id"])


def test_an_address_without_a_scope_narrows_nothing() -> None:
    scope = scope_of({}, END_NS)
    assert not scope.narrow
    assert data.overview(scope).flows.height == data.flow_count(scope) == 3
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
    assert data.overview(scope).flows.is_empty()
    assert "ends before it begins" in scope.faults[0]


def test_the_options_of_the_command_say_the_same() -> None:
    scope = scope_of({"from": ["2h"], "env": ["staging"], "service": ["bank"]}, END_NS)
    assert scope.as_options() == [
        "--since", "2h", "--service", "bank", "--where", "deployment.environment.name=staging",
    ]  # fmt: skip


def test_a_range_that_was_not_asked_for_opens_where_it_is_answered_soon() -> None:
    scope = scope_of({}, END_NS, lambda until_ns: data.opens_at(1, until_ns))
    assert scope.opened
    assert list(data.overview(scope).flows["flow_id"]) == ["c"]
    assert scope.as_options() == ["--since", "2026-11-18T10:06:40.000000001Z"]
    before = scope_of({"to": ["1s"]}, END_NS, lambda until_ns: data.opens_at(1, until_ns))
    assert list(data.overview(before).flows["flow_id"]) == ["b"]


def test_all_of_the_data_is_looked_at_when_asked_for() -> None:
    scope = scope_of({"from": [ALL]}, END_NS, lambda until_ns: data.opens_at(1, until_ns))
    assert (scope.since_ns, scope.opened, scope.narrow) == (None, False, False)
    assert scope.as_options() == []


def test_a_range_within_another_ends_with_the_earlier_end() -> None:
    scope = Scope(since_ns=10, until_ns=None).within(5, 20)
    assert (scope.since_ns, scope.until_ns) == (10, 20)
    assert (Scope(until_ns=15).within(5, 20).until_ns) == 15
