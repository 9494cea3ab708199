"""Says quickly whether a run did exactly what was recorded.

Most control replays do, and then there is nothing to report. A run that is not seen to be identical
here may be so nevertheless: `replay.divergence` tells.
"""

from collections.abc import Mapping
from itertools import pairwise
from operator import itemgetter

from replay.infer.order import Order
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
    if not low <= recording.duration_ns <= high:
        return False
    output = recording.output
    for path, value in run.output.items():
        if path in output and not same(output[path], value):
            return False
    return _same_calls(run, recorded, program, tolerance_ns)


def _same_calls(run: Run, recorded: AttemptsByKey, program: Program, tolerance_ns: int) -> bool:
    if len(run.calls) != sum(map(len, recorded.values())):
        return False
    # When each node first started and last ended.
    starts: dict[str, int] = {}
    ends: dict[str, int] = {}
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
        if node not in ends:
            starts[node], ends[node] = start, end
            continue
        if end > ends[node]:
            ends[node] = end
        if start < starts[node]:
            starts[node] = start
    if not _in_order(starts, ends, program.order, tolerance_ns):
        return False
    return program.recovery.parallel or _undone_in_order(undone, tolerance_ns)


def _undone_in_order(undone: list[tuple[int, tuple[int, int], int]], tolerance_ns: int) -> bool:
    """Whether compensations (start, place, recorded start) started in the order recorded."""
    if len(undone) < 2:
        return True
    undone.sort(key=_STARTED)
    return all(one[2] <= other[2] + tolerance_ns for one, other in pairwise(undone))


def _in_order(
    starts: Mapping[str, int], ends: Mapping[str, int], order: Order, tolerance_ns: int
) -> bool:
    """Whether each node started when all before it had ended."""
    last = _LONG_AGO
    for node in order.sequence:
        if node not in ends:
            continue
        start, end = starts[node] + tolerance_ns, ends[node]
        # None of those before it can have ended later than all that come earlier in the sequence.
        if last > start and any(ends.get(one, start) > start for one in order.before[node]):
            return False
        if end > last:
            last = end
    return True


def _contains(recorded: Leaves, replayed: Leaves) -> bool:
    """Whether all that was asked now was recorded so; equal values of two types are left open."""
    for path, new in replayed.items():
        old = recorded.get(path)
        if old != new or type(old) is not type(new):
            return False
    return True
