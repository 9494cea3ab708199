"""What a program can see at one moment: the input, and the steps done so far.

The same records describe a recorded flow (for inference) and a running one (for replay), so that
a rule learned on one is read on the other by the same code.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from replay.leaves import Leaves, Scalar, is_number, lists_in
from replay.recording import RecordedAttempt, RecordedStep, Recording

# A place a value can be read from. The first word says where: input and count (a path follows),
# status, breaker, effect and draw (an operation follows), answer, least and most (operation, path),
# tried (operation, status: how many attempts ended so),
# item (leaf of the element at hand), undo (part, path of what is undone), own (a name).
Ref: TypeAlias = tuple[str, ...]

SKIPPED = "skipped"
# An operation repeated in fewer than one of so many flows stands at one place of the program.
PLACES_SHARE_MIN = 20


@dataclass(slots=True)
class Instance:
    """One run of an operation with one key; start and end in nanoseconds of its own clock.

    `tries` are the statuses of its attempts; `undone` is the run that a compensation undoes.
    """

    op: str
    key: str
    start: int
    end: int
    status: str
    response: Leaves
    request: Leaves
    breaker: str | None = None
    effect: str | None = None
    index: int = 0
    item: Leaves | None = None
    undoes: tuple[str, str] | None = None
    undone: "Instance | None" = None
    attempts: Sequence[RecordedAttempt] = ()
    tries: tuple[str, ...] = ()
    draw: float | None = None
    low: int = 0
    high: int = 0


@dataclass(slots=True)
class Node:
    """All runs of one operation in one flow. `status` is the first that is not ok, else ok."""

    op: str
    instances: list[Instance]
    start: int = 0
    end: int = 0
    status: str = "ok"
    low: int = 0
    high: int = 0

    def settle(self) -> "Node":
        """Recompute what is derived from the instances."""
        if len(self.instances) == 1:
            only = self.instances[0]
            self.start, self.end, self.status = only.start, only.end, only.status
            self.low, self.high = only.low, only.high
            return self
        self.start = min(item.start for item in self.instances)
        self.end = max(item.end for item in self.instances)
        self.low = max(item.low for item in self.instances)
        self.high = max(item.high for item in self.instances)
        self.status = next((i.status for i in self.instances if i.status != "ok"), "ok")
        return self


@dataclass(slots=True)
class View:
    """Input and nodes of one flow."""

    input: Leaves
    nodes: dict[str, Node]
    lists: Mapping[str, Sequence[Leaves]] = field(default_factory=dict)

    def value(self, ref: Ref) -> Scalar:
        """Read a place; None when nothing is there."""
        kind = ref[0]
        if kind == "input":
            return self.input.get(ref[1])
        if kind == "count":
            return len(self.lists.get(ref[1], ()))
        node = self.nodes.get(ref[1])
        if node is None:
            return SKIPPED if kind == "status" else None
        if kind == "status":
            return node.status
        if kind == "answer":
            instances = node.instances
            return instances[0].response.get(ref[2]) if len(instances) == 1 else None
        return _of_node(node, kind, ref)


def _of_node(node: Node, kind: str, ref: Ref) -> Scalar:
    if kind == "tried":
        return sum(item.tries.count(ref[2]) for item in node.instances)
    if kind == "breaker":
        return node.instances[-1].breaker
    if kind == "effect":
        return node.instances[-1].effect
    if kind == "draw":
        return node.instances[0].draw
    if kind in ("least", "most"):
        values = [item.response.get(ref[2]) for item in node.instances]
        numbers = [value for value in values if isinstance(value, int | float)]
        if not numbers:
            return None
        return min(numbers) if kind == "least" else max(numbers)
    return None


def drawing_reader(
    value: Callable[[Ref], Scalar], op: str, draw: float | None
) -> Callable[[Ref], Scalar]:
    """Read places of the flow, and what the step at hand has drawn."""
    mine: Ref = ("draw", op)
    return lambda ref: draw if ref == mine else value(ref)


@dataclass(slots=True)
class Observation:
    """One recorded flow, grouped for inference. `good` means it succeeded."""

    recording: Recording
    view: View
    good: bool

    @property
    def nodes(self) -> dict[str, Node]:
        """The recorded nodes by operation."""
        return self.view.nodes


def observe(recording: Recording, split: frozenset[str] = frozenset()) -> Observation:
    """Group a recording's steps into nodes; operations in `split` become one node per place."""
    places = {step.step_id: (step.op, step.key) for step in recording.steps}
    grouped: dict[tuple[str, str], list[tuple[RecordedAttempt, RecordedStep]]] = {}
    for step in recording.steps:
        for attempt in step.attempts:
            grouped.setdefault((step.op, step.key), []).append((attempt, step))
    nodes: dict[str, Node] = {}
    for (op, key), calls in sorted(grouped.items(), key=lambda item: item[0]):
        calls.sort(key=lambda call: (call[0].start_ns, call[0].end_ns, call[0].span_id))
        for name, part in _places(op, calls, op in split):
            undone = part[0][1].undoes
            attempts = tuple(attempt for attempt, _ in part)
            made = _instance(name, key, attempts, places.get(undone) if undone else None)
            nodes.setdefault(name, Node(name, [])).instances.append(made)
    for node in nodes.values():
        node.instances.sort(key=lambda item: (item.start, item.end, item.key))
        node.settle()
    view = View(recording.input, nodes, lists_in(recording.input))
    return Observation(recording, view, recording.outcome == "succeeded")


