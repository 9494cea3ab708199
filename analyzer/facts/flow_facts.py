"""Facts of flows under the names predicates use."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from store.conclusions import FlowOutcome, Verdict
from store.model import JsonValue
from store.query import ask
from store.session import Session

QUESTION = Path(__file__).parent / "flow_facts.sql"
KINDS = Path(__file__).parent / "kinds.sql"
NS_PER_MS = 1_000_000
OWN = ("flow_id", "duration_ms")
"""The facts that flows of one kind do not share."""


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


class Values(Mapping[str, JsonValue]):
    """The facts of one flow: `common` to all of its `kind`, and its own id and duration."""

    __slots__ = ("common", "duration_ms", "flow_id", "kind")

    def __init__(
        self, kind: int, common: Mapping[str, JsonValue], flow_id: str, duration_ms: float | None
    ) -> None:
        self.kind, self.common, self.flow_id = kind, common, flow_id
        self.duration_ms = duration_ms

    def __getitem__(self, name: str) -> JsonValue:
        if name in OWN:
            value: JsonValue = getattr(self, name)
            return value
        return self.common[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*OWN, *self.common))

    def __len__(self) -> int:
        return len(OWN) + len(self.common)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a store answered, before facts are made of it: flows in no order, and their kinds."""

    flows: pl.DataFrame
    kinds: pl.DataFrame


def ask_flow_facts(
    session: Session,
    since_ns: int | None = None,
    until_ns: int | None = None,
    after: int | None = None,
) -> Asked:
    """What `facts_of` makes the facts of, for who holds the store no longer than it takes to ask.

    Takes what `read_flow_facts` takes.
    """
    asked = {"since_ns": since_ns, "until_ns": until_ns, "after": after}
    return Asked(flows=ask(session, QUESTION, asked), kinds=ask(session, KINDS, {}))


def read_flow_facts(
    session: Session,
    since_ns: int | None = None,
    until_ns: int | None = None,
    after: int | None = None,
) -> list[FlowFacts]:
    """Facts of the flows that ended in [since, until), by end and id. Times are ns UTC.

    With `after` only of flows written after that derivation (see `read_derivation`). Flows of one
    kind share what they have in common; `regions` is there where any is known.
    """
    return facts_of(ask_flow_facts(session, since_ns, until_ns, after))


def common_facts(asked: Asked) -> dict[int, Mapping[str, JsonValue]]:
    """What the flows of each kind share."""
    return {kind: _common(json.loads(contents)) for kind, contents in asked.kinds.rows()}


def facts_of(asked: Asked) -> list[FlowFacts]:
    """The facts of the flows that were asked for, by end and id."""
    kinds = common_facts(asked)
    weights: dict[str | None, Fraction | None] = {None: None}
    flows = []
    at_ns = pl.coalesce("end_ns", "start_ns")
    for flow_id, start_ns, end_ns, running, weight, kind in asked.flows.sort(
        at_ns, "flow_id"
    ).rows():
        if weight not in weights:
            weights[weight] = Fraction(weight)
        lasted = None if end_ns is None else (end_ns - start_ns) / NS_PER_MS
        flows.append(
            FlowFacts(
                flow_id=flow_id,
                at_ns=start_ns if end_ns is None else end_ns,
                start_ns=start_ns,
                ended=end_ns is not None and not running,
                weight=weights[weight],
                values=Values(kind, kinds[kind], flow_id, lasted),
            )
        )
    return flows


def _common(told: dict[str, Any]) -> Mapping[str, JsonValue]:
    """The facts that flows of a kind share; None is unknown."""
    outcome, saga = told["outcome"], told["saga"]
    known = outcome not in (FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS)
    undone = None
    if outcome != FlowOutcome.COMPENSATED or saga == Verdict.VIOLATION:
        undone = False
    elif saga == Verdict.PASS:
        undone = True
    facts: dict[str, JsonValue] = {
        **told,
        "succeeded": outcome == FlowOutcome.SUCCEEDED if known else None,
        "correctly_compensated": undone if known else None,
        "retry_count": told["attempt_count"] - told["step_count"],
        "decision_count": told["decisions"],
        "gate_evaluated": told["gated"] == told["decisions"] if told["decisions"] else None,
        "below_threshold_count": None if told["unscored"] else told["below_threshold"],
        "escalated_count": told["escalated"],
    }
    shared = {name: facts[name] for name in FACTS if name not in OWN}
    return {**shared, "regions": told["regions"]} if told["regions"] else shared
