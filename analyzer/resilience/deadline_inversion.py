"""Finds inner calls that may last longer than the call they are made in.

A callee that waits longer than its own caller works for nobody (Google SRE book, chapter 22,
"Deadline propagation"). The limits are those recorded as in force, so this is a fact and not an
estimate; an inner limit that only exceeds together with all its retries is suspected.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    population_finding,
)
from analyzer.edges import edge_of, facts_of, named, total
from store.conclusions import Verdict

NAME = "deadline_inversion"
REMEDY = (
    "Hand the caller's remaining time down with the call, and let inner calls, retries included, "
    "end before it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineInversionSettings:
    """How many calls must show it."""

    calls_min: int = 3


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(DeadlineInversionSettings)
    found = []
    for row in case.answers["deadline_inversion"]:
        edge = edge_of(row)
        below = (row["inner_service"], row["inner_callee"], row["inner_operation"])
        if row["inverted"] >= settings.calls_min:
            count, limit, severity, verdict = row["inverted"], row["inner_ms"], "warning", None
            said = f"may take {limit} ms"
        elif row["exceeding"] >= settings.calls_min:
            count, limit, severity = row["exceeding"], row["budget_ms"], "info"
            verdict = Verdict.SUSPECTED
            said = f"may take {limit} ms with all its retries"
        else:
            continue
        found.append(
            population_finding(
                NAME,
                subject=[*edge, *below],
                severity=severity,
                verdict=verdict or Verdict.VIOLATION,
                message=f"{named(below)} {said}, but {named(edge)}, inside which it runs, gives "
                f"up after {row['outer_ms']} ms ({count} of {row['calls']} calls)",
                remedy=REMEDY,
                spans=row["sample"],
                facts={
                    **facts_of(edge),
                    "inner": facts_of(below),
                    "calls": row["calls"],
                    "inverted": row["inverted"],
                    "exceeding_with_retries": row["exceeding"],
                    "outer_limit_ms": row["outer_ms"],
                    "inner_limit_ms": row["inner_ms"],
                    "inner_limit_with_retries_ms": row["budget_ms"],
                },
            )
        )
    counted = case.answers["nested_calls"]
    nested, limited = total(counted, "nested"), total(counted, "limited")
    missing = ["retrospan.call.timeout_ms of inner and outer calls"] if nested > limited else []
    return Judged(
        findings=found,
        examined={"calls inside calls, both with a limit": limited},
        missing=missing,
    )


HERE = Path(__file__)
DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_suffix(".sql"), HERE.with_name("nested_calls.sql")],
    settings=DeadlineInversionSettings,
    detect=_detect,
)
