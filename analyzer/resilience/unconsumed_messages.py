"""Finds messages that nobody took, and messages that ended among the dead letters.

Hohpe & Woolf, "Enterprise Integration Patterns": Dead Letter Channel. A message is missed only
where others of its destination were seen to be taken, the data goes on long enough after it, and
no unknown sampling could have left the consumer out; otherwise it is not known.
"""

import re
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
from analyzer.edges import total
from store.conclusions import Finding, Verdict

NAME = "unconsumed_messages"
DEAD_LETTERS = re.compile(r"(?<![a-z])(dlq|dlx|dlt|dead[-_. ]?letters?)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconsumedSettings:
    """How long a message may wait before it is missed."""

    wait_ns: int = 30_000_000_000


def _detect(case: PopulationCase) -> Judged:
    rows = case.answers["unconsumed_messages"]
    return Judged(
        findings=[finding for row in rows for finding in _findings(case, row)],
        examined={
            "messages sent": total(rows, "sent"),
            "long enough ago": total(rows, "due"),
        },
        missing=sorted({lacking for row in rows if (lacking := _lacking(row)) is not None})[:10],
    )


def _lacking(row: Row) -> str | None:
    """What is not recorded that would tell whether these messages were taken."""
    where = row["destination"]
    if DEAD_LETTERS.search(where):
        return None
    if not where:
        return f"messaging.destination.name of messages from {row['service']}"
    if not row["destination_heard"]:
        return f"the spans of whoever consumes {where}"
    if row["due"] and row["unconsumed"] == row["due"]:
        return f"links, parents or message ids that tie the consumers of {where} to its messages"
    return None


def _findings(case: PopulationCase, row: Row) -> Iterator[Finding]:
    where = row["destination"] or "an unnamed destination"
    facts = {name: row[name] for name in ("destination", "service", "sent", "due", "unconsumed")}
    if DEAD_LETTERS.search(row["destination"]):
        yield population_finding(
            NAME,
            subject=["dead letters", row["destination"], row["service"]],
            severity="warning",
            verdict=Verdict.VIOLATION,
            message=f"{row['sent']} messages ended among the dead letters of {where} "
            f"(sent there by {row['service']})",
            remedy="Find out why they could not be worked on, mend that, and deliver them again.",
            spans=row["sent_sample"],
            facts={"fault": "dead letters", **facts},
        )
    elif row["unconsumed"] and _lacking(row) is None:
        yield population_finding(
            NAME,
            subject=["unconsumed", row["destination"], row["service"]],
            severity="warning",
            verdict=case.sure(),
            message=f"{row['unconsumed']} of {row['due']} messages that {row['service']} sent to "
            f"{where} were never taken, though others of them were",
            remedy="Look in the queue for what is stuck, and for consumers that drop messages or "
            "lose the trace context.",
            spans=row["sample"],
            facts={"fault": "unconsumed", **facts},
        )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    settings=UnconsumedSettings,
    detect=_detect,
)
