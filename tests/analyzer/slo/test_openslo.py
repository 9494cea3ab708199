"""OpenSLO files: what is read, and how the rest is refused."""

from fractions import Fraction
from pathlib import Path

import pytest

from analyzer.slo.model import Method
from analyzer.slo.openslo import read_slos
from store.errors import DataError
from tests.analyzer.slo.documents import SLO, S, read
from tests.third_party import corpora_folder


def test_targets_are_exact_and_the_workbook_gives_the_windows(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO)
    assert slo.objectives[0].target == Fraction(99, 100)
    assert [(rule.severity, rule.threshold, rule.long_ns // S) for rule in slo.rules] == [
        ("page", Fraction(144, 10), 3_600),
        ("page", Fraction(6), 21_600),
        ("ticket", Fraction(1), 259_200),
    ]
    assert [rule.short_ns // S for rule in slo.rules] == [300, 1_800, 21_600]


def test_a_percentage_is_the_same_target(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO.replace("target: 0.99", "targetPercent: 99.95"))
    assert slo.objectives[0].target == Fraction(9995, 10000)


def test_bad_events_instead_of_good_ones_turn_the_predicate_round(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO.replace("        good:", "        bad:"))
    assert slo.good is not None
    assert slo.good.holds({"succeeded": True}) is False


def test_a_threshold_metric_judges_a_number_by_op_and_value(tmp_path: Path) -> None:
    text = SLO[: SLO.index("      ratioMetric")] + (
        "      thresholdMetric:\n"
        "        metricSource:\n"
        "          type: retrospan\n"
        "          spec: {fact: duration_ms, predicate: succeeded}\n"
    )
    text += SLO[SLO.index("  timeWindow") :].replace(
        "target: 0.99", "{op: lt, value: 2000, target: 0.9}"
    )
    slo = read(tmp_path, text)
    assert slo.good is not None
    assert slo.valid is not None
    assert slo.good.holds({"duration_ms": 1999.9}) is True
    assert slo.good.holds({"duration_ms": 2000.0}) is False
    assert slo.valid.names == {"succeeded"}


def test_references_are_looked_up_among_all_files(tmp_path: Path) -> None:
    inline = SLO.index("  indicator:")
    rest = SLO.index("  timeWindow")
    indicator = SLO[inline:rest].replace("  indicator:\n    metadata:\n      name: done\n", "")
    (tmp_path / "a.yaml").write_text(SLO[:inline] + "  indicatorRef: ends-well\n" + SLO[rest:])
    (tmp_path / "b.yml").write_text(
        "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: ends-well}\n"
        + "\n".join(row.removeprefix("    ") for row in indicator.splitlines())
    )
    (slo,) = read_slos([tmp_path])
    assert slo.good is not None
    with pytest.raises(DataError, match=r"a\.yaml:7: SLO done: SLI 'ends-well' is in no file"):
        read_slos([tmp_path / "a.yaml"])


def test_v2alpha_names_are_read_as_the_same_thing(tmp_path: Path) -> None:
    text = (
        SLO.replace("openslo/v1", "openslo.com/v2alpha")
        .replace("  indicator:", "  sli:")
        .replace(
            "          metricSource:\n            type: retrospan\n            spec:\n  ",
            "          type: retrospan\n          spec:\n",
        )
    )
    slo = read(tmp_path, text)
    assert slo.good is not None
    assert slo.good.text == "succeeded"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target: 0.99", "target: 1", r":27: SLO done: target 1 is not in \[0, 1\)"),
        ("target: 0.99", "target: 0.9\n      targetPercent: 90", "target or targetPercent"),
        ("budgetingMethod: Occurrences", "budgetingMethod: Often", ":25: .*'Often'"),
        ("isRolling: true", "isRolling: false", "isRolling"),
        ("duration: 30d", "duration: 1M", "no fixed length"),
        ("duration: 30d", "duration: soon", "no duration"),
        ("  name: done\nspec", "  name: Done It\nspec", "small letters"),
        ("  service: shop", "  serviec: shop", ":6: .*may not have serviec"),
        ("predicate: succeeded", "predicate: suceeded", r":16: .*did you mean succeeded"),
        ("kind: SLO", "kind: Objective", "there are AlertCondition"),
        ("openslo/v1", "openslo/v9", "apiVersion"),
        ("  service: shop", "  service: shop\n  service: shop", "given twice"),
        ("  service: shop", "  service: &name shop\n  description: *name", "aliases"),
        ("target: 0.99", "target: 0.99\n  - ]", "no YAML"),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SLO
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path, SLO.replace(old, new))
    assert str(tmp_path / "slo.yaml") in str(caught.value)


def test_a_shared_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SLO)
    (tmp_path / "b.yaml").write_text(SLO)
    with pytest.raises(DataError, match="SLO done is also in"):
        read_slos([tmp_path])


@pytest.mark.corpora
def test_published_examples_are_read_and_the_known_bad_ones_refused() -> None:
    folder = corpora_folder() / "slo"
    examples = sorted((folder / "OpenSLO+OpenSLO" / "examples").rglob("*.yaml"))
    assert len(examples) == 4
    read_examples = [slo for path in examples for slo in read_slos([path])]
    assert [slo.method for slo in read_examples] == [
        Method.OCCURRENCES,
        Method.RATIO_TIMESLICES,
        Method.TIMESLICES,
        Method.TIMESLICES,
    ]
    assert all(slo.source == "Any" and slo.good is None for slo in read_examples)
    for name in ("unknown-field", "invalid-apiversion", "v1alpha"):
        with pytest.raises(DataError):
            read_slos([folder / "OpenSLO+oslo" / "test" / "inputs" / "validate" / f"{name}.yaml"])
