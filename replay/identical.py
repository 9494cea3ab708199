"""Says quickly whether a run did exactly what was recorded.

Most control replays do, and then there is nothing to report. A run that is not seen to be identical
here may be so nevertheless: `replay.divergence` tells.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

from replay.infer.program import Program
from replay.leaves import Leaves, same
from replay.recording import AttemptsByKey, Recording
from replay.run import Run

_LONG_AGO = -(2**63)
_STARTED = itemgetter(0, 1)


def identical(
    run: Run, recording: Recording, recorded: AttemptsByKey, program: Program, tolerance_ns: int
) -> bool:
    """Hold calls, requests, order, times and results of a run to a recording."""
    if run.computed or run.outcome != recording.outcome:
        return False
    low, high = run.end_low - tolerance_ns, run.end_high + tolerance_ns
    output = recording.output
    return (
        low <= recording.duration_ns <= high
        and _same_calls(run, recorded, program, tolerance_ns)
        and all(path not in output or same(output[path], run.output[path]) for path in run.output)
    )


def _same_calls(run: Run, recorded: AttemptsByKey, program: Program, tolerance_ns: int) -> bool:
    if len(run.calls) != sum(map(len, recorded.values())):
        return False
    before = program.order.before
    # The last end of each node, and when its runs started.
    ends = dict.fromkeys(before, _LONG_AGO)
    starts: list[tuple[str, int]] = []
    undone: list[tuple[int, tuple[int, int], int]] = []
    for call in run.calls:
        key, number = call.key, call.attempt
        attempts = recorded.get((call.op, key), ())
        if call.stream != key or number > len(attempts):
            return False
        attempt = attempts[number - 1]
        start = attempt.start_ns
        if not call.low - tolerance_ns <= start <= call.high + tolerance_ns:
            return False
        if call.first and attempt.request and not _contains(attempt.request, call.request):
            return False
        if call.recovery:
            if call.first:
                undone.append((call.start, call.place, start))
            continue
        node, end = call.node, attempt.end_ns
        if end > ends.get(node, _LONG_AGO):
            ends[node] = end
        if call.first:
            starts.append((node, start))
    if not _in_order(starts, ends, before, tolerance_ns):
        return False
    if program.recovery.parallel or len(undone) < 2:
        return True
    undone.sort(key=_STARTED)
    return all(one[2] <= other[2] + tolerance_ns for one, other in pairwise(undone))


def _in_order(
    starts: Sequence[tuple[str, int]],
    ends: Mapping[str, int],
    before: Mapping[str, frozenset[str]],
    tolerance_ns: int,
) -> bool:
    """Whether each node started when all before it had ended."""
    for node, start in starts:
        earlier = before.get(node)
        if earlier and max(map(ends.__getitem__, earlier)) > start + tolerance_ns:
            return False
    return True


def _contains(recorded: Leaves, replayed: Leaves) -> bool:
    """Whether all that was asked now was recorded so; equal values of two types are left open."""
    for path, new in replayed.items():
        old = recorded.get(path)
        if old != new or type(old) is not type(new):
            return False
    return True
