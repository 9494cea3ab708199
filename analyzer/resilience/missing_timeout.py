"""Finds calls without a time limit, or with one that does not hold.

A caller with a limit shows a cliff: no call lasts longer (Nygard, "Release It!", 2nd ed., chapter
5, "Timeouts"). Where no limit is recorded and none was ever reached, long calls suggest that there
is none; a call that outlasted the limit it declares proves that the limit is not in force.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    Row,
    population_finding,
)
from analyzer.edges import edge_of, facts_of, milliseconds, named, total
from store.conclusions import Finding, Verdict

NAME = "missing_timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingTimeoutSettings:
    """What counts as long, and the slack a declared limit has."""

    calls_min: int = 50
    long_ns: int = 10_000_000_000
    """A call this long would have ended at any limit people set for calls inside a flow."""
    tail_times: int = 10
    """How many times the median the longest call must last: a slow job is not a hanging call."""
    over_min: int = 3
    slack_percent: int = 50
    slack_ms: int = 100


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(MissingTimeoutSettings)
    rows = case.answers["call_limits"]
    found = [finding for row in rows for finding in _findings(case, settings, row)]
    silent = [named(edge_of(row)) for row in rows if not row["limited"] and not row["timed_out"]]
    return Judged(
        findings=found,
        examined={"edges": len(rows), "calls": total(rows, "calls")},
        missing=["retrospan.call.timeout_ms of " + edge for edge in silent[:10]],
    )


def _findings(
    case: PopulationCase, settings: MissingTimeoutSettings, row: Row
) -> Iterator[Finding]:
    edge = edge_of(row)
    facts = {
        **facts_of(edge),
        "calls": row["calls"],
        "calls_with_limit": row["limited"],
        "timed_out": row["timed_out"],
        "longest_ns": row["longest_ns"],
        "median_ns": row["median_ns"],
    }
    if row["over"] >= settings.over_min:
        yield population_finding(
            NAME,
            subject=["not in force", *edge],
            severity="warning",
            verdict=Verdict.VIOLATION,
            message=f"{named(edge)}: {row['over']} of {row['limited']} calls outlasted their limit "
            f"of {row['limit_ms']} ms, the longest took {milliseconds(row['over_longest_ns'])}",
            remedy="Put the limit on the whole call, reading the body included, not on connecting "
            "or on each read.",
            spans=row["over_sample"],
            facts={**facts, "fault": "not in force", "over": row["over"]},
        )
    if row["limited"] or row["timed_out"] or row["calls"] < settings.calls_min:
        return
    if row["longest_ns"] < max(settings.long_ns, settings.tail_times * row["median_ns"]):
        return
    yield population_finding(
        NAME,
        subject=["none seen", *edge],
        severity="warning",
        verdict=Verdict.SUSPECTED,
        message=f"{named(edge)} seems to have no time limit: none is recorded, no call of "
        f"{row['calls']} ever ended in one, and the longest took "
        f"{milliseconds(row['longest_ns'])} (median {milliseconds(row['median_ns'])})",
        remedy="Set a time limit from the callee's p99.9, and record it as "
        "retrospan.call.timeout_ms.",
        spans=row["sample"],
        facts={**facts, "fault": "none seen"},
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_name("call_limits.sql")],
    settings=MissingTimeoutSettings,
    detect=_detect,
)
