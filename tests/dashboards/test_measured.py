"""Slices are told apart by intervals of estimates, never by what was merely counted."""

from analyzer.oversight.measure import Measure, share
from analyzer.oversight.report import Sliced
from dashboards.oversight_parts.measured import bounds_text, rows, side_by_side


def of(version: str, measure: Measure) -> Sliced:
    return Sliced(measure=measure, filter={"model": version})


def sum_of(value: float, high: float | None) -> Measure:
    return Measure(
        metric="decision_cost.sum", unit="usd", value=value, n=9, low=value, high=high, counted=True
    )


def test_shares_that_surely_differ_are_marked_and_sums_are_not() -> None:
    found = [
        of("1", share("gate_coverage", 100, 100)), of("2", share("gate_coverage", 20, 100)),
        of("1", sum_of(0.5, 0.5)), of("2", sum_of(9.5, 9.5)),
    ]  # fmt: skip
    table = side_by_side(found)
    assert dict(zip(table["metric"], table[""], strict=True)) == {
        "gate coverage": "◆ differ", "decision cost: sum": "",
    }  # fmt: skip


def test_versions_of_one_model_are_held_against_each_other_and_two_models_are_not() -> None:
    shares = {"fraud@1": 100, "fraud@2": 20, "extract@1": 100}
    found = [of(name, share("gate_coverage", hits, 100)) for name, hits in shares.items()]
    assert list(side_by_side(found)[""]) == ["◆ differ"]
    apart = [one for one in found if one.filter["model"] != "fraud@1"]
    assert "" not in side_by_side(apart).columns


def test_what_was_counted_whole_is_exact_and_else_at_least() -> None:
    assert bounds_text(sum_of(0.5, 0.5)) == "exact"
    assert bounds_text(sum_of(0.5, None)) == "at least 0.5 USD"


def test_the_first_row_of_a_metric_says_what_it_asks() -> None:
    found = [share("gate_coverage", 1, 20, note="of all"), share("gate_coverage.missing", 1, 20)]
    first, second = rows(found)["note"]
    assert first == "actions that a gate let pass before they began; of all"
    assert second == ""