def _places(
    op: str, calls: list[tuple[RecordedAttempt, RecordedStep]], apart: bool
) -> list[tuple[str, list[tuple[RecordedAttempt, RecordedStep]]]]:
    """Cut the calls of an operation that stands at several places after each ok answer."""
    if not apart:
        return [(op, calls)]
    parts: list[tuple[str, list[tuple[RecordedAttempt, RecordedStep]]]] = []
    current: list[tuple[RecordedAttempt, RecordedStep]] = []
    for call in calls:
        current.append(call)
        if call[0].status == "ok":
            parts.append((place_name(op, len(parts) + 1), current))
            current = []
    if current:
        parts.append((place_name(op, len(parts) + 1), current))
    return parts


def place_name(op: str, number: int) -> str:
    """Name one of several places of an operation."""
    return f"{op}#{number}"


def base_name(op: str) -> str:
    """Give the operation behind the name of a place."""
    head, mark, number = op.rpartition("#")
    return head if mark and number.isdigit() else op


def _instance(
    op: str,
    key: str,
    attempts: Sequence[RecordedAttempt],
    undoes: tuple[str, str] | None,
) -> Instance:
    last = attempts[-1]
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
        undoes=undoes,
        attempts=attempts,
        tries=tuple(attempt.status for attempt in attempts),
        draw=attempts[0].draws[0] if attempts[0].draws else None,
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


@dataclass(slots=True)
class Table:
    """One column per readable place, one row per observation; identifiers are left out."""

    columns: dict[Ref, list[Scalar]]

    def refs(self, ops: Iterable[str]) -> list[Ref]:
        """Columns that exist once the given operations are resolved."""
        wanted = set(ops)
        return [ref for ref in self.columns if ref[0] in ("input", "count") or ref[1] in wanted]


def tabulate(observations: Sequence[Observation], ops: Iterable[str]) -> Table:
    """Fill the table of everything that could decide a branch."""
    refs: set[Ref] = {("status", op) for op in ops}
    for observation in observations:
        refs.update(("input", path) for path in observation.view.input if "[" not in path)
        refs.update(("count", path) for path in observation.view.lists)
        for op, node in observation.nodes.items():
            refs.update(_refs_of(op, node))
    columns: dict[Ref, list[Scalar]] = {}
    for ref in sorted(refs):
        column = [observation.view.value(ref) for observation in observations]
        if informative(column):
            columns[ref] = column
    return Table(columns)


def _refs_of(op: str, node: Node) -> Iterable[Ref]:
    yield ("breaker", op)
    yield ("draw", op)
    single = len(node.instances) == 1
    for instance in node.instances:
        for status in instance.tries[:-1]:
            if status != "ok":
                yield ("tried", op, status)
        for path, value in instance.response.items():
            if single:
                yield ("answer", op, path)
            elif is_number(value) or isinstance(value, bool):
                yield ("least", op, path)
                yield ("most", op, path)


def informative(column: Sequence[Scalar]) -> bool:
    """Say whether a column could decide anything: not constant, and not an identifier."""
    present = [value for value in column if value is not None]
    distinct = set(present)
    if len(distinct) < 2:
        return False
    if all(is_number(value) for value in present):
        return True
    return len(distinct) <= max(6, len(present) // 4)
