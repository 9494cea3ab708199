"""Facts of flows under the names predicates use."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from polars import Expr, col, when

from store.conclusions import FlowOutcome, Verdict
from store.model import JsonValue
from store.query import ask
from store.session import Session

QUESTION = Path(__file__).parent / "flow_facts.sql"


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
    session: Session,
    since_ns: int | None = None,
    until_ns: int | None = None,
    after: int | None = None,
) -> list[FlowFacts]:
    """Facts of the flows that ended in [since, until), by end and id. Times are ns UTC.

    With `after` only of flows written after that derivation (see `read_derivation`).
    """
    asked = {"since_ns": since_ns, "until_ns": until_ns, "after": after}
    frame = ask(session, QUESTION, asked)
    values = frame.with_columns(**_DERIVED).select(list(FACTS)).iter_rows(named=True)
    weights: dict[str | None, Fraction | None] = {None: None}
    flows = []
    for (flow_id, start_ns, end_ns, outcome, weight), known in zip(
        frame.select("flow_id", "start_ns", "end_ns", "outcome", "sampling_weight").iter_rows(),
        values,
        strict=True,
    ):
        if weight not in weights:
            weights[weight] = Fraction(weight)
        flows.append(
            FlowFacts(
                flow_id=flow_id,
                at_ns=start_ns if end_ns is None else end_ns,
                start_ns=start_ns,
                ended=end_ns is not None and outcome != FlowOutcome.IN_PROGRESS,
                weight=weights[weight],
                values=known,
            )
        )
    return flows


def _derived() -> dict[str, Expr]:
    """The facts that are no column of the question; null is unknown."""
    outcome, saga = col("outcome"), col("saga")
    known = ~outcome.is_in([FlowOutcome.UNKNOWN.value, FlowOutcome.IN_PROGRESS.value])
    compensated = outcome == FlowOutcome.COMPENSATED.value
    undone = (
        when(~compensated | (saga == Verdict.VIOLATION.value).fill_null(False))
        .then(False)
        .when((saga == Verdict.PASS.value).fill_null(False))
        .then(True)
    )
    return {
        "succeeded": when(known).then(outcome == FlowOutcome.SUCCEEDED.value),
        "correctly_compensated": when(known).then(undone),
        "retry_count": col("attempt_count") - col("step_count"),
        "decision_count": col("decisions"),
        "gate_evaluated": when(col("decisions") > 0).then(col("gated") == col("decisions")),
        "below_threshold_count": when(col("unscored") == 0).then(col("below_threshold")),
        "escalated_count": col("escalated"),
    }


_DERIVED = _derived()
