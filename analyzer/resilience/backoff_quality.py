"""Finds retries that do not wait, wait without growing or jitter, or come all at once.

Backoff should grow exponentially and be spread by jitter (Brooker, "Exponential Backoff And
Jitter", AWS Architecture Blog 2015; Google SRE book, chapter 22). Evenness is the coefficient of
variation of the first wait; without jitter it is close to 0.
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
from analyzer.edges import edge_of, facts_of, milliseconds, named, percent, total
from store.conclusions import Finding, Verdict

NAME = "backoff_quality"
HERE = Path(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffSettings:
    """When waits between attempts are too short, too even or too synchronous."""

    retries_min: int = 20
    """Retries of an edge before anything is said of them."""
    wait_min_us: int = 5_000
    """A median first wait below this is none: it is the client's own overhead."""
    growth_percent: int = 120
    """A wait has grown when it is at least so many per cent of the one before."""
    grown_percent_min: int = 50
    variation_percent_min: int = 10
    """Coefficient of variation of the first wait below which there is no jitter."""
    instant_ns: int = 10_000_000
    at_once_min: int = 10
    """Flows that retry in the same instant, and their share of all retries in per cent."""
    at_once_percent: int = 20

    def __post_init__(self) -> None:
        if self.instant_ns < 1 or self.retries_min < 2:
            raise ValueError("instant_ns is at least 1, retries_min at least 2")


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(BackoffSettings)
    rows = case.answers["backoff_gaps"]
    instants = {edge_of(row): row for row in case.answers["retry_instants"]}
    found = [
        finding
        for row in rows
        if row["retries"] >= settings.retries_min
        for finding in _findings(case, settings, row, instants.get(edge_of(row)))
    ]
    return Judged(
        findings=found,
        examined={"edges with retries": len(rows), "retries": total(rows, "retries")},
    )


def _findings(
    case: PopulationCase, settings: BackoffSettings, row: Row, instant: Row | None
) -> Iterator[Finding]:
    edge, retries = edge_of(row), row["retries"]
    facts = {
        **facts_of(edge),
        "retries": retries,
        "first_waits": row["firsts"],
        "median_first_wait_us": row["median_us"],
        "later_waits": row["laters"],
        "later_waits_grown": row["grown"],
    }
    enough = row["firsts"] >= settings.retries_min

    def told(what: str, severity: str, verdict: Verdict, said: str, remedy: str) -> Finding:
        return population_finding(
            NAME,
            subject=[what, *edge],
            severity=severity,
            verdict=verdict,
            message=f"{named(edge)} {said}",
            remedy=remedy,
            spans=row["sample"],
            facts={"fault": what, **facts},
        )

    if enough and row["median_us"] < settings.wait_min_us:
        yield told(
            "no wait", "warning", case.sure(),
            f"retries after {milliseconds(row['median_us'] * 1000)} (median of "
            f"{row['firsts']} first retries)",
            "Wait before a retry, longer each time, with jitter.",
        )  # fmt: skip
    elif enough and _is_even(settings, row):
        yield told(
            "no jitter", "info", Verdict.SUSPECTED,
            f"waits almost the same time before each first retry (median "
            f"{milliseconds(row['median_us'] * 1000)}, n={row['firsts']})",
            "Draw each wait at random below the growing limit (full jitter).",
        )  # fmt: skip
    grown = percent(row["grown"], row["laters"])
    if row["laters"] >= settings.retries_min and grown < settings.grown_percent_min:
        yield told(
            "no growth", "info", Verdict.SUSPECTED,
            f"waits no longer before later retries in {row['laters'] - row['grown']} of "
            f"{row['laters']} cases",
            "Let waits grow, for example double each time, up to a limit.",
        )  # fmt: skip
    if instant is not None and instant["flows_at_once"] >= settings.at_once_min:
        share = percent(instant["flows_at_once"], retries)
        if share >= settings.at_once_percent:
            yield told(
                "at once", "warning", case.sure(),
                f"had {instant['flows_at_once']} flows retry within "
                f"{milliseconds(settings.instant_ns)}, {share} % of {retries} retries",
                "Spread retries by jitter, so that clients do not come back together.",
            )  # fmt: skip


def _is_even(settings: BackoffSettings, row: Row) -> bool:
    """Whether the coefficient of variation is below the limit, in whole numbers."""
    count, mean_sum = int(row["firsts"]), int(row["sum_us"])
    spread = count * int(row["square_us"]) - mean_sum * mean_sum
    return spread * 10_000 < (settings.variation_percent_min * mean_sum) ** 2


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_name("backoff_gaps.sql"), HERE.with_name("retry_instants.sql")],
    settings=BackoffSettings,
    detect=_detect,
)
