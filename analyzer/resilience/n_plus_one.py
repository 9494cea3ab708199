"""Finds places that ask for many things one by one where one call would do.

Rule of Sentry's performance issue "N+1 Queries": more than 5 like spans below one parent, one
after the other, more than 50 ms in all. Retries and calls that failed do not count.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import edge_of, facts_of, milliseconds, named, total
from store.conclusions import Verdict

NAME = "n_plus_one"


@dataclass(frozen=True, slots=True, kw_only=True)
class NPlusOneSettings:
    """Sentry's limits: more than so many calls, more than so long in all."""

    calls_min: int = 5
    total_ns_min: int = 50_000_000


def _detect(case: PopulationCase) -> Judged:
    rows = case.answers["n_plus_one"]
    found = []
    for row in rows:
        if not row["places"]:
            continue
        edge = edge_of(row)
        each = int(row["total_ns"]) // row["places"]
        found.append(
            population_finding(
                NAME,
                subject=edge,
                severity="warning",
                verdict=Verdict.VIOLATION,
                message=f"{named(edge)}: {row['places']} times in a row one by one, up to "
                f"{row['most']} calls, {milliseconds(each)} each time on average",
                remedy="Ask for all at once: a join, an IN list, or a batch endpoint.",
                spans=row["sample"],
                facts={
                    **facts_of(edge),
                    "places": row["places"],
                    "calls": int(row["calls"]),
                    "calls_most": int(row["most"]),
                    "total_ns": int(row["total_ns"]),
                },
            )
        )
    return Judged(findings=found, examined={"client spans": total(rows, "examined")})


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=NPlusOneSettings,
    detect=_detect,
)
