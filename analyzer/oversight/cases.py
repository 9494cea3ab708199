"""Recorded decisions as test cases of a policy: what was known, and what the gate said.

One JSON object on a line. A case needs no store, so a policy is tested where it is kept.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.oversight.joined import Joined
from analyzer.oversight.policy import FACTS, OUTCOMES, facts_of
from store.errors import DataError
from store.model import JsonValue

SCHEMA = "retrospan.policy_case/1"
BYTES_MAX = 1_000_000_000
LINE_BYTES_MAX = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """The facts of one decision, and the outcome a policy is to give."""

    decision_id: str
    facts: Mapping[str, JsonValue]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A case in which a policy gave another outcome; None is unknown."""

    decision_id: str
    expected: str
    answered: str | None


def cases_of(decisions: Iterable[Joined]) -> list[PolicyCase]:
    """A case of every decision whose gate said one of the four outcomes."""
    return [
        PolicyCase(
            decision_id=it.decision.decision_id,
            facts={name: value for name, value in facts_of(it).items() if value is not None},
            outcome=it.outcome,
        )
        for it in decisions
        if it.outcome in OUTCOMES
    ]


def lines_of(cases: Iterable[PolicyCase]) -> Iterator[str]:
    """Each case as one line of JSON."""
    for case in cases:
        document = {
            "schema": SCHEMA, "decision_id": case.decision_id, "facts": dict(case.facts),
            "outcome": case.outcome,
        }  # fmt: skip
        yield json.dumps(document, sort_keys=True)


def read_cases(path: Path) -> list[PolicyCase]:
    """Cases from a file. Raises DataError that names file, line and fault."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise DataError(f"{path}: at most {BYTES_MAX} bytes of cases are read")
        with path.open("rb") as stream:
            return [
                _case(path, number, line)
                for number, line in enumerate(iter(lambda: stream.readline(LINE_BYTES_MAX), b""), 1)
                if line.strip()
            ]
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def failures(cases: Sequence[PolicyCase], answers: Sequence[str | None]) -> list[Failed]:
    """The cases in which a policy's answer is not the expected one."""
    return [
        Failed(decision_id=case.decision_id, expected=case.outcome, answered=answered)
        for case, answered in zip(cases, answers, strict=True)
        if answered != case.outcome
    ]


def _case(path: Path, number: int, line: bytes) -> PolicyCase:
    place = f"{path}, line {number}"
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise DataError(f"{place} is no JSON") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise DataError(f"{place} is no case: it begins with the schema {SCHEMA}")
    facts, outcome = document.get("facts"), document.get("outcome")
    if not isinstance(facts, dict) or outcome not in OUTCOMES:
        raise DataError(f"{place} needs facts, and an outcome of {', '.join(OUTCOMES)}")
    if unknown := sorted(set(facts) - set(FACTS)):
        raise DataError(f"{place}: no policy reads {', '.join(unknown)}")
    return PolicyCase(
        decision_id=str(document.get("decision_id", "")), facts=facts, outcome=str(outcome)
    )
