"""Metrics as text, and counters that never fall."""

import subprocess
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.slo.counters import Counter, advanced
from analyzer.slo.export.text import Family, Sample, exposition
from tests.third_party import program

HOSTILE = 'a"b\\c\nd{}= é \ud800'


def family(value: Fraction, **labels: str) -> Family:
    return Family(
        name="retrospan_test_flows_total",
        kind="counter",
        meaning="Flows\nof a test.",
        samples=[Sample(labels=labels, value=value)],
    )


def test_hostile_label_values_stay_one_value_on_one_line() -> None:
    text = exposition([family(Fraction(3), slo=HOSTILE, a="b")])
    assert text.splitlines()[2] == (
        'retrospan_test_flows_total{a="b",slo="a\\"b\\\\c\\nd{}= é ?"} 3'
    )
    assert text.splitlines()[0] == "# HELP retrospan_test_flows_total Flows\\nof a test."


def test_prometheus_own_tool_takes_the_text() -> None:
    promtool = program("promtool", "prometheus")
    text = exposition([family(Fraction(1, 3), slo=HOSTILE)])
    run = subprocess.run(
        [promtool, "check", "metrics"],
        input=text.encode("utf-8"),
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_label_that_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no name of a label"):
        exposition([family(Fraction(1), **{"a b": "c"})])


def test_a_counter_goes_on_after_a_purge() -> None:
    key = ("slo", "shop", "good")
    counters: dict[tuple[str, str, str], Counter] = {}
    told = []
    for count in (10, 12, 4, 4, 9):
        counters = advanced(counters, {key: Fraction(count)})
        told.append(counters[key].total)
    assert told == [10, 12, 12, 12, 17]


def test_an_slo_that_is_gone_keeps_its_counter() -> None:
    kept = {("old", "shop", "bad"): Counter(total=Fraction(5), seen=Fraction(5))}
    found = advanced(kept, {("new", "shop", "bad"): Fraction(1)})
    assert found["old", "shop", "bad"].total == 5
    assert found["new", "shop", "bad"].total == 1


@given(st.lists(st.fractions(min_value=0, max_value=100), max_size=20))
def test_a_counter_never_falls_and_never_outruns_what_came(counts: list[Fraction]) -> None:
    counter, before, risen = Counter(), Fraction(0), Fraction(0)
    for count in counts:
        risen += max(Fraction(0), count - counter.seen)
        counter = counter.up_to(count)
        assert counter.total >= before
        before = counter.total
    assert counter.total == risen
