"""Finds pairs of services that talk very often within one flow.

Many small calls between two services cost a round trip each, and hint that the cut between them
is in the wrong place (Newman, "Building Microservices", 2nd ed., chapter 2, on coupling). Retries
do not count as calls.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import percent, total
from store.conclusions import Verdict

NAME = "chatty_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChattyCallsSettings:
    """How many calls from one service to another make a flow chatty (perf-sentinel: 15)."""

    calls_min: int = 15
    flows_min: int = 3
    flows_percent_min: int = 5


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(ChattyCallsSettings)
    rows = case.answers["chatty_calls"]
    found = []
    for row in rows:
        share = percent(row["chatty_flows"], row["flows"])
        if row["chatty_flows"] < settings.flows_min or share < settings.flows_percent_min:
            continue
        found.append(
            population_finding(
                NAME,
                subject=[row["service"], row["callee"]],
                severity="info",
                verdict=Verdict.SUSPECTED,
                message=f"{row['service']} called {row['callee']} {settings.calls_min} times or "
                f"more in {row['chatty_flows']} of {row['flows']} flows, up to {row['most']} "
                f"times; at most {row['operations']} different operations",
                remedy="Offer one call for the whole need, or move the code to where the data is.",
                spans=row["sample"],
                facts={
                    "service": row["service"],
                    "callee": row["callee"],
                    "flows": row["flows"],
                    "flows_chatty": row["chatty_flows"],
                    "calls_most": row["most"],
                    "operations_most": row["operations"],
                },
            )
        )
    return Judged(
        findings=found, examined={"pairs of services": len(rows), "calls": total(rows, "calls")}
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=ChattyCallsSettings,
    detect=_detect,
)
