"""What the training flows cover: values seen where the program reads, answers to lend."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from replay.infer.abort import Abort
from replay.infer.program import Donor, Operation, Support
from replay.infer.tree import Split, Tree
from replay.infer.view import Instance, Observation, Ref
from replay.leaves import Scalar, is_number, keys_sorted

LATENCIES_MAX = 300
VALUES_MAX = 64
CHOICES_MAX = 6


def donor_of(runs: Sequence[Instance]) -> Donor | None:
    """Collect the successful answers of an operation."""
    answers: list[tuple[int, str, Mapping[str, Scalar]]] = []
    latencies: list[int] = []
    censored: list[int] = []
    failures: Counter[str] = Counter()
    for run in runs:
        for attempt in run.attempts:
            if attempt.status == "ok":
                answers.append(
                    (attempt.latency_ns, repr(sorted(attempt.response.items())), attempt.response)
                )
                latencies.append(attempt.latency_ns)
                continue
            failures[attempt.status] += 1
            if attempt.callee_end_ns is not None and attempt.callee_outcome == "ok":
                latencies.append(attempt.callee_end_ns - attempt.start_ns)
            elif attempt.status == "timeout" and attempt.callee_end_ns is None:
                censored.append(attempt.latency_ns)
    if not answers:
        return None
    answers.sort(key=lambda answer: answer[:2])
    return Donor(
        latencies_ns=_thinned(latencies),
        censored_ns=_thinned(censored),
        response=answers[len(answers) // 2][2],
        answers=sum(len(run.attempts) for run in runs),
        successes=len(answers),
        failure=min(failures, key=lambda status: (-failures[status], status), default=""),
        choices=_choices([response for _, _, response in answers]),
    )


def _choices(answers: Sequence[Mapping[str, Scalar]]) -> dict[str, tuple[Scalar, ...]]:
    """Give what good answers said where they differ: the least and most number, or all words
    (none of too many)."""
    found: dict[str, tuple[Scalar, ...]] = {}
    for path in sorted({path for answer in answers for path in answer}):
        values = {answer.get(path) for answer in answers}
        numbers = [value for value in values if isinstance(value, int | float) and is_number(value)]
        if len(numbers) == len(values) > 1:
            found[path] = (min(numbers), max(numbers))
        elif len(values) > 1:
            words = keys_sorted(list(values)) if len(values) <= CHOICES_MAX else []
            found[path] = tuple(words)
    return found


def _thinned(values: list[int]) -> tuple[int, ...]:
    """Sort, and of too many keep evenly spread ones."""
    values.sort()
    if len(values) <= LATENCIES_MAX:
        return tuple(values)
    last, step = len(values) - 1, LATENCIES_MAX - 1
    return tuple(values[index * last // step] for index in range(LATENCIES_MAX))


def trees_of(operation: Operation) -> list[Tree]:
    """All decisions of an operation that read places of the flow."""
    trees = [operation.guard] if operation.guard is not None else []
    return trees + list(operation.decided.values())


def refs_read(trees: Iterable[Tree]) -> list[Ref]:
    """List the places that trees ask about, in a fixed order."""
    found: set[Ref] = set()
    pending = [tree.root for tree in trees]
    while pending:
        node = pending.pop()
        if isinstance(node, Split):
            found.add(node.test.ref)
            pending.extend((node.yes, node.no))
    return sorted(found)


def support_of(
    observations: Sequence[Observation], operations: Mapping[str, Operation], abort: Abort
) -> tuple[Support, ...]:
    """Give, for every place a decision reads, what was seen there."""
    trees = [tree for operation in operations.values() for tree in trees_of(operation)]
    trees.extend(abort.refusals.values())
    supports = []
    for ref in refs_read(trees):
        if ref[0] in ("status", "draw"):
            continue  # a status is judged by its own rules, and a draw may be any
        seen = [value for o in observations if (value := o.view.value(ref)) is not None]
        numbers = [value for value in seen if isinstance(value, int | float) and is_number(value)]
        if seen and len(numbers) == len(seen):
            supports.append(Support(ref=ref, low=min(numbers), high=max(numbers), values=()))
        else:
            values = keys_sorted(list(set(seen)))[:VALUES_MAX]
            supports.append(Support(ref=ref, low=None, high=None, values=tuple(values)))
    return tuple(supports)
