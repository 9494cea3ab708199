"""Log lines that were not there before, or come far more often."""

from collections import Counter
from math import sqrt
from typing import Final

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import ERROR_SEVERITY, WARN_SEVERITY, Case

LINES_MIN: Final = 2


def find(case: Case) -> list[Clue] | None:
    """Templates of warnings and errors with more lines than their usual rate explains."""
    if not case.incident.lines or not case.baseline.lines:
        return None
    before: Counter[tuple[str, str]] = Counter()
    during: Counter[tuple[str, str]] = Counter()
    severity: dict[tuple[str, str], int] = {}
    for line in case.baseline.lines:
        before[line.service, line.template] += 1
    for line in case.incident.lines:
        key = (line.service, line.template)
        during[key] += 1
        severity[key] = max(severity.get(key, 0), line.severity)
    # log records are the clock: windows differ in length and load
    scale = len(case.incident.lines) / len(case.baseline.lines)
    found: list[tuple[tuple[str, str], float]] = []
    for key, count in sorted(during.items()):
        usual = before[key] * scale
        if severity[key] >= WARN_SEVERITY and count >= LINES_MIN:
            more = count - usual
            if more / sqrt(usual + 1) >= 3:
                found.append((key, more * _weight(severity[key], before[key])))
    # an unwritten line more keeps one odd line from standing for everything
    whole = 1 + sum(more for _, more in found)
    return [
        Clue(
            kind="service",
            name=key[0],
            service=key[0],
            value=more / whole * _weight(severity[key], before[key]),
            n=during[key],
            detail=f"{during[key]} lines {key[1][:120]!r}, {before[key]} before",
        )
        for key, more in found
    ]


def _weight(severity: int, before: int) -> float:
    """Errors tell more than warnings, and what was never there more than what grew."""
    return (1.0 if severity >= ERROR_SEVERITY else 0.4) * (1.0 if before == 0 else 0.4)


PART = Part(
    name="new_logs",
    weight=0.5,
    source="Poisson: more lines than the baseline's rate explains",
    find=find,
)
