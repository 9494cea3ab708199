"""Where sagas turn, and where they end: pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analyzer.sagas.view import ABORTED
from store.conclusions import Flow, StepOutcome

NONE_FAILED = "no step failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Flows of one kind that gave up at one step and ended in one way."""

    name: str
    at: str
    outcome: str
    flows: int


def ways(flows: Iterable[Flow]) -> list[Way]:
    """Ways of the flows that were given up, the most frequent first."""
    return ways_of(counted_ways(flows))


def counted_ways(flows: Iterable[Flow]) -> Counter[tuple[str, str, str]]:
    """Flows that were given up, by kind, step and outcome; such counts add up."""
    return Counter(
        (flow.name, turned_at(flow), flow.outcome.value)
        for flow in flows
        if flow.outcome in ABORTED
    )


def ways_of(counted: Mapping[tuple[str, str, str], int]) -> list[Way]:
    """The ways that were counted, the most frequent first."""
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [
        Way(name=name, at=at, outcome=outcome, flows=number)
        for (name, at, outcome), number in ordered
    ]


def turned_at(flow: Flow) -> str:
    """The last forward step that did not go well before the first compensation began."""
    undoing = [step.start_ns for step in flow.steps if step.role == "compensation"]
    until = min(undoing, default=None)
    bad = [
        step
        for step in flow.steps
        if step.role != "compensation"
        and step.outcome not in (StepOutcome.OK, StepOutcome.UNKNOWN)
        and (until is None or step.start_ns <= until)
        and step.parent_step_id is None
    ]
    last = max(bad, key=lambda step: (step.start_ns, step.step_id), default=None)
    return NONE_FAILED if last is None else f"{last.name} ({last.outcome.value})"
