"""Finds when a service's work moved to another region, how long it took and what failed meanwhile.

A failover is judged by its recovery time against an objective (RTO, ISO 22301). The time runs from
the first bin in which the leading region failed, in its own spans or in calls it never heard of,
to the bin in which another region leads.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
from analyzer.edges import milliseconds, percent, samples
from store.conclusions import Finding, Verdict

NAME = "region_failover"
HERE = Path(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFailoverSettings:
    """What counts as leading and failing; `rto_ns` is the objective for the time to switch."""

    bin_ns: int = 10_000_000_000
    calls_min: int = 5
    """Calls a bin needs before its shares are believed."""
    failing_percent: int = 20
    rto_ns: int = 300_000_000_000

    def __post_init__(self) -> None:
        if self.bin_ns < 1_000_000:
            raise ValueError("bin_ns is at least 1,000,000")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bin:
    """One service in one time bin: rows by region, and calls nobody there heard of."""

    number: int
    regions: Mapping[str, Row]
    lost: int
    lost_sample: Sequence[str]

    @property
    def leader(self) -> str:
        return max(self.regions, key=lambda name: (self.regions[name]["calls"], name))

    @property
    def calls(self) -> int:
        return sum(int(row["calls"]) for row in self.regions.values()) + self.lost

    def failing(self, region: str, limit: int) -> bool:
        row = self.regions.get(region)
        own = row is not None and percent(row["failed"], row["calls"]) >= limit
        return own or percent(self.lost, self.calls) >= limit

    def failed(self, region: str) -> int:
        row = self.regions.get(region)
        return (int(row["failed"]) if row is not None else 0) + self.lost


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(RegionFailoverSettings)
    rows = case.answers["region_bins"]
    lost: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in case.answers["lost_calls"]:
        lost[row["callee"]][row["bin"]] = row
    known = [row for row in rows if row["region"]]
    found: list[Finding] = []
    several = requests = 0
    for service, of_service in groupby(known, key=lambda row: str(row["service"])):
        bins = _bins(list(of_service), lost[service])
        if len({name for one in bins for name in one.regions}) > 1:
            several += 1
            requests += sum(one.calls for one in bins)
            found += _switches(settings, service, bins)
    without = sorted({str(row["service"]) for row in rows if not row["region"]})
    return Judged(
        findings=found,
        examined={"services seen in several regions": several, "requests of theirs": requests},
        missing=[f"cloud.region of {service}" for service in without[:10]],
    )


def _bins(rows: Sequence[Row], lost: Mapping[int, Row]) -> list[_Bin]:
    made = []
    for number, of_bin in groupby(rows, key=lambda row: int(row["bin"])):
        gone = lost.get(number)
        made.append(
            _Bin(
                number=number,
                regions={row["region"]: row for row in of_bin},
                lost=gone["lost"] if gone else 0,
                lost_sample=(gone["sample"] or []) if gone else [],
            )
        )
    return made


def _switches(
    settings: RegionFailoverSettings, service: str, bins: Sequence[_Bin]
) -> Iterator[Finding]:
    """Every change of the leading region that trouble in the earlier one came before."""
    believed = [one for one in bins if one.calls >= settings.calls_min]
    for place in range(1, len(believed)):
        before, after = believed[place - 1].leader, believed[place].leader
        if before == after:
            continue
        begin = place
        # Trouble may still be seen in the bin in which the other region leads already.
        while begin > 0 and believed[begin - 1].failing(before, settings.failing_percent):
            begin -= 1
        if begin == place and not believed[place].failing(before, settings.failing_percent):
            continue
        yield _finding(settings, service, before, after, believed[begin : place + 1])


def _finding(
    settings: RegionFailoverSettings, service: str, before: str, after: str, bins: Sequence[_Bin]
) -> Finding:
    took_ns = (bins[-1].number - bins[0].number) * settings.bin_ns
    failed = sum(one.failed(before) for one in bins)
    late = took_ns > settings.rto_ns
    shown = samples([one.regions[before] for one in bins if before in one.regions])
    shown += [span for one in bins for span in one.lost_sample]
    return population_finding(
        NAME,
        subject=[service, before, after, str(bins[-1].number * settings.bin_ns)],
        severity="warning" if late else "info",
        verdict=Verdict.VIOLATION if late else Verdict.PASS,
        message=f"{service} moved from {before} to {after} in at most "
        f"{milliseconds(took_ns + settings.bin_ns)} after {before} began to fail; {failed} "
        f"requests failed meanwhile (objective {milliseconds(settings.rto_ns)})",
        remedy="Shorten health checks and DNS or routing times to live; rehearse the failover."
        if late
        else "Nothing to mend in the failover; find out why the region failed.",
        spans=shown,
        facts={
            "service": service,
            "from_region": before,
            "to_region": after,
            "trouble_ns": bins[0].number * settings.bin_ns,
            "switched_ns": bins[-1].number * settings.bin_ns,
            "resolution_ns": settings.bin_ns,
            "failed": failed,
        },
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_name("region_bins.sql"), HERE.with_name("lost_calls.sql")],
    settings=RegionFailoverSettings,
    detect=_detect,
)
