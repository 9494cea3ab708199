"""Finds places where the thread of a trace breaks.

Orphans (instrumentation-score rule SPA-002), traces without a beginning, later roots in one trace,
calls that were answered by an instrumented callee whose span is missing, and spans that name
another flow than their parent.
Near the ends of the data, and under unknown sampling, a missing span proves nothing.
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
from analyzer.edges import edge_of, named, percent, total
from store.conclusions import Finding, Verdict

NAME = "broken_correlation"
PROPAGATE = "Hand the trace context on: check the propagator and every place that leaves a thread."
COUNTED = ("service", "spans", "orphans", "rootless", "second_roots")
HERE = Path(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCorrelationSettings:
    """How much of it is worth telling."""

    spans_min: int = 5
    percent_min: int = 1
    edge_ns: int = 5_000_000_000
    """Time at both ends of the data in which a missing parent proves nothing."""
    near_ns: int = 60_000_000_000
    """A callee is heard of when it has spans in the same stretch of time."""

    def __post_init__(self) -> None:
        if self.near_ns < 1:
            raise ValueError("near_ns is at least 1")


def _detect(case: PopulationCase) -> Judged:
    settings = case.settings_as(BrokenCorrelationSettings)
    spans, pairs = case.answers["orphans"], case.answers["flow_ids_apart"]
    calls = case.answers["unseen_callees"]
    found = [
        *_of_services(case, settings, spans),
        *_of_calls(case, settings, calls),
        *_of_flow_ids(pairs),
    ]
    return Judged(
        findings=found,
        examined={
            "spans": total(spans, "spans"),
            "answered calls of instrumented callees": total(calls, "calls"),
            "pairs of spans with flow ids": total(pairs, "pairs"),
        },
    )


def _enough(settings: BrokenCorrelationSettings, part: int, whole: int) -> bool:
    return part >= settings.spans_min and percent(part, whole) >= settings.percent_min


def _of_services(
    case: PopulationCase, settings: BrokenCorrelationSettings, rows: Sequence[Row]
) -> Iterator[Finding]:
    for row in rows:
        service = row["service"] or "an unnamed service"
        facts = {name: row[name] for name in COUNTED}
        if _enough(settings, row["orphans"], row["spans"]):
            yield population_finding(
                NAME,
                subject=["orphans", service],
                severity="warning",
                verdict=case.sure(),
                message=f"{row['orphans']} of {row['spans']} spans of {service} have a parent "
                "that is not in their trace",
                remedy="Record the calling side too, or raise its exporter's queue and limits; "
                + PROPAGATE,
                spans=row["orphan_sample"],
                facts={"fault": "orphans", **facts},
            )
        if _enough(settings, row["rootless"], row["spans"]):
            yield population_finding(
                NAME,
                subject=["rootless", service],
                severity="info",
                verdict=Verdict.SUSPECTED,
                message=f"{row['rootless']} of {row['spans']} spans of {service} hang below "
                "a caller that is not recorded, in traces without a beginning",
                remedy="Record the caller (a gateway, a browser) too, or let it not send a context "
                "that it does not export.",
                spans=row["orphan_sample"],
                facts={"fault": "rootless", **facts},
            )
        if _enough(settings, row["second_roots"], row["spans"]):
            yield population_finding(
                NAME,
                subject=["roots", service],
                severity="info",
                verdict=Verdict.SUSPECTED,
                message=f"{row['second_roots']} of {row['spans']} spans of {service} have no "
                "parent and no link, in a trace that had begun already",
                remedy=PROPAGATE,
                spans=row["root_sample"],
                facts={"fault": "second roots", **facts},
            )


def _of_calls(
    case: PopulationCase, settings: BrokenCorrelationSettings, rows: Sequence[Row]
) -> Iterator[Finding]:
    for row in rows:
        if not _enough(settings, row["unseen"], row["calls"]):
            continue
        edge = edge_of(row)
        yield population_finding(
            NAME,
            subject=["unseen", *edge],
            severity="warning",
            verdict=case.sure(),
            message=f"{row['unseen']} of {row['calls']} answered calls of {named(edge)} have no "
            f"span of {edge[1]}, which is heard of at the time",
            remedy=f"Let {edge[1]} read the trace context it is sent; look for a proxy that drops "
            "traceparent.",
            spans=row["sample"],
            facts={"fault": "unseen callee", "calls": row["calls"], "unseen": row["unseen"]},
        )


def _of_flow_ids(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        if not row["apart"]:
            continue
        yield population_finding(
            NAME,
            subject=["flow ids", row["parent_service"], row["service"]],
            severity="warning",
            verdict=Verdict.VIOLATION,
            message=f"{row['apart']} of {row['pairs']} spans of {row['service']} name another "
            f"flow than their parent at {row['parent_service']}",
            remedy="Carry the flow's id in baggage and set it in one place.",
            spans=row["sample"],
            facts={"fault": "flow ids", "pairs": row["pairs"], "apart": row["apart"]},
        )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[
        HERE.with_name("orphans.sql"),
        HERE.with_name("flow_ids_apart.sql"),
        HERE.with_name("unseen_callees.sql"),
    ],
    settings=BrokenCorrelationSettings,
    detect=_detect,
)
