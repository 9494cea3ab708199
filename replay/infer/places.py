"""Recorded flows grouped into nodes: one per operation, or one per place it stands at.

A program may call one operation at several places. They are told apart in three ways: by what
comes between two calls that went well, by the few constant keys it is called with, and by whether
it ran beside another operation or after it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from replay.infer.order import Order
from replay.infer.timing import loose
from replay.infer.view import Instance, Node, Observation, View, place_name
from replay.infer.waits import learn_waits
from replay.leaves import lists_in
from replay.recording import RecordedAttempt, RecordedStep, Recording

# An operation repeated in fewer than one of so many flows stands at one place of the program.
PLACES_SHARE_MIN = 20
TARGETS_MAX = 4
TARGET_SEEN_MIN = 5
BESIDE_SEEN_MIN = 5
_Call = tuple[RecordedAttempt, RecordedStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Operations that stand at several places.

    `twice` are cut after each answer that went well, `targets` by their few keys, `beside` by
    whether they started before the named operation had ended (place 1) or not (place 2).
    """

    twice: frozenset[str] = frozenset()
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All operations with several places."""
        return tuple(sorted({*self.twice, *self.targets, *self.beside}))


NOWHERE = Places()


def observe(recording: Recording, places: Places = NOWHERE, tolerance_ns: int = 0) -> Observation:
    """Group a recording's steps into nodes."""
    grouped: dict[tuple[str, str], list[_Call]] = {}
    for step in recording.steps:
        for attempt in step.attempts:
            grouped.setdefault((step.op, step.key), []).append((attempt, step))
    ends = _ends(recording, places)
    nodes: dict[str, Node] = {}
    homes: dict[str, tuple[str, str]] = {}
    made: list[tuple[Instance, str | None]] = []
    for (op, key), calls in sorted(grouped.items(), key=lambda item: item[0]):
        calls.sort(key=lambda call: (call[0].start_ns, call[0].end_ns, call[0].span_id))
        for name, part in _places(op, key, calls, places, ends, tolerance_ns):
            instance = _instance(name, key, tuple(attempt for attempt, _ in part))
            nodes.setdefault(name, Node(name, [])).instances.append(instance)
            made.append((instance, part[0][1].undoes))
            for _, step in part:
                homes.setdefault(step.step_id, (name, key))
    for instance, undoes in made:
        instance.undoes = homes.get(undoes) if undoes else None
    for node in nodes.values():
        node.instances.sort(key=lambda item: (item.start, item.end, item.key))
        node.settle()
    view = View(recording.input, nodes, lists_in(recording.input))
    return Observation(recording, view, recording.outcome == "succeeded")


def _ends(recording: Recording, places: Places) -> dict[str, int]:
    """Give when the operations ended beside which others may run."""
    wanted = set(places.beside.values())
    ends: dict[str, int] = {}
    for step in recording.steps:
        if step.op in wanted:
            for attempt in step.attempts:
                ends[step.op] = max(attempt.end_ns, ends.get(step.op, 0))
    return ends


def _places(
    op: str,
    key: str,
    calls: list[_Call],
    places: Places,
    ends: Mapping[str, int],
    tolerance_ns: int,
) -> list[tuple[str, list[_Call]]]:
    """Cut the calls under one key into the places of their operation."""
    if op in places.targets and key in places.targets[op]:
        return [(place_name(op, places.targets[op].index(key) + 1), calls)]
    if op in places.beside:
        end = ends.get(places.beside[op])
        early = end is not None and calls[0][0].start_ns < end - tolerance_ns
        return [(place_name(op, 1 if early else 2), calls)]
    if op not in places.twice:
        return [(op, calls)]
    parts: list[tuple[str, list[_Call]]] = []
    current: list[_Call] = []
    for call in calls:
        current.append(call)
        if call[0].status == "ok":
            parts.append((place_name(op, len(parts) + 1), current))
            current = []
    if current:
        parts.append((place_name(op, len(parts) + 1), current))
    return parts


def _instance(
    op: str,
    key: str,
    attempts: Sequence[RecordedAttempt],
) -> Instance:
    last = attempts[-1]
    done = max(attempt.callee_end_ns or 0 for attempt in attempts)
    return Instance(
        op=op,
        key=key,
        start=attempts[0].start_ns,
        end=max(attempt.end_ns for attempt in attempts),
        status=last.status,
        response=last.response,
        request=attempts[0].request,
        breaker=last.breaker_state,
        effect=last.callee_outcome,
        attempts=attempts,
        tries=tuple(attempt.status for attempt in attempts),
        draw=attempts[0].draws[0] if attempts[0].draws else None,
        outlived=(done, done, done),
    )


