"""Finds messages that wait long, or ever longer, before somebody works on them.

Lag is from the end of sending to the start of processing (OpenTelemetry semantic conventions for
messaging tie the two by parent or link). Lag that grows over the recording means that consumers
are slower than producers (Little's law: the queue grows without bound); a stretch of time in which
it is many times the usual was a backlog. Only the first delivery of a message counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    Row,
    population_finding,
)
from analyzer.edges import milliseconds, samples, total
from analyzer.messages import is_for_dead_letters
from store.conclusions import Finding, Verdict

NAME = "messaging_lag"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingLagSettings:
    """Which lag is long; only those who know the business can set it."""

    bin_ns: int = 10_000_000_000
    long_ns: int = 30_000_000_000
    messages_min: int = 10
    growth_times: int = 3
    """How many times its first median the last one must be, over at least three bins."""
    growth_ns_min: int = 1_000_000_000
    """A wait shorter than this is never told."""
    peak_times: int = 20
    """How many times the usual median the median of a bin must be to be a backlog."""
    peak_messages_min: int = 5

    def __post_init__(self) -> None:
        if self.bin_ns < 1_000_000:
            raise ValueError("bin_ns is at least 1,000,000")


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(MessagingLagSettings)
    rows = case.answers["message_lags"]
    found = []
    queues = 0
    for (destination, service), group in groupby(
        rows, key=lambda row: (str(row["destination"]), str(row["service"]))
    ):
        if is_for_dead_letters(destination):
            continue
        queues += 1
        finding = _finding(settings, destination, service, list(group))
        if finding is not None:
            found.append(finding)
    return Judged(
        findings=found,
        examined={"destinations and consumers": queues, "messages": total(rows, "messages")},
    )


def _finding(
    settings: MessagingLagSettings, destination: str, service: str, bins: Sequence[Row]
) -> Finding | None:
    messages = total(bins, "messages")
    if messages < settings.messages_min:
        return None
    first, last = bins[0]["median_ns"], bins[-1]["median_ns"]
    usual = sorted(row["median_ns"] for row in bins)[len(bins) // 2]
    late = [
        row
        for row in bins
        if row["p95_ns"] >= settings.long_ns
        or (
            row["messages"] >= settings.peak_messages_min
            and row["median_ns"] >= settings.growth_ns_min
            and row["median_ns"] >= settings.peak_times * max(usual, 1)
        )
    ]
    grows = (
        len(bins) >= 3
        and last >= settings.growth_ns_min
        and last >= settings.growth_times * max(first, 1)
        and all(a["median_ns"] <= b["median_ns"] for a, b in pairwise(bins))
    )
    if not late and not grows:
        return None
    longest = milliseconds(max(row["max_ns"] for row in bins))
    said = f"messages to {destination or 'an unnamed destination'} waited up to {longest} for "
    said += f"{service} (n={messages}, usual median {milliseconds(usual)}"
    said += f", {len(late)} of {len(bins)} stretches of time late)" if late else ")"
    if grows:
        said += (
            f", ever longer: median {milliseconds(first)} at first, {milliseconds(last)} at last"
        )
    return population_finding(
        NAME,
        subject=[destination, service],
        severity="warning",
        verdict=Verdict.SUSPECTED,
        message=said,
        remedy="Add consumers or partitions, or slow the producers down; alert on the age of the "
        "oldest message.",
        spans=samples(late or bins[-1:]),
        facts={
            "destination": destination,
            "service": service,
            "messages": messages,
            "bins": len(bins),
            "bins_late": len(late),
            "first_median_ns": first,
            "last_median_ns": last,
            "longest_ns": max(row["max_ns"] for row in bins),
            "usual_median_ns": usual,
            "late_from_ns": late[0]["bin"] * settings.bin_ns if late else None,
            "late_until_ns": (late[-1]["bin"] + 1) * settings.bin_ns if late else None,
            "grows": grows,
        },
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_name("message_lags.sql")],
    settings=MessagingLagSettings,
    detect=_detect,
)
