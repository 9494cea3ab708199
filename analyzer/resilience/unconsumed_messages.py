"""Finds messages that nobody took, and messages that ended among the dead letters.

Hohpe & Woolf, "Enterprise Integration Patterns": Dead Letter Channel. A message is missed only
where others of its destination were seen to be taken, the data goes on long enough after it, and
no unknown sampling could have left the consumer out; otherwise it is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    Row,
    population_finding,
)
from analyzer.edges import samples, total
from analyzer.messages import is_for_dead_letters
from store.conclusions import Finding, Verdict

NAME = "unconsumed_messages"
HERE = Path(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconsumedSettings:
    """How long a message may wait before it is missed."""

    wait_ns: int = 30_000_000_000


def _detect(case: PopulationCase) -> Judged:
    rows, taken = case.answers["unconsumed_messages"], case.answers["consumed_destinations"]
    return Judged(
        findings=[
            *_dead(rows, taken),
            *(_missed(case, row) for row in rows if row["unconsumed"] and _is_judged(row)),
        ],
        examined={
            "messages sent": total(rows, "sent"),
            "long enough ago": total(rows, "due"),
            "messages taken": total(taken, "messages"),
        },
        missing=sorted({lacking for row in rows if (lacking := _lacking(row)) is not None})[:10],
    )


def _is_judged(row: Row) -> bool:
    return not is_for_dead_letters(row["destination"]) and _lacking(row) is None


def _lacking(row: Row) -> str | None:
    """What is not recorded that would tell whether these messages were taken."""
    where = row["destination"]
    if is_for_dead_letters(where):
        return None
    if not where:
        return f"messaging.destination.name of messages from {row['service']}"
    if not row["destination_heard"]:
        return f"the spans of whoever consumes {where}"
    if row["due"] and row["unconsumed"] == row["due"]:
        return f"links, parents or message ids that tie the consumers of {where} to its messages"
    return None


def _dead(rows: Sequence[Row], taken: Sequence[Row]) -> Iterator[Finding]:
    """Messages among the dead letters, as seen by who sent them there or who took them there."""
    places: dict[str, list[tuple[int, Row]]] = {}
    for column, seen in (("sent", rows), ("messages", taken)):
        for row in seen:
            if is_for_dead_letters(row["destination"]):
                places.setdefault(row["destination"], []).append((row[column], row))
    for destination, counted in sorted(places.items()):
        messages = max(count for count, _ in counted)
        yield population_finding(
            NAME,
            subject=["dead letters", destination],
            severity="warning",
            verdict=Verdict.VIOLATION,
            message=f"{messages} messages ended among the dead letters of {destination}",
            remedy="Find out why they could not be worked on, mend that, and deliver them again.",
            spans=samples([_shown(row) for _, row in counted]),
            facts={"fault": "dead letters", "destination": destination, "messages": messages},
        )


def _shown(row: Row) -> Mapping[str, object]:
    return {"sample": row.get("sent_sample") or row["sample"]}


def _missed(case: PopulationCase, row: Row) -> Finding:
    return population_finding(
        NAME,
        subject=["unconsumed", row["destination"], row["service"]],
        severity="warning",
        verdict=case.sure(),
        message=f"{row['unconsumed']} of {row['due']} messages that {row['service']} sent to "
        f"{row['destination']} were never taken, though others of them were",
        remedy="Look in the queue for what is stuck, and for consumers that drop messages or lose "
        "the trace context.",
        spans=row["sample"],
        facts={
            "fault": "unconsumed",
            **{name: row[name] for name in ("destination", "service", "sent", "due", "unconsumed")},
        },
    )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[HERE.with_suffix(".sql"), HERE.with_name("consumed_destinations.sql")],
    settings=UnconsumedSettings,
    detect=_detect,
)
