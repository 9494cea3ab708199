"""When a call is made again, be it a retry or a poll, and after which delay."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from replay.infer.delay import Delay, learn_delay
from replay.infer.grow import grow
from replay.infer.order import Order
from replay.infer.tree import Tree
from replay.infer.view import Instance, Observation, Ref, base_name, informative
from replay.leaves import Leaves, Scalar, is_number
from replay.recording import RecordedAttempt, RecordedStep

SHARE_MIN = 8
POOLED_DEPTH = 7
STATUS: Ref = ("own", "status")
NUMBER: Ref = ("own", "number")
BREAKER: Ref = ("own", "breaker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The again-rule of one operation.

    `statuses` are those the rule was made from, `states` the failing (status, attempt number)
    pairs; `most` is the highest attempt number that was followed by another. `attempts_max` is
    set when it was declared.
    """

    rule: Tree
    unlimited: Tree
    statuses: tuple[str, ...]
    states: tuple[str, ...]
    most: int
    delay: Delay | None
    attempts_max: int | None = None

    def again(
        self, attempt: tuple[str, Leaves, str | None], number: int, pooled: Tree | None
    ) -> tuple[bool, list[tuple[str, Any]]]:
        """Say whether attempt `number` with this answer is followed by another."""
        status, response, breaker = attempt
        if self.attempts_max is not None and number >= self.attempts_max and status != "ok":
            return False, []

        def value(ref: Ref) -> Scalar:
            if ref == STATUS:
                return status
            if ref == NUMBER:
                return number
            return breaker if ref == BREAKER else response.get(ref[1])

        if status not in self.statuses:
            if status == "ok" or pooled is None:
                return False, [("novel_status", [status])]
            label, _ = pooled.read(value)
            return bool(label), [("novel_status", [status])]
        label, doubts = self.rule.read(value)
        if status == "ok":
            doubts = [doubt for doubt in doubts if doubt[0] != "low_support"]
        again = bool(label)
        limited = self.attempts_max is not None
        unseen = state(status, number) not in self.states
        if status != "ok" and not limited and number <= self.most + 1 and unseen:
            doubts.append(("unseen_attempt_state", [status, number]))
        if again and not limited and number > self.most:
            doubts.append(("beyond_seen_attempts", [number]))
        return again, doubts


def state(status: str, number: int) -> str:
    """Write a (status, attempt number) pair."""
    return f"{status}@{number}"


def learn_repeats(
    observations: Sequence[Observation],
    order: Order,
    declared: Mapping[str, RecordedStep],
    cut: Set[int] = frozenset(),
) -> tuple[dict[str, Repeat], Tree | None]:
    """Fit every operation's again-rule, and one over all failing attempts for unseen statuses.

    Of the runs whose ids are in `cut` nobody knows whether their last attempt was the last.
    """
    by_op: dict[str, list[Instance]] = {}
    known: dict[str, list[tuple[Instance, Mapping[Ref, Scalar]]]] = {}
    for observation in observations:
        for op, node in observation.nodes.items():
            if not node.instances[0].attempts:
                continue  # no call, but the moment at which one of several ended
            by_op.setdefault(op, []).extend(node.instances)
            before = order.before.get(op, frozenset())
            again = [item for item in node.instances if len(item.attempts) > 1]
            stated = _numbers(observation, before) if again else {}
            known.setdefault(op, []).extend((item, stated) for item in again)
    repeats = {
        op: _learn(instances, known[op], declared.get(base_name(op)), cut)
        for op, instances in sorted(by_op.items())
    }
    repeats = _share_jitter(repeats)
    statuses: list[Scalar] = []
    numbers: list[Scalar] = []
    labels: list[bool] = []
    for _, instances in sorted(by_op.items()):
        for instance in instances:
            for number, attempt in enumerate(instance.attempts, 1):
                if attempt.status != "ok" and not _unknown(instance, number, cut):
                    statuses.append(attempt.status)
                    numbers.append(number)
                    labels.append(number < len(instance.attempts))
    if not labels:
        return repeats, None
    pooled = grow(
        {STATUS: statuses, NUMBER: numbers}, labels, _rank, depth=POOLED_DEPTH, validate=False
    )
    return repeats, pooled


