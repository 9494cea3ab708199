"""Finds calls refused for load, and important ones refused more often than unimportant ones.

A service that sheds by criticality keeps the critical (Google SRE book, chapter 21, "Handling
Overload"). Refusals are 429, RESOURCE_EXHAUSTED, and 503 with Retry-After or to a request that
tells its priority; a bare 503 may be any fault. A more important class is shed more when the
Wilson intervals of the two shares do not meet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    Row,
    population_finding,
)
from analyzer.edges import Edge, by_edge, facts_of, named, percent, samples, total
from analyzer.statistics.proportions import wilson
from store.conclusions import Finding, Verdict
from store.model import JsonValue

NAME = "load_shedding"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSheddingSettings:
    """Which refusals are worth telling, and what is more important than what."""

    shed_min: int = 5
    percent_min: int = 1
    class_calls_min: int = 10
    order: tuple[str, ...] = (
        "critical",
        "high",
        "u=0",
        "u=1",
        "u=2",
        "normal",
        "medium",
        "u=3",
        "default",
        "low",
        "u=4",
        "u=5",
        "u=6",
        "sheddable",
        "background",
        "u=7",
    )
    """Priorities, the most important first; u=0 to u=7 are the urgencies of RFC 9218."""


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(LoadSheddingSettings)
    rows = case.answers["shed_calls"]
    found: list[Finding] = []
    for edge, classes in by_edge(rows):
        shed, calls = total(classes, "shed"), total(classes, "calls")
        if shed < settings.shed_min or percent(shed, calls) < settings.percent_min:
            continue
        inversion = next(_inversions(settings, classes), None)
        if inversion is not None:
            found.append(_inverted(case, edge, *inversion))
        else:
            found.append(_shed(settings, edge, classes))
    prioritized = sum(row["calls"] for row in rows if row["priority"] is not None)
    return Judged(
        findings=found,
        examined={
            "calls": total(rows, "calls"),
            "refused for load": total(rows, "shed"),
            "with a priority": prioritized,
        },
        missing=_missing(total(rows, "shed"), prioritized, total(rows, "unclear")),
    )


def _missing(shed: int, prioritized: int, unclear: int) -> list[str]:
    missing = ["retrospan.priority"] if shed and not prioritized else []
    if unclear:
        missing.append(f"http.response.header.retry-after of {unclear} answers with 503")
    return missing


def _ranked(settings: LoadSheddingSettings, classes: Sequence[Row]) -> list[Row]:
    """Classes whose importance is known and that had enough calls, the most important first."""
    known = [
        row
        for row in classes
        if row["priority"] is not None
        and _word(row["priority"]) in settings.order
        and row["calls"] >= settings.class_calls_min
    ]
    return sorted(known, key=lambda row: settings.order.index(_word(row["priority"])))


def _word(priority: str) -> str:
    """The priority itself: RFC 9218 allows more parameters behind it."""
    return priority.partition(",")[0].strip()


def _inversions(
    settings: LoadSheddingSettings, classes: Sequence[Row]
) -> Iterator[tuple[Row, Row]]:
    ranked = _ranked(settings, classes)
    for place, above in enumerate(ranked):
        for below in ranked[place + 1 :]:
            high, low = (wilson(row["shed"], row["calls"]) for row in (above, below))
            if high is not None and low is not None and high.low > low.high:
                yield above, below


def _inverted(case: PopulationCase, edge: Edge, above: Row, below: Row) -> Finding:
    return population_finding(
        NAME,
        subject=["inversion", *edge],
        severity="critical",
        verdict=case.sure(),
        message=f"{edge[1]} shed the important first: {_share(above)} of priority "
        f"{above['priority']}, {_share(below)} of priority {below['priority']} "
        f"({named(edge)})",
        remedy="Let the callee decide by the priority of the request, and shed the least important "
        "class first.",
        spans=samples([above]),
        facts={**facts_of(edge), "fault": "inversion", "classes": [_fact(above), _fact(below)]},
    )


def _shed(settings: LoadSheddingSettings, edge: Edge, classes: Sequence[Row]) -> Finding:
    shed, calls = total(classes, "shed"), total(classes, "calls")
    told = len(_ranked(settings, classes)) > 1
    who = (
        "; no important class was refused more than a less important one"
        if told
        else "; whether the important were spared is unknown, as calls tell no priorities"
    )
    return population_finding(
        NAME,
        subject=["shed", *edge],
        severity="info",
        verdict=Verdict.PASS if told else Verdict.UNKNOWN,
        message=f"{named(edge)} was refused for load in {shed} of {calls} calls{who}; "
        f"{total(classes, 'retried_into')} of them were retries",
        remedy="Back off as Retry-After says and slow down at the source; record "
        "retrospan.priority so that shedding can be judged.",
        spans=samples(classes),
        facts={**facts_of(edge), "fault": "shed", "classes": [_fact(row) for row in classes]},
    )


def _share(row: Row) -> str:
    return f"{row['shed']} of {row['calls']} calls"


def _fact(row: Row) -> dict[str, JsonValue]:
    return {name: row[name] for name in ("priority", "calls", "shed", "retried_into")}


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_name("shed_calls.sql")],
    settings=LoadSheddingSettings,
    detect=_detect,
)
