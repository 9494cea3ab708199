"""Where the time of a service's calls really goes: to itself, or to what it calls in turn.

A replay gives an answer back with the time it was recorded to take, all that lay below it included.
So a swap of the outer service takes the slowness of an inner one away, and a swap of the inner one
changes nothing: neither may be believed of time.
"""

from collections import Counter
from collections.abc import Sequence

from replay.confirm.world import World
from replay.recording import Recording
from store.conclusions import Step

SHARE_MIN = 0.5
CALLS_MIN = 10


def time_below(world: World, tested: Sequence[Recording], name: str) -> tuple[str, str]:
    """What to tell of the time below a service's calls, "" where it is its own; and the service
    inside whose calls its own lie, "" where they lie inside none."""
    calls = mostly = inside = 0
    below: Counter[str] = Counter()
    outer: Counter[str] = Counter()
    for recording in tested:
        steps = world.flows[recording.flow_id].steps
        by_id = {step.step_id: step for step in steps}
        inner: dict[str, Counter[str]] = {}
        for step in steps:
            if step.parent_step_id in by_id and step.callee not in (None, step.service):
                inner.setdefault(step.parent_step_id or "", Counter())[str(step.callee)] += _ns(
                    step
                )
        for step in steps:
            if step.callee != name:
                continue
            calls += 1
            parent = by_id.get(step.parent_step_id or "")
            if parent is not None and parent.callee and parent.callee != name:
                inside += 1
                outer[parent.callee] += 1
            times = inner.get(step.step_id, Counter())
            if times and max(times.values()) >= SHARE_MIN * _ns(step):
                mostly += 1
                below[min(times, key=lambda one: (-times[one], one))] += 1
    told = ""
    if calls >= CALLS_MIN and mostly >= SHARE_MIN * calls:
        told = f"in {mostly} of its {calls} calls most of the time went to {_first(below)} below it"
    return told, _first(outer) if calls and inside >= SHARE_MIN * calls else ""


def _ns(step: Step) -> int:
    """How long a step was worked on: at the callee where that was seen."""
    times = [
        (
            attempt.start_ns if attempt.callee_start_ns is None else attempt.callee_start_ns,
            attempt.end_ns if attempt.callee_end_ns is None else attempt.callee_end_ns,
        )
        for attempt in step.attempts
    ]
    known = [(start, end) for start, end in times if end is not None]
    return max(end for _, end in known) - min(start for start, _ in known) if known else 0


def _first(counted: Counter[str]) -> str:
    return min(counted, key=lambda one: (-counted[one], one), default="")
