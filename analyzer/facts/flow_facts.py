"""Facts of flows under the names predicates use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from store.conclusions import FlowOutcome, Verdict
from store.model import JsonValue
from store.query import ask
from store.session import Session

QUESTION = Path(__file__).parent / "flow_facts.sql"
NS_PER_MS = 1_000_000
WORST_FIRST = ("violation", "suspected", "unknown", "open", "pass", "not_applicable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name a predicate may use; `kind` is bool, int, double, string or list."""

    name: str
    kind: str
    meaning: str


_LISTED = (
    ("flow_id", "string", "id of the flow"),
    ("name", "string", "name of the flow's kind"),
    ("version", "string", "version of the flow's kind"),
    ("service", "string", "service that started the flow"),
    ("services", "list", "all services that took part"),
    ("outcome", "string", "succeeded, failed, compensated, … as in `flows list`"),
    ("succeeded", "bool", "the outcome is succeeded; unknown where the outcome is"),
    ("correctly_compensated", "bool", "compensated, and every saga check that applies passed"),
    ("saga", "string", "worst verdict of the flow's sagas; unknown where there is none"),
    ("violations", "list", "saga checks that were violated, such as S1"),
    ("suspicions", "list", "saga checks that are suspected"),
    ("undecided", "list", "saga checks that could not be answered"),
    ("findings", "list", "detectors that found a violation in this flow"),
    ("residual_effects", "int", "effects left standing that a person may have to undo"),
    ("complete", "bool", "no span is missing or unfinished"),
    ("architecture", "string", "central, choreographed, hybrid or unknown"),
    ("replayability", "string", "R0 to R4"),
    ("duration_ms", "double", "from start to end; unknown while in progress"),
    ("step_count", "int", "steps"),
    ("attempt_count", "int", "attempts over all steps"),
    ("retry_count", "int", "attempts beyond the first of each step"),
    ("compensation_count", "int", "steps that are compensations"),
    ("decision_count", "int", "recorded decisions"),
    ("gate_evaluated", "bool", "every decision names a policy outcome; unknown without decisions"),
    ("below_threshold_count", "int", "decisions below their threshold; unknown where one lacks it"),
    ("escalated_count", "int", "decisions a gate escalated"),
    ("models", "list", "model@version of the decisions"),
    ("policies", "list", "policy@version of the decisions"),
    ("failing_services", "list", "services called by steps that ended in error or timeout"),
)
FACTS: Mapping[str, Fact] = {
    name: Fact(name=name, kind=kind, meaning=meaning) for name, kind, meaning in _LISTED
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFacts:
    """One flow as predicates see it, and as an event in time.

    `at_ns` is its end, else its start; `ended` says which. `weight` is how many flows it stands
    for, None where sampling is unknown. A fact that is not known is None.
    """

    flow_id: str
    at_ns: int
    start_ns: int
    ended: bool
    weight: Fraction | None
    values: Mapping[str, JsonValue]


def read_flow_facts(
    session: Session, since_ns: int | None = None, until_ns: int | None = None
) -> list[FlowFacts]:
    """Facts of the flows that ended in [since, until), by end and id. Times are ns UTC."""
    frame = ask(session, QUESTION, {"since_ns": since_ns, "until_ns": until_ns})
    return [_facts(row) for row in frame.iter_rows(named=True)]


def _facts(row: Mapping[str, Any]) -> FlowFacts:
    end_ns = row["end_ns"]
    weight = row["sampling_weight"]
    return FlowFacts(
        flow_id=row["flow_id"],
        at_ns=row["start_ns"] if end_ns is None else end_ns,
        start_ns=row["start_ns"],
        ended=end_ns is not None and row["outcome"] != FlowOutcome.IN_PROGRESS,
        weight=None if weight is None else Fraction(weight),
        values=_values(row),
    )


def _values(row: Mapping[str, Any]) -> dict[str, JsonValue]:
    outcome = row["outcome"]
    known_outcome = outcome not in {FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS}
    saga = _worst(row["verdicts"])
    end_ns = row["end_ns"]
    values = {name: row[name] for name in FACTS if name in row}
    return values | {
        "succeeded": outcome == FlowOutcome.SUCCEEDED if known_outcome else None,
        "correctly_compensated": _correctly_compensated(outcome, saga) if known_outcome else None,
        "saga": saga,
        "duration_ms": None if end_ns is None else (end_ns - row["start_ns"]) / NS_PER_MS,
        "retry_count": row["attempt_count"] - row["step_count"],
        "decision_count": row["decisions"],
        "gate_evaluated": row["gated"] == row["decisions"] if row["decisions"] else None,
        "below_threshold_count": None if row["unscored"] else row["below_threshold"],
        "escalated_count": row["escalated"],
    }


def _worst(verdicts: Sequence[str] | None) -> str | None:
    return min(verdicts, key=WORST_FIRST.index) if verdicts else None


def _correctly_compensated(outcome: str, saga: str | None) -> bool | None:
    if outcome != FlowOutcome.COMPENSATED or saga == Verdict.VIOLATION:
        return False
    return True if saga == Verdict.PASS else None
