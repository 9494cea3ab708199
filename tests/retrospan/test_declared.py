"""Declared flows come from the configuration; a fault is told with file and line."""

from pathlib import Path

import pytest

from retrospan.config import load
from retrospan.declared import declared_in, flow_settings, line_of
from store.errors import UsageError

TEXT = """\
[flows]
grace_ns = 5

[declared.payment]
terminal = { paid = "succeeded" }

[[declared.payment.steps]]
name = "reserve"
compensated_by = "release"

[[declared.payment.steps]]
name = "charge"
# pivot = 3
pivot = true

[declared."credit note"]
steps = [
  { name = "book" },
]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "retrospan.toml"
    path.write_text(text)
    return path


def test_declared_flows_reach_the_settings_of_derivation(tmp_path: Path) -> None:
    settings = flow_settings(load(written(tmp_path, TEXT)))
    assert settings.grace_ns == 5
    assert sorted(settings.declared) == ["credit note", "payment"]
    assert [step.role for step in settings.declared["payment"].steps] == ["compensatable", "pivot"]


def test_no_file_declares_nothing() -> None:
    from retrospan.config import Settings

    assert declared_in(Settings()) == {}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("pivot = true", "pivot = 1", 14),
        ("pivot = true", 'compensated_by = "release"', 14),
        ('name = "charge"', 'name = "reserve"', 12),
        ('"succeeded"', '"fine"', 5),
        ('{ name = "book" }', '{ label = "book" }', 17),
        ('name = "reserve"\n', "", 7),
        ('name = "reserve"', 'nom = "reserve"', 8),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = written(tmp_path, TEXT.replace(old, new))
    with pytest.raises(UsageError, match=rf"retrospan.toml, line {line}: "):
        declared_in(load(path))


def test_the_line_of_what_is_nowhere_is_the_closest_around_it() -> None:
    assert line_of(TEXT, ("declared", "payment", "steps", 1, "lock")) == 11
    assert line_of(TEXT, ("declared", "payment", "colour")) == 4
    assert line_of("", ("declared",)) == 1
