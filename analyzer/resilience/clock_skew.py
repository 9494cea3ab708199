"""Finds services whose clocks disagree by more than the network can explain.

A callee's span that fits inside its caller's but lies outside of it shows two clocks; the offset is
estimated as the median of the midpoints, as Jaeger's clock skew adjuster and NTP (RFC 5905) take
the midpoint. Calls that failed are left out: whoever gave up did not wait for the callee.
"""

from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import Judged, PopulationCase, PopulationDetector, population_finding
from analyzer.edges import milliseconds, percent, total
from store.conclusions import Verdict

NAME = "clock_skew"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkewSettings:
    """When clocks differ enough to mislead."""

    tolerance_ns: int = 1_000_000
    calls_min: int = 10
    outside_percent_min: int = 10
    warning_ns: int = 100_000_000
    """An offset this large turns the order of events around for a person who reads them."""


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(ClockSkewSettings)
    rows = case.answers["clock_offsets"]
    found = []
    for row in rows:
        offset = row["offset_ns"]
        share = percent(row["outside"], row["calls"])
        if row["calls"] < settings.calls_min or share < settings.outside_percent_min:
            continue
        if abs(offset) <= settings.tolerance_ns:
            continue
        severe = abs(offset) >= settings.warning_ns
        way = "ahead of" if offset > 0 else "behind"
        steady = row["low_ns"] <= row["high_ns"]
        bounds = (
            f"between {milliseconds(abs(row['low_ns']))} and {milliseconds(abs(row['high_ns']))}"
            if steady
            else "it changes over the recording"
        )
        found.append(
            population_finding(
                NAME,
                subject=[row["service"], row["callee"]],
                severity="warning" if severe else "info",
                verdict=Verdict.VIOLATION if severe else Verdict.SUSPECTED,
                message=f"the clock of {row['callee']} runs about {milliseconds(abs(offset))} "
                f"{way} that of {row['service']} ({bounds}): {row['outside']} of {row['calls']} "
                "calls lie outside the calls they were made by",
                remedy="Check time synchronisation (NTP, PTP) of both hosts; until then trust the "
                "order of parents and links, not of timestamps.",
                spans=row["sample"],
                facts={
                    name: row[name]
                    for name in (
                        "service", "callee", "calls", "outside", "offset_ns", "low_ns", "high_ns",
                    )
                },
            )
        )  # fmt: skip
    return Judged(
        findings=found,
        examined={"pairs of services": len(rows), "calls": total(rows, "calls")},
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_name("clock_offsets.sql")],
    settings=ClockSkewSettings,
    detect=_detect,
)
