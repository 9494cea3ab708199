"""What decisions cost: prices by model and day, unknown where nobody said."""

from fractions import Fraction
from pathlib import Path

import pytest

from analyzer.cost.prices import NO_PRICES, Prices, Usage, read_prices
from analyzer.cost.spent import FlowUse, Use, spending
from store.errors import DataError
from tests.analyzer.scorecard.facts import flow

FILE = """\
schema = "retrospan.prices/1"
version = "7"
currency = "USD"
[[models]]
model = "small"
since = 2026-01-01
input = "1"
output = "4"
cache_read = "0.5"
[[models]]
model = "small"
since = 2026-06-01
input = "2"
output = "4"
[[models]]
model = "small@9"
since = 2026-01-01
input = "0"
output = "0"
"""
JANUARY, JULY = 1_767_225_600 * 10**9, 1_782_864_000 * 10**9


def prices(tmp_path: Path, text: str = FILE) -> Prices:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    return read_prices(path)


def test_the_latest_price_before_the_decision_counts(tmp_path: Path) -> None:
    known = prices(tmp_path)
    usage = Usage(input=1_000, output=10)
    assert known.cost("small", None, JANUARY, usage) == Fraction(1_040, 1_000_000)
    assert known.cost("small", "3", JULY, usage) == Fraction(2_040, 1_000_000)
    assert known.cost("small", None, JANUARY - 1, usage) is None


def test_a_version_with_its_own_price_and_cached_tokens(tmp_path: Path) -> None:
    known = prices(tmp_path)
    assert known.cost("small", "9", JULY, Usage(input=5, output=5)) == 0
    cached = Usage(input=1_000, output=0, cache_read=400)
    assert known.cost("small", None, JANUARY, cached) == Fraction(800, 1_000_000)


def test_an_unknown_model_has_no_price(tmp_path: Path) -> None:
    assert prices(tmp_path).cost("large", None, JULY, Usage(input=1, output=1)) is None
    assert NO_PRICES.cost("small", None, JULY, Usage(input=1, output=1)) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("retrospan.prices/1", "prices/9", "schema is 'prices/9'"),
        ('input = "1"', 'input = "free"', "entry 1: input must be a number"),
        ('input = "1"', 'input = "-1"', "entry 1: input must be 0 or more"),
        ('output = "4"\ncache', "cache", "entry 1: output is missing"),
        ("since = 2026-06-01", "since = 2026-01-01", "two prices since the same day"),
        ("since = 2026-06-01", "since = 5", "entry 2: since must be a date"),
        ("cache_read", "cached", "entry 1 may not have cached"),
    ],
)
def test_a_bad_price_file_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        prices(tmp_path, FILE.replace(old, new))


def use(cost: int | None, model: str = "small") -> Use:
    return Use(
        model=model,
        input_tokens=10,
        output_tokens=1,
        cost=None if cost is None else Fraction(cost),
        source="unknown" if cost is None else "priced",
        latency_ns=5,
    )


def test_a_flow_with_an_unknown_part_costs_unknown_and_never_zero() -> None:
    flows = [flow(1), flow(2, "failed"), flow(3), flow(4), flow(5)]
    uses = {
        "f001": FlowUse(uses=(use(3), use(1)), uncounted_calls=0),
        "f002": FlowUse(uses=(use(2),), uncounted_calls=0),
        "f003": FlowUse(uses=(use(5), use(None, "large")), uncounted_calls=0),
        "f004": FlowUse(uses=(use(1),), uncounted_calls=1),
    }
    found = spending(flows, uses)
    assert (found.flows, found.unknown, found.succeeded) == (3, 2, 2)
    assert (found.total, found.per_flow, found.per_success) == tuple(map(Fraction, (6, 2, 3)))
    assert found.dearest_flow_ids == ["f001", "f002"]
    assert [(it.model, it.cost, it.unknown) for it in found.models] == [
        ("large", Fraction(0), 1),
        ("small", Fraction(12), 0),
    ]


def test_nothing_known_has_no_mean() -> None:
    found = spending([flow(1)], {"f001": FlowUse(uses=(use(None),), uncounted_calls=0)})
    assert (found.flows, found.per_flow, found.per_success, found.p95) == (0, None, None, None)
