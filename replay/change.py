"""A program with declared settings changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, nextafter

from replay.infer.binding import Binding
from replay.infer.delay import PPM, TABLE_MAX, Delay
from replay.infer.expression import Constant
from replay.infer.program import Donor, Operation, Program
from replay.infer.tree import Leaf, Split, Test, Tree, ref_name
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
    threshold = 0.0 if change.threshold is None else change.threshold
    splits = [
        split
        for name, operation in operations.items()
        for split in _thresholds(operation, names, own=name in names)
    ]
    gap = _one_gap(splits, change)
    changed = {}
    for name, operation in operations.items():
        own = name in names
        decided = {
            path: _moved(tree, threshold, gap, None) if own else tree
            for path, tree in operation.decided.items()
        }
        guard = operation.guard
        if guard is not None:
            guard = _moved(guard, threshold, gap, names)
        changed[name] = replace(operation, decided=decided, guard=guard)
    for name in names:
        changed[name] = _constants(changed[name], gap, threshold)
    return changed


def threshold_gap(program: Program, operation: str) -> tuple[float, float]:
    """Give the empty gap in which the one threshold of an operation lies."""
    names = [name for name in program.operations if base_name(name) == operation]
    splits = [
        split
        for name, made in program.operations.items()
        for split in _thresholds(made, names, own=name in names)
    ]
    return _one_gap(splits, Change(operation=operation))


def _thresholds(operation: Operation, names: Sequence[str], *, own: bool) -> list[Split]:
    found: list[Split] = []
    trees = list(operation.decided.values()) if own else []
    for tree in trees:
        found.extend(split for split in _splits(tree) if split.test.kind == "above")
    if operation.guard is not None:
        found.extend(split for split in _splits(operation.guard) if _asks(split, names))
    return found


def _splits(tree: Tree) -> list[Split]:
    found: list[Split] = []
    pending = [tree.root]
    while pending:
        node = pending.pop()
        if isinstance(node, Split):
            found.append(node)
            pending.extend((node.yes, node.no))
    return found


def _asks(split: Split, names: Sequence[str]) -> bool:
    """Say whether a split compares a number that one of these operations answered."""
    ref = split.test.ref
    asked = {"answer": ref[1:2], "latest": ref[2:]}.get(ref[0], ())
    return split.test.kind == "above" and not set(asked).isdisjoint(names)


def _one_gap(splits: Sequence[Split], change: Change) -> tuple[float, float]:
    """Give the gap that holds the threshold; several are told apart by `threshold_from`."""
    gaps = {
        (split.test.ref, split.low, split.high)
        for split in splits
        if split.low is not None and split.high is not None
    }
    wanted = change.threshold_from
    if wanted is not None:
        gaps = {gap for gap in gaps if gap[1] <= wanted <= gap[2]}
    if not gaps:
        raise DataError(
            f"no numeric threshold is known for {change.operation!r}: neither what it returns "
            "nor a later branch compares one of its numbers"
        )
    low, high = max(gap[1] for gap in gaps), min(gap[2] for gap in gaps)
    if len({gap[0] for gap in gaps}) > 1 or low > high:
        listed = "; ".join(f"{ref_name(r)} in {lo}..{hi}" for r, lo, hi in sorted(gaps))
        raise DataError(
            f"{change.operation!r} compares several thresholds; name one by threshold_from: "
            f"{listed}"
        )
    return low, high


def _moved(
    tree: Tree, threshold: float, gap: tuple[float, float], names: Sequence[str] | None
) -> Tree:
    """Move the thresholds that lie in a gap; with `names`, only those on their answers."""

    def walk(node: Leaf | Split) -> Leaf | Split:
        if isinstance(node, Leaf):
            return node
        yes, no = walk(node.yes), walk(node.no)
        mine = node.test.kind == "above" if names is None else _asks(node, names)
        inside = (
            node.low is not None
            and node.high is not None
            and node.low <= gap[0]
            and gap[1] <= node.high
        )
        if not (mine and inside):
            return replace(node, yes=yes, no=no)
        # Only a value that equals the threshold leaves open on which side it falls; and what the
        # recordings on each side had in common was the old threshold's.
        return Split(
            Test(node.test.ref, "above", threshold),
            nextafter(threshold, -inf),
            nextafter(threshold, inf),
            _bare(yes),
            _bare(no),
        )

    return replace(tree, root=walk(tree.root))


def _bare(node: Leaf | Split) -> Leaf | Split:
    """Forget what the recordings behind the leaves had in common."""
    if isinstance(node, Leaf):
        return replace(node, ranges=(), words=())
    return replace(node, yes=_bare(node.yes), no=_bare(node.no))


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
