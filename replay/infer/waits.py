"""How long a step waits after the last of its ancestors."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from replay.infer.chain import Chain
from replay.infer.each import Each
from replay.infer.order import Order, last_before
from replay.infer.timing import CASES_MIN, Span3, loose, middle_of, spread
from replay.infer.view import Observation

UNAWAITED_MIN = 2
# What is longer than so many usual waits is no thinking.
PAUSE_THINKS = 15
PAUSE_ONE_OF = 30
START = ""


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits per operation, over all and after each ancestor that ended last; `think_ns` is the
    usual one. `loose` names, per operation, the ancestors after which its wait is not explained
    ("" stands for none). `pause_ns` is how long the machine may pause once in a flow."""

    overall: Mapping[str, Span3]
    after: Mapping[str, Mapping[str, Span3]]
    think_ns: int
    loose: Mapping[str, tuple[str, ...]]
    pause_ns: int


def learn_waits(
    observations: Sequence[Observation],
    order: Order,
    eaches: Mapping[str, Each],
    chains: Mapping[str, Chain] | None = None,
    moments: Iterable[str] = (),
) -> Waits:
    """Measure the waits in all recordings; of a loop only that before its first round.

    `moments` are nodes that wait for nothing: they come when another one ends.
    """
    chains = chains or {}
    inside = {*moments, *(member for chain in chains.values() for member in chain.members)}
    samples: dict[str, dict[str, list[int]]] = {op: {} for op in order.sequence}
    for observation in observations:
        for op in order.sequence:
            node = observation.nodes.get(op)
            if node is None or op in inside:
                continue
            last = last_before(order.before[op], observation.nodes)
            ready = 0 if last is None else last.end
            each = eaches.get(op)
            runs = node.instances
            if each is not None and each.workers:
                runs = runs[: each.workers]
            elif op in chains:
                runs = runs[:1]
            elif each is not None and each.between.count:
                runs = [min(runs, key=lambda run: run.index)]
            waits = samples[op].setdefault(START if last is None else last.op, [])
            waits.extend(max(run.start - ready, 0) for run in runs)
    everything = [
        wait for groups in samples.values() for waits in groups.values() for wait in waits
    ]
    think = max(middle_of(everything), 1) if everything else 1
    overall = {}
    after: dict[str, dict[str, Span3]] = {}
    unexplained = {}
    for op, groups in samples.items():
        flat = [wait for waits in groups.values() for wait in waits]
        overall[op] = spread(flat)
        after[op] = {
            last: spread(waits) if len(waits) >= CASES_MIN else _counted(overall[op], len(waits))
            for last, waits in sorted(groups.items())
        }
        unexplained[op] = tuple(
            last for last, waits in sorted(groups.items()) if loose(waits, think)
        )
    tight = [
        waits
        for op, groups in samples.items()
        for last, waits in groups.items()
        if last not in unexplained[op]
    ]
    return Waits(overall, after, think, unexplained, _pause(observations, tight, think))


def _pause(
    observations: Sequence[Observation], tight: Iterable[Sequence[int]], think_ns: int
) -> int:
    """Give how long the machine may pause once in a flow, wherever that is.

    A pause seen at one wait may come at any other, and the next may well be twice as long as the
    longest seen. Of more than so much of a flow nothing would be known.
    """
    longest = max((max(w) - middle_of(w) for w in tight if len(w) >= CASES_MIN), default=0)
    if longest <= PAUSE_THINKS * think_ns:
        return 0
    usual = middle_of([observation.recording.duration_ns for observation in observations])
    return min(2 * longest, usual // PAUSE_ONE_OF)


def learn_unawaited(observations: Sequence[Observation], tolerance_ns: int) -> tuple[str, ...]:
    """Name the operations that some flow did not wait for: they ran on after its end."""
    counts: dict[str, int] = {}
    for observation in observations:
        for op, node in observation.nodes.items():
            late = node.end > observation.recording.duration_ns + tolerance_ns
            counts[op] = counts.get(op, 0) + late
    return tuple(op for op, count in sorted(counts.items()) if count >= UNAWAITED_MIN)


def lasts_for_callees(observations: Sequence[Observation], tolerance_ns: int) -> bool:
    """Whether flows end when their callees are done, be it after their callers gave up.

    The end of a flow that nobody conducts is that of its last span.
    """
    seen = [o for o in observations if outlived(o) > max(n.end for n in o.nodes.values())]
    return len(seen) >= UNAWAITED_MIN and all(
        o.recording.duration_ns >= outlived(o) - tolerance_ns for o in seen
    )


def outlived(observation: Observation) -> int:
    """Give when the last callee was done, as it says itself; 0 where none says."""
    nodes = observation.nodes.values()
    return max((item.outlived[0] for node in nodes for item in node.instances), default=0)


def learn_end_waits(
    observations: Sequence[Observation], unawaited: Sequence[str], for_callees: bool
) -> dict[str, Span3]:
    """Measure how long a flow goes on after its last step: by that step, and under "" over all.

    A step that is not waited for is not the last, unless there is no other. With `for_callees`
    flows that lasted for a callee say nothing about that wait, but that it was none.
    """
    groups: dict[str, list[int]] = {}
    lasting: Counter[str] = Counter()
    for observation in observations:
        last = max(
            observation.nodes.values(),
            key=lambda node: (node.op not in unawaited, node.end, node.op),
        )
        if for_callees and outlived(observation) > last.end:
            lasting[last.op] += 1
            continue
        wait = max(observation.recording.duration_ns - last.end, 0)
        groups.setdefault(last.op, []).append(wait)
    everything = [wait for waits in groups.values() for wait in waits]
    found = {START: spread([*everything, *[0] * lasting.total()])}
    for op in sorted({*groups, *lasting}):
        waits = groups.get(op, [])
        if len(waits) >= CASES_MIN or lasting[op] > len(waits):
            found[op] = spread(waits)
    return found


def _counted(span: Span3, count: int) -> Span3:
    return Span3(span.usual, span.low, span.high, count)
