"""Finds work that callees went on with after their caller had given up.

The answer reaches nobody, and what it changed stays (Google SRE book, chapter 22, "Deadline
propagation"). Told only where the callee's own span ends later than the caller's, by more than
clocks may differ.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import edge_of, facts_of, milliseconds, named, percent, total

NAME = "wasted_work"
REMEDY = (
    "Send the deadline with the call and stop when it has passed; until then settle such calls by "
    "their idempotency key before doing the same elsewhere."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WastedWorkSettings:
    """How much of it is worth telling."""

    tolerance_ns: int = 5_000_000
    """What clocks of two hosts may differ by."""
    calls_min: int = 5
    percent_min: int = 1


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(WastedWorkSettings)
    rows = case.answers["wasted_work"]
    found = []
    for row in rows:
        share = percent(row["ran_on"], row["calls"])
        if row["ran_on"] < settings.calls_min or share < settings.percent_min:
            continue
        edge = edge_of(row)
        wasted = milliseconds(int(row["wasted_ns"]))
        found.append(
            population_finding(
                NAME,
                subject=edge,
                severity="warning",
                verdict=case.sure(),
                message=f"{named(edge)}: in {row['ran_on']} of {row['calls']} calls {edge[1]} "
                f"worked on after its caller had given up, {wasted} in all, at most "
                f"{milliseconds(row['longest_ns'])}; {row['done']} of them ended well there, "
                f"{row['effects']} changed something",
                remedy=REMEDY,
                spans=row["sample"],
                facts={
                    **facts_of(edge),
                    "calls": row["calls"],
                    "given_up": row["given_up"],
                    "given_up_unseen_at_callee": row["unseen"],
                    "ran_on": row["ran_on"],
                    "ended_well": row["done"],
                    "took_effect": row["effects"],
                    "wasted_ns": int(row["wasted_ns"]),
                },
            )
        )
    unseen = sorted({row["callee"] for row in rows if row["unseen"]})
    return Judged(
        findings=found,
        examined={"calls": total(rows, "calls"), "given up": total(rows, "given_up")},
        missing=[f"the spans of {callee} for calls given up" for callee in unseen[:10]],
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=WastedWorkSettings,
    detect=_detect,
)
