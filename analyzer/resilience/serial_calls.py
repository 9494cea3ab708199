"""Finds long calls made one after the other that might run side by side.

Rule of Sentry's performance issue "Consecutive HTTP": at least 3 calls, each over 500 ms, at least
2,000 ms to be saved. Whether a later call needs an earlier one's answer is not recorded, so this
is never more than suspected.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import milliseconds, total
from store.conclusions import Verdict

NAME = "serial_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialCallsSettings:
    """Sentry's limits."""

    calls_min: int = 3
    each_ns_min: int = 500_000_000
    saving_ns_min: int = 2_000_000_000


def _detect(case: PopulationCase) -> Judged:
    rows = case.answers["serial_calls"]
    found = [
        population_finding(
            NAME,
            subject=[row["service"], row["operations"]],
            severity="info",
            verdict=Verdict.SUSPECTED,
            message=f"{row['service']} made long calls one after the other in {row['places']} "
            f"places ({row['operations']}); side by side they might save up to "
            f"{milliseconds(int(row['saving_most_ns']))} each time, if none needs another's answer",
            remedy="Start calls that do not need each other's answers together, then wait for all.",
            spans=row["sample"],
            facts={
                "service": row["service"],
                "operations": row["operations"],
                "places": row["places"],
                "saving_ns": int(row["saving_ns"]),
                "saving_most_ns": int(row["saving_most_ns"]),
            },
        )
        for row in rows
        if row["places"]
    ]
    return Judged(findings=found, examined={"long client spans": total(rows, "examined")})


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=SerialCallsSettings,
    detect=_detect,
)
