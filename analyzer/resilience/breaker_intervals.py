"""Tells when circuit breakers were open, how probes went, and which breakers flapped.

An open breaker does its work (Nygard, "Release It!", 2nd ed., chapter 5, "Circuit Breaker"); one
that opens again and again within a short time lets its callers neither work nor rest. Without a
recorded state, calls that fail within milliseconds and never reach a callee that is heard of
suggest an open breaker, or a refused connection.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    Row,
    population_finding,
)
from analyzer.edges import edge_of, facts_of, milliseconds, named, samples, total
from store.conclusions import Finding, Verdict

NAME = "breaker_intervals"
INTERVALS_TOLD_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """When a breaker flaps, and what fails at once."""

    flaps_min: int = 3
    """Openings within `flap_ns` that make flapping."""
    flap_ns: int = 60_000_000_000
    local_ns: int = 5_000_000
    """A call that fails sooner has not crossed a network (notes: less than 5 ms)."""
    fast_min: int = 5


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(BreakerSettings)
    rows = case.answers["breaker_states"]
    found = []
    for (edge, instance), runs in groupby(rows, key=lambda it: (edge_of(it), it["instance"])):
        opened = [run for run in runs if not run["is_closed"]]
        if opened:
            found.append(_interval_finding(settings, edge, instance, opened))
    fast = case.answers["fast_failures"]
    found += _fast_findings(settings, fast)
    return Judged(
        findings=found,
        examined={
            "calls behind a breaker": total(rows, "calls"),
            "calls without a recorded breaker": total(fast, "calls"),
        },
        missing=[] if rows else ["retrospan.breaker.state"],
    )


def _interval_finding(
    settings: BreakerSettings, edge: tuple[str, str, str], instance: str, opened: Sequence[Row]
) -> Finding:
    flapping = _flaps(settings, opened)
    refused, probes = total(opened, "refused"), total(opened, "probes")
    failed = total(opened, "probes_failed")
    lasted = sum(run["until_ns"] - run["from_ns"] for run in opened)
    who = f" (instance {instance})" if instance else ""
    said = f"the breaker of {named(edge)}{who} was open in {len(opened)} interval(s), "
    said += f"{milliseconds(lasted)} in all: {refused} calls refused, {probes} probes, "
    said += f"{failed} of them failed"
    return population_finding(
        NAME,
        subject=[*edge, instance],
        severity="warning" if flapping else "info",
        verdict=Verdict.VIOLATION if flapping else Verdict.PASS,
        message=said
        + (
            f"; it flapped: {flapping} openings within {milliseconds(settings.flap_ns)}"
            if flapping
            else ""
        ),
        remedy="Stay open longer after each failed probe, ask for several good probes before "
        "closing, and mend the callee."
        if flapping
        else "Mend the callee; the breaker worked.",
        spans=samples(opened),
        facts={
            **facts_of(edge),
            "instance": instance,
            "openings": len(opened),
            "refused": refused,
            "probes": probes,
            "probes_failed": failed,
            "openings_at_most": flapping,
            "intervals": [
                {"from_ns": run["from_ns"], "until_ns": run["until_ns"], "refused": run["refused"]}
                for run in opened[:INTERVALS_TOLD_MAX]
            ],
        },
    )


def _flaps(settings: BreakerSettings, opened: Sequence[Row]) -> int:
    """The most openings within the time, 0 when they are too few to be flapping."""
    starts = [run["from_ns"] for run in opened]
    most, first = 0, 0
    for last, start in enumerate(starts):
        while start - starts[first] > settings.flap_ns:
            first += 1
        most = max(most, last - first + 1)
    return most if most >= settings.flaps_min else 0


def _fast_findings(settings: BreakerSettings, rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        if row["fast"] < settings.fast_min:
            continue
        edge = edge_of(row)
        yield population_finding(
            NAME,
            subject=["fast", *edge],
            severity="info",
            verdict=Verdict.SUSPECTED,
            message=f"{row['fast']} of {row['calls']} calls of {named(edge)} failed within "
            f"{milliseconds(settings.local_ns)} and never reached {edge[1]}: a breaker was open, "
            "or connections were refused",
            remedy="Record retrospan.breaker.state on calls, so that the two can be told apart.",
            spans=row["sample"],
            facts={
                **facts_of(edge),
                "calls": row["calls"],
                "fast": row["fast"],
                "from_ns": row["from_ns"],
                "until_ns": row["until_ns"],
            },
        )


HERE = Path(__file__)
DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_name("breaker_states.sql"), HERE.with_name("fast_failures.sql")],
    settings=BreakerSettings,
    detect=_detect,
)
