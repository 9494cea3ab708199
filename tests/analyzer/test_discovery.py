"""Checks and detectors are found by their place, and all faults are told at once."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.detectors import flow_detectors
from analyzer.discovery import discover, no_twins
from analyzer.sagas.verify import checks
from store.errors import InvariantError


@pytest.fixture
def package(tmp_path: Path) -> Iterator[types.ModuleType]:
    """An importable folder of plug-ins."""
    made = types.ModuleType("plugins_of_a_test")
    made.__path__ = [str(tmp_path)]
    sys.modules[made.__name__] = made
    yield made
    for name in [name for name in sys.modules if name.startswith(made.__name__)]:
        del sys.modules[name]


def test_our_own_checks_are_all_there() -> None:
    assert [check.id for check in checks()] == [f"S{number}" for number in range(1, 15)]
    assert {check.scope for check in checks()} == {"flow"}


def test_our_own_detectors_are_named_after_their_files() -> None:
    names = [detector.name for detector in flow_detectors()]
    assert {"below_threshold_action", "duplicate_effect"} <= set(names)
    root = Path(__file__).parents[2] / "analyzer"
    for name in names:
        assert list(root.rglob(f"{name}.py")), name


def test_all_faults_are_raised_together(package: types.ModuleType, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("WORD = 'x'\n")
    (tmp_path / "silent.py").write_text("OTHER = 1\n")
    (tmp_path / "broken.py").write_text("raise ValueError('no')\n")
    with pytest.raises(InvariantError) as raised:
        discover(package, "WORD", str)
    assert "broken cannot be imported" in str(raised.value)
    assert "silent exports no WORD of type str" in str(raised.value)


def test_plug_ins_come_in_the_order_of_their_names(
    package: types.ModuleType, tmp_path: Path
) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.py").write_text(f"WORD = '{name}'\n")
    assert list(discover(package, "WORD", str)) == ["a", "b"]


def test_two_plug_ins_of_one_name_are_refused() -> None:
    with pytest.raises(InvariantError, match="b and a are both called S1"):
        no_twins({"a": "S1", "b": "S1"})
