"""Finds times in which retries made up too much of the load on an edge.

Amplification is attempts per logical call. A client that keeps to a retry budget of 10 % stays
under 1.1 (Google SRE book, chapter 22, "Addressing Cascading Failures"); a storm is a run of time
bins well above that while first attempts fail. Attempts that the callee did and the caller gave
up are load for nothing. A storm that goes on after the incident it began in was mitigated may feed
itself (Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021); where no incident
tells when its trigger ended, that is unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    Row,
    population_finding,
)
from analyzer.edges import Edge, by_edge, milliseconds, named, percent, samples, total
from store.conclusions import Finding

NAME = "retry_storm"
HERE = Path(__file__)
REMEDY = (
    "Give the client a retry budget (at most 10 % of its calls), retry at one layer only, and let "
    "a circuit breaker stop calls while the callee fails."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStormSettings:
    """When retries are a storm. The budget of 10 % and three attempts is Google's (SRE, ch. 22)."""

    bin_ns: int = 5_000_000_000
    logical_min: int = 10
    """Logical calls a bin needs before its share is believed."""
    retry_percent_min: int = 30
    """Retries per 100 logical calls in a bin of a storm: three times the budget."""
    bins_min: int = 2

    def __post_init__(self) -> None:
        if self.bin_ns < 1_000_000 or self.logical_min < 1 or self.bins_min < 1:
            raise ValueError("bin_ns is at least 1,000,000, logical_min and bins_min at least 1")


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(RetryStormSettings)
    rows = case.answers["edge_bins"]
    edges = by_edge(rows)
    found = [
        finding
        for edge, bins in edges
        if (finding := _finding(case, settings, edge, bins)) is not None
    ]
    ends_known = bool(case.answers["incident_ends"])
    return Judged(
        findings=found,
        examined={"edges": len(edges), "attempts": total(rows, "attempts")},
        missing=["when the trigger of a storm ended"] if found and not ends_known else [],
    )


def _storms(settings: RetryStormSettings, bins: Sequence[Row]) -> list[list[Row]]:
    """Runs of neighbouring bins that are each over the limit."""
    runs: list[list[Row]] = []
    for row in bins:
        retries = row["attempts"] - row["firsts"]
        stormy = (
            row["logical"] >= settings.logical_min
            and percent(retries, row["logical"]) >= settings.retry_percent_min
        )
        if not stormy:
            continue
        if runs and row["bin"] == runs[-1][-1]["bin"] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    return [run for run in runs if len(run) >= settings.bins_min]


def _outlived_ns(
    settings: RetryStormSettings, runs: Sequence[Sequence[Row]], ends: Sequence[Row]
) -> int:
    """How long storms went on after the incident they began in was mitigated; 0 when they did not.

    The bin in which it was mitigated is not counted.
    """
    longest = 0
    for run in runs:
        begun, over = run[0]["bin"] * settings.bin_ns, (run[-1]["bin"] + 1) * settings.bin_ns
        for end in ends:
            after = (end["mitigated_ns"] // settings.bin_ns + 1) * settings.bin_ns
            if end["start_ns"] - settings.bin_ns < begun < end["mitigated_ns"]:
                longest = max(longest, over - after)
    return longest if longest >= settings.bins_min * settings.bin_ns else 0


def _finding(
    case: PopulationCase, settings: RetryStormSettings, edge: Edge, bins: Sequence[Row]
) -> Finding | None:
    runs = _storms(settings, bins)
    if not runs:
        return None
    inside = [row for run in runs for row in run]
    stormy = {row["bin"] for row in inside}
    calm = [row for row in bins if row["bin"] not in stormy]
    logical, attempts = total(inside, "firsts"), total(inside, "attempts")
    failed, wasted = total(inside, "failed"), total(inside, "wasted")
    calm_rate = (
        f"; at other times {_rate(calm)}" if total(calm, "firsts") else "; there are no other times"
    )
    lasted = sum(len(run) for run in runs) * settings.bin_ns
    outlived_ns = _outlived_ns(settings, runs, case.answers["incident_ends"])
    often = "in one run" if len(runs) == 1 else f"in {len(runs)} runs"
    loop = (
        f"; it went on for {milliseconds(outlived_ns)} after the incident was mitigated and "
        "may feed itself"
        if outlived_ns
        else ""
    )
    return population_finding(
        NAME,
        subject=edge,
        severity="critical" if outlived_ns else "warning",
        verdict=case.sure(),
        message=f"retry storm of {named(edge)} for {milliseconds(lasted)} {often}: "
        f"{_rate(inside)}{calm_rate}; {failed} of {attempts} attempts failed for the caller, "
        f"{wasted} of them the callee had done{loop}",
        remedy=REMEDY,
        spans=samples(inside),
        facts={
            "service": edge[0],
            "callee": edge[1],
            "operation": edge[2],
            "from_ns": runs[0][0]["bin"] * settings.bin_ns,
            "until_ns": (runs[-1][-1]["bin"] + 1) * settings.bin_ns,
            "runs": len(runs),
            "logical_calls": logical,
            "attempts": attempts,
            "attempts_max": max(row["attempts_max"] for row in inside),
            "attempts_failed": failed,
            "attempts_wasted": wasted,
            "first_attempts_failed": total(inside, "firsts_failed"),
            "calm_logical_calls": total(calm, "firsts"),
            "calm_attempts": total(calm, "attempts"),
            "outlived_mitigation_ns": outlived_ns,
        },
    )


def _rate(bins: Sequence[Row]) -> str:
    logical, attempts = total(bins, "firsts"), total(bins, "attempts")
    hundredths = attempts * 100 // logical if logical else 0
    return f"{hundredths // 100}.{hundredths % 100:02} attempts per logical call (n={logical})"


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_name("edge_bins.sql"), HERE.with_name("incident_ends.sql")],
    settings=RetryStormSettings,
    detect=_detect,
)
