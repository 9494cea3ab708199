"""How long flows of a kind usually took from one call to the next, by what was recorded.

In: flows. Out: the delay of each transition that 95 % of flows kept. A flow that took longer than
that was held up by its machine; code that takes longer in more flows waits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replay.recording import operation_of
from store.conclusions import Flow

FLOWS_MIN = 20
KEPT_PERCENT = 95
START, END = "", "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transitions:
    """Nanoseconds from the end of one operation to the start of the next that 95 % of `flows` with
    this transition did not exceed (nearest rank)."""

    usual: Mapping[tuple[str, str], int] = field(default_factory=dict)
    flows: int = 0

    def late_ns(self, before: str, after: str, delay_ns: int) -> int:
        """How much longer than usual a recorded delay is; 0 where the usual is not known."""
        usual = self.usual.get((before, after))
        return 0 if usual is None else max(0, delay_ns - usual)


def transitions_of(flows: Iterable[Flow]) -> Transitions:
    """The usual delays of flows of one kind; those seen in fewer than 20 flows are left out."""
    delays: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    count = 0
    for flow in flows:
        count += 1
        calls = sorted(
            (attempt.start_ns - flow.start_ns, attempt.end_ns - flow.start_ns, operation_of(step))
            for step in flow.steps
            if step.service == flow.service and step.callee
            for attempt in step.attempts
            # What an open breaker refused is no call: the code waited past it.
            if attempt.end_ns is not None and attempt.breaker_state != "open"
        )
        seen: dict[tuple[str, str], int] = {}
        for start, _, op in calls:
            end, name = max(((e, n) for _, e, n in calls if e <= start), default=(0, START))
            seen.setdefault((name, op), start - end)
        if calls and flow.end_ns is not None:
            end, name = max((e, n) for _, e, n in calls)
            seen[name, END] = flow.end_ns - flow.start_ns - end
        for transition, delay in seen.items():
            delays[transition].append(delay)
    return Transitions(
        usual={
            transition: sorted(found)[(KEPT_PERCENT * len(found) + 99) // 100 - 1]
            for transition, found in sorted(delays.items())
            if len(found) >= FLOWS_MIN
        },
        flows=count,
    )
