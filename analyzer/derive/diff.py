"""How one flow differs from another: in its steps, their order, how they ended, how long they took.

Steps are matched by what they are (callee, name, then key, then which of several it is), never by
their ids, which hold the flow's. Order is compared as far as it is known: two steps that overlap
have none. Durations are of single runs, so a difference is an observation, not an effect.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from store.conclusions import Flow, Step
from store.model import JsonValue

ORDERED_STEPS_MAX = 1_000
"""The order of more matched steps is not compared: every pair of them would have to be."""

FLOW_FIELDS: Mapping[str, Callable[[Flow], JsonValue]] = {
    "name": lambda flow: flow.name,
    "version": lambda flow: flow.version,
    "outcome": lambda flow: flow.outcome.value,
    "architecture": lambda flow: flow.architecture,
    "variant": lambda flow: flow.variant,
    "complete": lambda flow: flow.complete,
    "traces": lambda flow: len(flow.trace_ids),
    "services": lambda flow: list(flow.services),
    "decisions": lambda flow: len(flow.decision_ids),
    "compensations": lambda flow: flow.compensation_count,
}
STEP_FIELDS: Mapping[str, Callable[[Step], JsonValue]] = {
    "outcome": lambda step: step.outcome.value,
    "attempts": lambda step: len(step.attempts),
    "statuses": lambda step: [attempt.status for attempt in step.attempts],
    "callee_outcomes": lambda step: [attempt.callee_outcome for attempt in step.attempts],
    "kind": lambda step: step.kind,
    "service": lambda step: step.service,
    "role": lambda step: step.role,
    "effects": lambda step: sum(attempt.took_effect is True for attempt in step.attempts),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that differs, with its value in either flow."""

    field: str
    a: JsonValue
    b: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDifference:
    """One step of A, of B, or of both.

    `change` is added, removed, moved, changed or same; a step that moved may have changed too.
    Shares are of the flow's duration.
    """

    change: str
    a: Step | None
    b: Step | None
    fields: Sequence[Difference] = ()
    took_a_ns: int | None = None
    took_b_ns: int | None = None
    share_a: float | None = None
    share_b: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDiff:
    """`order_compared` is False when there were too many steps to."""

    a: Flow
    b: Flow
    fields: Sequence[Difference]
    steps: Sequence[StepDifference]
    order_compared: bool

    @property
    def same(self) -> bool:
        """Whether nothing but times and ids differs."""
        return not self.fields and all(step.change == "same" for step in self.steps)


def diff(a: Flow, b: Flow) -> FlowDiff:
    """What is different in B, step by step in B's order; what only A has stands where it was."""
    matched = _matched(a.steps, b.steps)
    pairs = [(one, other) for one, other in matched if one is not None and other is not None]
    compared = len(pairs) <= ORDERED_STEPS_MAX
    moved = _moved(pairs) if compared else frozenset()
    return FlowDiff(
        a=a,
        b=b,
        fields=_differences(FLOW_FIELDS, a, b),
        steps=[_step(a, b, one, other, moved) for one, other in matched],
        order_compared=compared,
    )


def _differences(
    fields: Mapping[str, Callable[..., JsonValue]], a: object, b: object
) -> list[Difference]:
    return [
        Difference(field=name, a=read(a), b=read(b))
        for name, read in fields.items()
        if read(a) != read(b)
    ]


def _step(
    a: Flow, b: Flow, one: Step | None, other: Step | None, moved: frozenset[str]
) -> StepDifference:
    if one is None or other is None:
        change, fields = ("added" if one is None else "removed"), []
    else:
        fields = _differences(STEP_FIELDS, one, other)
        change = "moved" if other.step_id in moved else "changed" if fields else "same"
    took_a, took_b = _took(one), _took(other)
    return StepDifference(
        change=change,
        a=one,
        b=other,
        fields=fields,
        took_a_ns=took_a,
        took_b_ns=took_b,
        share_a=_share(took_a, a),
        share_b=_share(took_b, b),
    )


def _took(step: Step | None) -> int | None:
    return None if step is None or step.end_ns is None else step.end_ns - step.start_ns


def _share(took_ns: int | None, flow: Flow) -> float | None:
    whole = 0 if flow.end_ns is None else flow.end_ns - flow.start_ns
    return None if took_ns is None or whole <= 0 else round(took_ns / whole, 4)


def _matched(a: Sequence[Step], b: Sequence[Step]) -> list[tuple[Step | None, Step | None]]:
    """Pairs in B's order; what only A has comes after the step of A it came after."""
    partner: dict[str, Step] = {}
    rest_a, rest_b = list(_in_order(a)), list(_in_order(b))
    for identity in (_with_key, _without_key):
        waiting: dict[tuple[str, ...], list[Step]] = defaultdict(list)
        for step in reversed(rest_a):
            waiting[identity(step)].append(step)
        for step in rest_b:
            if waiting[identity(step)]:
                partner[step.step_id] = waiting[identity(step)].pop()
        taken = {step.step_id for step in partner.values()}
        rest_a = [step for step in rest_a if step.step_id not in taken]
        rest_b = [step for step in rest_b if step.step_id not in partner]
    return _woven(_in_order(a), _in_order(b), partner)


def _woven(
    a: Sequence[Step], b: Sequence[Step], partner: Mapping[str, Step]
) -> list[tuple[Step | None, Step | None]]:
    taken = {step.step_id for step in partner.values()}
    after: dict[str | None, list[Step]] = defaultdict(list)
    last: str | None = None
    for step in a:
        if step.step_id in taken:
            last = step.step_id
        else:
            after[last].append(step)
    woven: list[tuple[Step | None, Step | None]] = [(step, None) for step in after[None]]
    for step in b:
        one = partner.get(step.step_id)
        woven.append((one, step))
        if one is not None:
            woven += [(removed, None) for removed in after[one.step_id]]
    return woven


def _in_order(steps: Sequence[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: (step.start_ns, step.step_id))


def _with_key(step: Step) -> tuple[str, ...]:
    return (step.callee, step.name, step.key)


def _without_key(step: Step) -> tuple[str, ...]:
    return (step.callee, step.name)


def _moved(pairs: Sequence[tuple[Step, Step]]) -> frozenset[str]:
    """The fewest steps whose absence leaves no contradiction in order, as a greedy walk finds them.

    Two steps contradict each other when one ended before the other began in A, and after it in B.
    """
    against: dict[int, set[int]] = defaultdict(set)
    for i, (one_a, one_b) in enumerate(pairs):
        for j in range(i):
            other_a, other_b = pairs[j]
            if (_before(one_a, other_a) and _before(other_b, one_b)) or (
                _before(other_a, one_a) and _before(one_b, other_b)
            ):
                against[i].add(j)
                against[j].add(i)
    moved: set[str] = set()
    while any(against.values()):
        worst = max(sorted(against), key=lambda at: len(against[at]))
        for other in against.pop(worst):
            against[other].discard(worst)
        moved.add(pairs[worst][1].step_id)
    return frozenset(moved)


def _before(one: Step, other: Step) -> bool:
    return one.end_ns is not None and one.end_ns <= other.start_ns