def places_called_twice(observations: Iterable[Observation]) -> frozenset[str]:
    """Find operations repeated after an ok answer with one other operation always between.

    That is one operation at two places of the program, or a loop of several calls, unrolled; but
    not what happens to few flows only, such as a message that was delivered twice.
    """
    flows: dict[str, set[str]] = {}
    present: Counter[str] = Counter()
    repeats: dict[str, int] = {}
    between: dict[str, dict[str, int]] = {}
    for observation in observations:
        nodes = observation.nodes
        present.update(nodes.keys())
        for op, node in nodes.items():
            for instance in node.instances:
                if len(instance.attempts) < 2:
                    continue
                for first, second in zip(instance.attempts, instance.attempts[1:], strict=False):
                    if first.status != "ok":
                        continue
                    repeats[op] = repeats.get(op, 0) + 1
                    flows.setdefault(op, set()).add(observation.recording.flow_id)
                    for other in _inside(nodes, op, first.end_ns, second.start_ns):
                        counts = between.setdefault(op, {})
                        counts[other] = counts.get(other, 0) + 1
    return frozenset(
        op
        for op, count in repeats.items()
        if count >= 2
        and max(between.get(op, {}).values(), default=0) >= 0.98 * count
        and len(flows[op]) * PLACES_SHARE_MIN >= present[op]
    )


def _inside(nodes: Mapping[str, Node], op: str, after: int, before: int) -> set[str]:
    return {
        other
        for other, node in nodes.items()
        if other != op
        for instance in node.instances
        for attempt in instance.attempts
        if attempt.start_ns >= after and attempt.end_ns <= before
    }


def fixed_targets(
    observations: Sequence[Observation], bound: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Find operations called under a few constant keys: each key is a place of its own.

    `bound` are operations whose keys a list explains. Keys come in the order of their calls.
    """
    taken = set(bound)
    seen: dict[str, Counter[str]] = {}
    several: set[str] = set()
    firsts: dict[tuple[str, str], list[int]] = {}
    for observation in observations:
        for op, node in observation.nodes.items():
            if op in taken:
                continue
            seen.setdefault(op, Counter()).update(item.key for item in node.instances)
            if len(node.instances) > 1:
                several.add(op)
                for rank, item in enumerate(node.instances):
                    firsts.setdefault((op, item.key), []).append(rank)
    found = {}
    for op in sorted(several):
        counts = seen[op]
        if len(counts) <= TARGETS_MAX and min(counts.values()) >= TARGET_SEEN_MIN:
            ranks = {key: sum(firsts.get((op, key), (0,))) for key in counts}
            found[op] = tuple(sorted(counts, key=lambda key: (ranks[key], key)))
    return found


def runs_beside(
    observations: Sequence[Observation], order: Order, tolerance_ns: int
) -> dict[str, str]:
    """Find operations that start beside another one in some flows and wait for it in others.

    Whether they wait is then a branch of the program like any other. Told by times: those that
    wait start right after the end of the other, and no wait would explain the starts of all.
    """
    waits = learn_waits(observations, order, {})
    found: dict[str, str] = {}
    for op in order.sequence:
        if not waits.loose.get(op):
            continue
        rows = [o for o in observations if op in o.nodes and len(o.nodes[op].instances) == 1]
        fits = [
            (len(close), other)
            for other in order.sequence
            if other != op and other not in order.before[op] and op not in order.before[other]
            if (close := _waiting(rows, op, other, waits.think_ns, tolerance_ns))
        ]
        if fits:
            found[op] = max(fits)[1]
    return {op: other for op, other in found.items() if other not in found}


def _waiting(
    rows: Sequence[Observation], op: str, other: str, think_ns: int, tolerance_ns: int
) -> list[int]:
    """Give the waits for `other` where it was waited for; none unless both were seen often."""
    both = [o for o in rows if other in o.nodes]
    waited = [o for o in both if o.nodes[op].start >= o.nodes[other].end - tolerance_ns]
    after = [_since_last(o, o.nodes[op].start, tolerance_ns) for o in waited]
    if min(len(both) - len(after), len(after)) < BESIDE_SEEN_MIN or loose(after, think_ns):
        return []
    return after


def _since_last(observation: Observation, start_ns: int, tolerance_ns: int) -> int:
    """Give how long nothing had ended when a step started."""
    ends = [n.end for n in observation.nodes.values() if n.end <= start_ns + tolerance_ns]
    return max(start_ns - max(ends), 0)
