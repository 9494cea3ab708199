"""A program with declared settings changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, nextafter

from replay.infer.binding import Binding
from replay.infer.delay import PPM, TABLE_MAX, Delay
from replay.infer.expression import Constant
from replay.infer.program import Donor, Operation, Program
from replay.infer.tree import Leaf, Split, Test, Tree
from replay.infer.view import base_name
from replay.leaves import is_number, same
from replay.scenario import Change
from store.errors import DataError


def donors_of(program: Program) -> dict[str, Donor]:
    """Give the answers a program can lend."""
    donors: dict[str, Donor] = {}
    for name, operation in sorted(program.operations.items()):
        if operation.donor is not None:
            donors.setdefault(base_name(name), operation.donor)
    return donors


def apply_changes(program: Program, changes: Sequence[Change]) -> Program:
    """Give the program with the changes made; an operation it does not have is refused."""
    operations = dict(program.operations)
    for change in changes:
        names = [name for name in operations if base_name(name) == change.operation]
        if not names:
            known = ", ".join(sorted({base_name(name) for name in operations}))
            raise DataError(
                f"the program of {program.name!r} has no operation {change.operation!r}; "
                f"it has: {known}"
            )
        for name in names:
            operations[name] = _repeating(operations[name], change)
        if change.threshold is not None:
            operations = _threshold(operations, names, change)
    return replace(program, operations=operations)


def _repeating(operation: Operation, change: Change) -> Operation:
    repeat = operation.repeat
    if change.max_attempts is not None:
        repeat = replace(repeat, rule=repeat.unlimited, attempts_max=change.max_attempts)
    if change.backoff_initial_ms is not None:
        coefficient = change.backoff_coefficient or 1.0
        initial = change.backoff_initial_ms * 1_000_000
        old = repeat.delay
        table = tuple(int(initial * min(coefficient**n, 1e12)) for n in range(TABLE_MAX))
        # The jitter of the old backoff is kept: it is the same code with another setting.
        delay = Delay(
            form="scenario",
            table_ns=table,
            usual_ppm=PPM if old is None else old.usual_ppm,
            low_ppm=PPM if old is None else old.low_ppm,
            high_ppm=PPM if old is None else old.high_ppm,
            seen=0 if old is None else old.seen,
            longest_seen=TABLE_MAX,
            declared=True,
        )
        repeat = replace(repeat, delay=delay)
    return replace(operation, repeat=repeat)


def _threshold(
    operations: Mapping[str, Operation], names: Sequence[str], change: Change
) -> dict[str, Operation]:
    """Move the one numeric threshold that these operations decide by, or are judged by."""
    changed = dict(operations)
    moved = 0
    gap: tuple[float, float] | None = None
    for name, operation in operations.items():
        decided = dict(operation.decided)
        guard = operation.guard
        if name in names:
            for path, tree in decided.items():
                decided[path], count, found = _moved(tree, change.threshold or 0.0, None)
                moved += count
                gap = found or gap
        if guard is not None:
            guard, count, found = _moved(guard, change.threshold or 0.0, names)
            moved += count
            gap = found or gap
        changed[name] = replace(operation, decided=decided, guard=guard)
    if not moved or gap is None:
        raise DataError(
            f"no numeric threshold is known for {change.operation!r}: neither what it returns "
            "nor a later branch compares one of its numbers"
        )
    for name in names:
        changed[name] = _constants(changed[name], gap, change.threshold or 0.0)
    return changed


def _moved(
    tree: Tree, threshold: float, names: Sequence[str] | None
) -> tuple[Tree, int, tuple[float, float] | None]:
    """Move the thresholds of a tree; with `names`, only those on their answers."""
    count = 0
    gap: tuple[float, float] | None = None

    def walk(node: Leaf | Split) -> Leaf | Split:
        nonlocal count, gap
        if isinstance(node, Leaf):
            return node
        yes, no = walk(node.yes), walk(node.no)
        test = node.test
        mine = test.kind == "above" and (
            names is None or (test.ref[0] == "answer" and test.ref[1] in names)
        )
        if not mine:
            return replace(node, yes=yes, no=no)
        count += 1
        if node.low is not None and node.high is not None:
            gap = (node.low, node.high)
        # Only a value that equals the threshold leaves open on which side it falls.
        return Split(
            Test(test.ref, "above", threshold),
            nextafter(threshold, -inf),
            nextafter(threshold, inf),
            yes,
            no,
        )

    return replace(tree, root=walk(tree.root)), count, gap


def _constants(operation: Operation, gap: tuple[float, float], threshold: float) -> Operation:
    """Where a step states its threshold as a constant, state the new one."""

    def moved(binding: Binding) -> Binding:
        expression = binding.expression
        if isinstance(expression, Constant) and is_number(expression.value):
            value: float = expression.value  # type: ignore[assignment]
            if gap[0] <= value <= gap[1] and not same(value, threshold):
                return Binding(Constant(threshold), (), binding.count)
        return binding

    return replace(
        operation,
        copied={path: moved(binding) for path, binding in operation.copied.items()},
        request=replace(
            operation.request,
            bound={path: moved(binding) for path, binding in operation.request.bound.items()},
        ),
    )
