"""Metrics in Prometheus' text format, version 0.0.4.

In: families of samples. Out: text. Label values may hold anything a stranger wrote: backslash,
quote and line feed are escaped as the format asks (prometheus.io, "Exposition formats").
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value under its labels."""

    labels: Mapping[str, str]
    value: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All samples of one name; `kind` is counter or gauge."""

    name: str
    kind: str
    meaning: str
    samples: Sequence[Sample]


def exposition(families: Sequence[Family]) -> str:
    """The families as text; a family without samples is named all the same."""
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escaped(family.meaning)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += [f"{family.name}{_labels(it.labels)} {_number(it.value)}" for it in family.samples]
    return "\n".join(lines) + "\n" if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    for name in labels:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a label")
    inner = ",".join(
        f'{name}="{_escaped(value, quoted=True)}"' for name, value in sorted(labels.items())
    )
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str, *, quoted: bool = False) -> str:
    plain = text.encode("utf-8", "replace").decode()  # a lone surrogate is no text
    plain = plain.replace("\\", "\\\\").replace("\n", "\\n")
    return plain.replace('"', '\\"') if quoted else plain


def _number(value: Fraction) -> str:
    """Whole numbers as they are, others with the shortest digits that give them back."""
    whole = value.denominator == 1
    return str(value.numerator) if whole else repr(value.numerator / value.denominator)
