"""Finds idempotency keys that did not do what they are for.

Under one key there may be one effect, one payload and one result ("The Idempotency-Key HTTP Header
Field", IETF draft-ietf-httpapi-idempotency-key-header, sections 2.4 to 2.7). More than one effect
is the callee's fault, another payload under a used key the caller's. Answers that differ are only
suspected: they may tell the time.
"""

from collections.abc import Iterator
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

NAME = "idempotency_breach"
FAULTS = {
    "effects": (
        "critical",
        Verdict.VIOLATION,
        "made more than one effect under {n} of {repeated} keys used again",
        "Let the callee store key and result together with the effect, in one transaction, and "
        "answer a repeat from there; undo the second effects.",
    ),
    "payloads": (
        "warning",
        Verdict.VIOLATION,
        "was asked for different things under {n} of {repeated} keys used again",
        "Make the key from the logical request; let the callee refuse a used key with another "
        "payload (422).",
    ),
    "results": (
        "info",
        Verdict.SUSPECTED,
        "gave different good answers under {n} of {repeated} keys used again",
        "Answer a repeat with the stored result of the first time.",
    ),
}


def _detect(case: PopulationCase) -> Judged:
    rows = case.answers["idempotency_breach"]
    keys, repeated = total(rows, "keys"), total(rows, "repeated")
    return Judged(
        findings=[finding for row in rows for finding in _findings(row)],
        examined={"keys": keys, "used more than once": repeated},
        missing=[] if keys else ["retrospan.idempotency_key"],
    )


def _findings(row: Row) -> Iterator[Finding]:
    for fault, (severity, verdict, said, remedy) in FAULTS.items():
        if not row[fault]:
            continue
        numbers = said.format(n=row[fault], repeated=row["repeated"])
        yield population_finding(
            NAME,
            subject=[fault, row["callee"], row["operation"]],
            severity=severity,
            verdict=verdict,
            message=f"{row['callee']} {row['operation']} {numbers}",
            remedy=remedy,
            spans=row[f"{fault}_sample"],
            facts={
                "fault": fault,
                "callee": row["callee"],
                "operation": row["operation"],
                "keys": row["keys"],
                "keys_used_again": row["repeated"],
                "keys_at_fault": row[fault],
            },
        )


DETECTOR = PopulationDetector(
    name=NAME,
    questions=[Path(__file__).with_suffix(".sql")],
    detect=_detect,
)
