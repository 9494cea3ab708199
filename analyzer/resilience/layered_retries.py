"""Finds retries inside retries, where attempts multiply with each layer.

Three attempts at each of k layers are 3^k at the bottom; with four, three layers make 64 (Google
SRE book, chapter 22). One call of the outermost caller is the unit.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import edge_of, facts_of, named, total

NAME = "layered_retries"
REMEDY = (
    "Retry at one layer only; let inner layers answer with an error that says not to retry, or "
    "share one retry budget."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayeredRetriesSettings:
    """How often retries must have met inside retries before it is told."""

    cases_min: int = 3


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(LayeredRetriesSettings)
    rows = case.answers["layered_retries"]
    found = []
    for row in rows:
        if row["cases"] < settings.cases_min:
            continue
        edge = edge_of(row)
        below = (row["inner_service"], row["inner_callee"], row["inner_operation"])
        found.append(
            population_finding(
                NAME,
                subject=[*edge, *below],
                severity="warning",
                verdict=case.sure(),
                message=f"{named(edge)} was retried, and so was {named(below)} inside it: one "
                f"call became up to {row['inner_most']} calls at {below[1]} (in {row['cases']} "
                f"calls: {row['outer_attempts']} attempts outside, {row['inner_attempts']} inside)",
                remedy=REMEDY,
                spans=row["sample"],
                facts={
                    **facts_of(edge),
                    "inner": facts_of(below),
                    "cases": row["cases"],
                    "outer_attempts": int(row["outer_attempts"]),
                    "inner_attempts": int(row["inner_attempts"]),
                    "inner_attempts_most": int(row["inner_most"]),
                },
            )
        )
    calls = case.answers["nested_calls"]
    return Judged(findings=found, examined={"calls inside calls": total(calls, "nested")})


HERE = Path(__file__)
DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_suffix(".sql"), HERE.with_name("nested_calls.sql")],
    settings=LayeredRetriesSettings,
    detect=_detect,
)