def _share_jitter(repeats: Mapping[str, Repeat]) -> dict[str, Repeat]:
    """Give declared backoffs with few retries the jitter of those with many: one retry library."""
    rich = [
        repeat.delay
        for repeat in repeats.values()
        if repeat.delay is not None and repeat.delay.declared and repeat.delay.seen >= SHARE_MIN
    ]
    if not rich:
        return dict(repeats)
    most = max(rich, key=lambda delay: delay.seen)
    low, high = min(d.low_ppm for d in rich), max(d.high_ppm for d in rich)
    shared = {}
    for op, repeat in repeats.items():
        delay = repeat.delay
        if delay is not None and delay.declared and delay.seen < SHARE_MIN:
            delay = replace(
                delay,
                usual_ppm=most.usual_ppm if delay.seen < 3 else delay.usual_ppm,
                low_ppm=low,
                high_ppm=high,
                jitter=delay.jitter or most.jitter,
            )
        shared[op] = replace(repeat, delay=delay)
    return shared


def _rank(ref: Ref) -> int:
    return {STATUS: 0, NUMBER: 1, BREAKER: 3}.get(ref, 2)


def _unknown(instance: Instance, number: int, cut: Set[int]) -> bool:
    return id(instance) in cut and number == len(instance.attempts)


def _numbers(observation: Observation, ops: Set[str]) -> dict[Ref, Scalar]:
    """Give the numbers in the input and in the answers of these operations."""
    found: dict[Ref, Scalar] = {
        ("input", path): value for path, value in observation.view.input.items() if is_number(value)
    }
    for op in ops & observation.nodes.keys():
        node = observation.nodes[op]
        if len(node.instances) == 1:
            answer = node.instances[0].response
            found.update({("answer", op, p): v for p, v in answer.items() if is_number(v)})
    return found


def _learn(
    instances: Sequence[Instance],
    again: Sequence[tuple[Instance, Mapping[Ref, Scalar]]],
    declared: RecordedStep | None,
    cut: Set[int],
) -> Repeat:
    if declared is not None and _contradicted(instances, declared.max_attempts):
        declared = None  # others than the caller call again, such as a broker that redelivers
    limit = None if declared is None else declared.max_attempts
    attempts: list[tuple[RecordedAttempt, int]] = []
    labels: list[bool] = []
    states: set[str] = set()
    for instance in instances:
        for number, attempt in enumerate(instance.attempts, 1):
            if _unknown(instance, number, cut):
                continue
            if attempt.status != "ok":
                states.add(state(attempt.status, number))
                if limit is not None and number >= limit:
                    continue
            attempts.append((attempt, number))
            labels.append(number < len(instance.attempts))
    most = max(
        (number for (_, number), more in zip(attempts, labels, strict=True) if more), default=0
    )
    if not labels:
        attempts = [(instances[0].attempts[-1], 1)]
        labels = [False]
    rule = grow(_columns(attempts, limit is None), labels, _rank, validate=False)
    early = [row for row, (_, number) in enumerate(attempts) if number <= max(most, 1)]
    unlimited = grow(
        _columns([attempts[row] for row in early], False),
        [labels[row] for row in early],
        _rank,
        validate=False,
    )
    return Repeat(
        rule=rule,
        unlimited=unlimited,
        statuses=tuple(sorted({attempt.status for attempt, _ in attempts} | {"ok"})),
        states=tuple(sorted(states)),
        most=most,
        delay=learn_delay(again, declared),
        attempts_max=limit,
    )


def _contradicted(instances: Sequence[Instance], limit: int | None) -> bool:
    """Whether some call was made again after as many failures as are said to be the most."""
    return limit is not None and any(
        0 < limit < len(instance.tries) and "ok" not in instance.tries[:limit]
        for instance in instances
    )


def _columns(
    attempts: Sequence[tuple[RecordedAttempt, int]], numbered: bool
) -> dict[Ref, list[Scalar]]:
    columns: dict[Ref, list[Scalar]] = {STATUS: [attempt.status for attempt, _ in attempts]}
    if numbered or all(attempt.status == "ok" for attempt, _ in attempts):
        columns[NUMBER] = [number for _, number in attempts]
    breakers: list[Scalar] = [attempt.breaker_state for attempt, _ in attempts]
    if informative(breakers):
        columns[BREAKER] = breakers
    for path in sorted({path for attempt, _ in attempts for path in attempt.response}):
        column = [attempt.response.get(path) for attempt, _ in attempts]
        if informative(column):
            columns["answer", path] = column
    return columns
