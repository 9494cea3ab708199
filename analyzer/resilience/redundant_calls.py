"""Finds reads that one trace made again and again with the same parameters.

The same question three times in one trace is the default of perf-sentinel's "redundant" rule.
Where answers are recorded they must not differ; where they are not, somebody may have waited for a
change, so it is only suspected.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import edge_of, facts_of, milliseconds, named, total
from store.conclusions import Verdict

NAME = "redundant_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedundantCallsSettings:
    """How often the same thing must be asked in one trace, and in how many places."""

    calls_min: int = 3
    places_min: int = 3


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(RedundantCallsSettings)
    rows = case.answers["redundant_calls"]
    found = []
    for row in rows:
        if row["places"] < settings.places_min:
            continue
        edge = edge_of(row)
        found.append(
            population_finding(
                NAME,
                subject=edge,
                severity="info",
                verdict=Verdict.SUSPECTED,
                message=f"{named(edge)} asked the same thing again in one trace, up to "
                f"{row['most']} times, in {row['places']} cases; "
                f"{milliseconds(int(row['spent_ns']))} spent on answers known already",
                remedy="Keep the answer for the length of the request, or pass it down.",
                spans=row["sample"],
                facts={
                    **facts_of(edge),
                    "cases": row["places"],
                    "calls": int(row["calls"]),
                    "calls_most": int(row["most"]),
                    "spent_ns": int(row["spent_ns"]),
                },
            )
        )
    examined = total(rows, "examined")
    return Judged(findings=found, examined={"reads with their parameters": examined})


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=RedundantCallsSettings,
    detect=_detect,
)
