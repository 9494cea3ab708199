"""Operations run once per element of a list: which list, how many at once, and when it stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from replay.infer.binding import Binding, bind
from replay.infer.expression import Scope, evaluate, refs_of
from replay.infer.timing import ZERO, Span3, spread
from replay.infer.view import Instance, Observation
from replay.leaves import Leaves, Scalar, lists_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A for-each. `source` is the list: ("input", path) or ("answer", op, path).

    `workers` is how many run at once (0 = all). `between` is the wait before the next element of
    a worker; when all run at once, the time from one element's start to the next one's. `stops`
    says whether a failed element ends it (None: never seen).
    """

    source: tuple[str, ...]
    workers: int
    between: Span3
    stops: bool | None


def elements_of(source: Sequence[str], scope: Scope) -> Sequence[Leaves]:
    """Give the list's elements as they are now."""
    if source[0] == "input":
        return scope.view.lists.get(source[1], ())
    node = scope.view.nodes.get(source[1])
    if node is None or len(node.instances) != 1:
        return ()
    return lists_in(node.instances[0].response).get(source[2], ())


def learn_each(
    observations: Sequence[Observation],
    op: str,
    ancestors: Sequence[str],
    clock_tolerance_ns: int,
    share: float,
) -> tuple[Each, Binding] | None:
    """Find the list behind an operation with several instances; None when none explains it.

    Sets the element of every instance that it explains.
    """
    rows = [observation for observation in observations if op in observation.nodes]
    best: tuple[int, tuple[str, ...], Binding] | None = None
    for source in _sources(rows, ancestors):
        found = _explain(rows, op, source, ancestors, share)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], source, found[1])
    if best is None:
        return None
    _, source, key = best
    _assign(rows, op, source, key)
    workers = _workers(rows, op, clock_tolerance_ns)
    each = Each(
        source=source,
        workers=workers,
        between=_between(rows, op, workers),
        stops=_stops(rows, op, source),
    )
    return each, key


def _sources(rows: Sequence[Observation], ancestors: Sequence[str]) -> list[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for observation in rows:
        found.update(("input", path) for path in observation.view.lists)
        for op in ancestors:
            node = observation.nodes.get(op)
            if node is not None and len(node.instances) == 1:
                lists = lists_in(node.instances[0].response)
                found.update(("answer", op, path) for path in lists)
    return sorted(found)


def _explain(
    rows: Sequence[Observation],
    op: str,
    source: Sequence[str],
    ancestors: Sequence[str],
    share: float,
) -> tuple[int, Binding] | None:
    """Bind the key to the elements, then check that keys and elements are the same sets."""
    for leaf in _leaf_names(rows, source):
        samples = []
        for observation in rows:
            scope = Scope(observation.view)
            elements = elements_of(source, scope)
            for instance in observation.nodes[op].instances:
                item = _element(instance, elements, leaf)
                if item is not None:
                    samples.append((Scope(observation.view, item=item), instance.key))
        if len(samples) < 2:
            continue
        key = bind(samples, ancestors, share)
        if key is None or not any(ref[0] == "item" for ref in refs_of(key.expression)):
            continue
        right = sum(_same_sets(observation, op, source, key) for observation in rows)
        if len(rows) - right <= share * len(rows):
            return right, key
    return None


def _leaf_names(rows: Sequence[Observation], source: Sequence[str]) -> list[str]:
    names: set[str] = set()
    for observation in rows[:20]:
        for element in elements_of(source, Scope(observation.view)):
            names.update(element)
    return sorted(names)


def _element(instance: Instance, elements: Sequence[Leaves], leaf: str) -> Leaves | None:
    """Give the element whose leaf the key is, or contains."""
    containing = []
    for element in elements:
        value = element.get(leaf)
        if value is None or isinstance(value, bool):
            continue
        if str(value) == instance.key:
            return element
        if len(str(value)) > 1 and str(value) in instance.key:
            containing.append(element)
    return max(containing, key=lambda element: len(str(element[leaf])), default=None)


def _wanted(observation: Observation, source: Sequence[str], key: Binding) -> list[Scalar]:
    scope = Scope(observation.view)
    wanted = []
    for item in elements_of(source, scope):
        scope.item = item
        wanted.append(evaluate(key.expression, scope))
    return wanted


def _same_sets(observation: Observation, op: str, source: Sequence[str], key: Binding) -> bool:
    wanted = _wanted(observation, source, key)
    node = observation.nodes[op]
    found = {instance.key for instance in node.instances}
    if found == set(wanted) or (found == {""} and len(wanted) == 1):
        return True
    # A failure may have ended the loop early.
    return node.status != "ok" and found < set(wanted)


def _assign(rows: Sequence[Observation], op: str, source: Sequence[str], key: Binding) -> None:
    for observation in rows:
        wanted = _wanted(observation, source, key)
        elements = elements_of(source, Scope(observation.view))
        for instance in observation.nodes[op].instances:
            if instance.key in wanted:
                instance.index = wanted.index(instance.key)
                instance.item = elements[instance.index]
            elif len(elements) == 1:
                instance.item = elements[0]


def _workers(rows: Sequence[Observation], op: str, tolerance: int) -> int:
    """Most at once, when some flow had more to do than that; else 0."""
    most = longest = 0
    for observation in rows:
        instances = observation.nodes[op].instances
        longest = max(longest, len(instances))
        for instance in instances:
            running = sum(
                other.start <= instance.start and other.end - tolerance > instance.start
                for other in instances
            )
            most = max(most, running)
    most = max(most, 1)
    return most if longest > most else 0


def _between(rows: Sequence[Observation], op: str, workers: int) -> Span3:
    waits = []
    if workers:
        for observation in rows:
            instances = observation.nodes[op].instances
            ends: list[int] = []
            for instance in instances:
                if len(ends) >= workers:
                    ends.sort()
                    waits.append(max(instance.start - ends.pop(0), 0))
                ends.append(instance.end)
        return spread(waits)
    for observation in rows:
        instances = sorted(observation.nodes[op].instances, key=lambda run: run.index)
        waits.extend(after.start - before.start for before, after in pairwise(instances))
    if sum(wait < 0 for wait in waits) > len(waits) // 50:
        return ZERO  # elements start in no fixed order
    return spread([max(wait, 0) for wait in waits])


def _stops(rows: Sequence[Observation], op: str, source: Sequence[str]) -> bool | None:
    went_on = stopped = 0
    for observation in rows:
        elements = elements_of(source, Scope(observation.view))
        instances = observation.nodes[op].instances
        failed = [item for item in instances if item.status != "ok"]
        if not failed:
            continue
        if len(instances) < len(elements):
            stopped += 1
        elif any(item.start >= failed[0].end for item in instances):
            went_on += 1
    if not went_on and not stopped:
        return None
    return stopped > went_on
