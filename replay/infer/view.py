"""What a program can see at one moment: the input, and the steps done so far.

The same records describe a recorded flow (for inference) and a running one (for replay), so that
a rule learned on one is read on the other by the same code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct, field

from replay.leaves import Leaves, Scalar, is_number, lists_in
from replay.recording import RecordedAttempt, Recording

# A place a value can be read from. The first word says where: input and count (a path follows),
# status, breaker, effect and draw (an operation follows), answer, least and most (operation, path),
# size (operation, list: how many elements of it were answered),
# tried (operation, status: how many attempts ended so), okays and okshare (operation: how many of
# its runs went well, and which share), latest (path, operations: what the first of these that
# answered it said there),
# item (leaf of the element at hand), undo (part, path of what is undone), own (a name).
Ref: TypeAlias = tuple[str, ...]

SKIPPED = "skipped"
SEVERAL_MAX = 4


class Instance(Struct, gc=False):
    """One run of an operation with one key; start and end in nanoseconds of its own clock.

    `tries` are the statuses of its attempts; `undone` is the run that a compensation undoes.
    `outlived` is when the callee of a given-up attempt was done at last (usual, least, most).
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
    outlived: tuple[int, int, int] = (0, 0, 0)


class Node(Struct, gc=False):
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
        first = self.instances[0]
        start, end, low, high, status = first.start, first.end, first.low, first.high, "ok"
        for item in self.instances:
            if item.start < start:
                start = item.start
            if item.end > end:
                end = item.end
            if item.low > low:
                low = item.low
            if item.high > high:
                high = item.high
            if status == "ok":
                status = item.status
        self.start, self.end, self.low, self.high, self.status = start, end, low, high, status
        return self


class View(Struct):
    """Input and nodes of one flow."""

    input: Leaves
    nodes: dict[str, Node]
    lists: Mapping[str, Sequence[Leaves]] = field(default_factory=dict)

    def value(self, ref: Ref) -> Scalar:
        """Read a place; None when nothing is there."""
        kind = ref[0]
        if kind == "answer":
            if ref[1] not in self.nodes:
                return None
            instances = self.nodes[ref[1]].instances
            return instances[0].response.get(ref[2]) if len(instances) == 1 else None
        if kind == "input":
            return self.input.get(ref[1])
        if kind == "count":
            return len(self.lists.get(ref[1], ()))
        if kind == "latest":
            return self._latest(ref)
        node = self.nodes.get(ref[1])
        if node is None:
            return SKIPPED if kind == "status" else None
        if kind == "status":
            return node.status
        return _of_node(node, kind, ref)

    def _latest(self, ref: Ref) -> Scalar:
        for op in ref[2:]:
            node = self.nodes.get(op)
            if node is not None and len(node.instances) == 1:
                value = node.instances[0].response.get(ref[1])
                if value is not None:
                    return value
        return None


def _of_node(node: Node, kind: str, ref: Ref) -> Scalar:
    if kind == "size":
        return len(lists_in(node.instances[0].response).get(ref[2], ()))
    if kind == "tried":
        return sum(item.tries.count(ref[2]) for item in node.instances)
    if kind == "breaker":
        return node.instances[-1].breaker
    if kind == "effect":
        return node.instances[-1].effect
    if kind in ("okays", "okshare"):
        good = sum(item.status == "ok" for item in node.instances)
        return good if kind == "okays" else good / len(node.instances)
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


def place_name(op: str, number: int) -> str:
    """Name one of several places of an operation."""
    return f"{op}#{number}"


@lru_cache(maxsize=10_000)
def base_name(op: str) -> str:
    """Give the operation behind the name of a place."""
    head, mark, number = op.rpartition("#")
    return head if mark and number.isdigit() else op


@dataclass(slots=True)
class Table:
    """One column per readable place, one row per observation; identifiers are left out."""

    columns: dict[Ref, list[Scalar]]

    def refs(self, ops: Iterable[str]) -> list[Ref]:
        """Columns that exist once the given operations are resolved."""
        wanted = set(ops)
        return [
            ref
            for ref in self.columns
            if ref[0] in ("input", "count")
            or ref[1] in wanted
            or (ref[0] == "latest" and wanted.issuperset(ref[2:]))
        ]


def tabulate(observations: Sequence[Observation], ops: Sequence[str]) -> Table:
    """Fill the table of what could decide a branch; `ops` are in the order of the program."""
    refs: set[Ref] = {("status", op) for op in ops}
    for observation in observations:
        refs.update(("input", path) for path in observation.view.input if "[" not in path)
        refs.update(("count", path) for path in observation.view.lists)
        for op, node in observation.nodes.items():
            refs.update(_refs_of(op, node))
    refs.update(_from_several(refs, ops))
    columns: dict[Ref, list[Scalar]] = {}
    for ref in sorted(refs):
        column = [observation.view.value(ref) for observation in observations]
        if informative(column):
            columns[ref] = column
    return Table(columns)


def _from_several(refs: Iterable[Ref], ops: Sequence[str]) -> Iterable[Ref]:
    """Name values that one of several operations answers: from a cache or its origin, as it is."""
    answering: dict[str, set[str]] = {}
    for ref in refs:
        if ref[0] == "answer":
            answering.setdefault(ref[2], set()).add(ref[1])
    for path, several in answering.items():
        if 2 <= len(several) <= SEVERAL_MAX:
            yield ("latest", path, *(op for op in reversed(ops) if op in several))


def _refs_of(op: str, node: Node) -> Iterable[Ref]:
    yield ("breaker", op)
    yield ("draw", op)
    single = len(node.instances) == 1
    if not single:
        yield ("okays", op)
        yield ("okshare", op)
    for instance in node.instances:
        for status in instance.tries[:-1]:
            if status != "ok":
                yield ("tried", op, status)
        for path, value in instance.response.items():
            if single:
                yield ("answer", op, path)
                if "[0]" in path:
                    yield ("size", op, path.partition("[0]")[0])
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
