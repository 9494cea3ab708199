"""Finds places that had very many calls open at once.

With n calls side by side the slowest decides: at 100, one call in a hundred being slow makes most
requests slow (Dean & Barroso, "The Tail at Scale", CACM 2013); and one request becomes a burst.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import total
from store.conclusions import Verdict

NAME = "fan_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOutSettings:
    """How many calls open at once are many (perf-sentinel's default is 20)."""

    at_once_min: int = 20


def _detect(case: PopulationCase) -> Judged:
    rows = case.answers["fan_out"]
    found = [
        population_finding(
            NAME,
            subject=[row["service"]],
            severity="info",
            verdict=Verdict.SUSPECTED,
            message=f"{row['service']} had up to {row['at_once_most']} calls open at once below "
            f"one span, in {row['places']} places",
            remedy="Limit how many calls run side by side, ask in batches, and answer without the "
            "slowest where that is allowed.",
            spans=row["sample"],
            facts={
                "service": row["service"],
                "places": row["places"],
                "at_once_most": int(row["at_once_most"]),
            },
        )
        for row in rows
        if row["places"]
    ]
    return Judged(findings=found, examined={"client spans": total(rows, "examined")})


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=FanOutSettings,
    detect=_detect,
)
