"""Finds messages that nobody took, and messages that ended among the dead letters.

Hohpe & Woolf, "Enterprise Integration Patterns": Dead Letter Channel. A message is missed only
where its destination has a recorded consumer, the data goes on long enough after it, and no
unknown sampling could have left the consumer out; otherwise it is not known.
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
    unheard = sorted(
        {
            str(row["destination"])
            for row in rows
            if not row["destination_heard"] and not DEAD_LETTERS.search(row["destination"])
        }
    )
    return Judged(
        findings=[finding for row in rows for finding in _findings(case, row)],
        examined={
            "messages sent": total(rows, "sent"),
            "long enough ago": total(rows, "due"),
        },
        missing=[f"the spans of whoever consumes {name or 'messages'}" for name in unheard[:10]],
    )


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
    elif row["unconsumed"] and row["destination_heard"]:
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
