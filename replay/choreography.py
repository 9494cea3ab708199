"""The steps of a flow that nobody conducts: each service works on a message and sends the next.

What a consumer does because of a message belongs to the flow's own way. A message is answered when
its consumer takes it up: the time on the way is the broker's, as a latency is the callee's. So is
the time from the last thing a consumer did to its end: the broker takes the acknowledgement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from store.conclusions import Flow, Step, StepOutcome

CHOREOGRAPHED = "choreographed"
MESSAGE = "message"
# In the answer of a message: its consumer did again what had gone well, and nobody knows why.
REDELIVERED = "$redelivered"


def own_steps(flow: Flow) -> list[Step]:
    """Give the steps on the flow's own way, those of the consumers of its messages included."""
    if flow.architecture != CHOREOGRAPHED:
        return [
            step
            for step in flow.steps
            if step.parent_step_id is None and step.service == flow.service and step.attempts
        ]
    by_id = {step.step_id: step for step in flow.steps}
    below: dict[str, list[Step]] = {}
    for step in flow.steps:
        if step.parent_step_id is not None:
            below.setdefault(step.parent_step_id, []).append(step)
    own = {
        step.step_id: _taken_up(step, below.get(step.step_id, ()))
        for step in flow.steps
        if step.attempts and _by_messages(step, by_id)
    }
    for step in flow.steps:
        work = [one for one in below.get(step.step_id, ()) if one.step_id in own]
        if step.kind == MESSAGE and step.step_id in own and work:
            last = max(work, key=lambda one: (one.attempts[-1].end_ns or 0, one.step_id))
            own[last.step_id] = _settled(own[last.step_id], step.attempts[-1].callee_end_ns)
    return list(own.values())


def deliveries_of(flow: Flow, own: Sequence[Step]) -> dict[str, int]:
    """Number the deliveries of the one message that was worked on again, by what came of them.

    Each delivery is a trace of its own. What came before has no number; neither has anything where
    several messages came again, for then it is not known which work goes with which.
    """
    below: dict[str, list[Step]] = {}
    for step in own:
        if step.parent_step_id is not None:
            below.setdefault(step.parent_step_id, []).append(step)
    again = [step.step_id for step in own if _did_again(below.get(step.step_id, ()))]
    if flow.architecture != CHOREOGRAPHED or len(again) != 1:
        return {}
    work = sorted(below[again[0]], key=lambda one: (one.start_ns, one.step_id))
    traces = list(dict.fromkeys(one.attempts[0].trace_id for one in work))
    numbers: dict[str, int] = {}
    pending = [(one, traces.index(one.attempts[0].trace_id) + 1) for one in work]
    while pending:
        step, number = pending.pop()
        numbers[step.step_id] = number
        pending.extend((one, number) for one in below.get(step.step_id, ()))
    return numbers if len(traces) > 1 else {}


def _by_messages(step: Step, by_id: Mapping[str, Step]) -> bool:
    """Whether nothing but messages led to this step."""
    seen = set()
    while step.parent_step_id is not None:
        above = by_id.get(step.parent_step_id)
        if above is None or above.kind != MESSAGE or above.step_id in seen:
            return False
        seen.add(above.step_id)
        step = above
    return True


def _taken_up(step: Step, work: Sequence[Step]) -> Step:
    """End the last attempt of a message when it was taken up first, and say if it was again.

    A consumer that does anew what failed is no more than a caller that tries again.
    """
    if step.kind != MESSAGE:
        return step
    # How long the consumer works is the sum of what it does, and no answer.
    *earlier, last = (replace(attempt, callee_end_ns=None) for attempt in step.attempts)
    begun = min((one.start_ns for one in work), default=None)
    known = [at for at in (last.callee_start_ns, begun) if at is not None]
    if not known:
        return replace(step, attempts=[*earlier, last])
    taken_up = replace(last, end_ns=max(last.start_ns, min(known)))
    if _did_again(work):
        taken_up = replace(taken_up, response={REDELIVERED: True}, has_response=True)
    return replace(step, attempts=[*earlier, taken_up])


def _settled(step: Step, consumer_end_ns: int | None) -> Step:
    """Let the last thing a consumer did go on until the broker has its acknowledgement."""
    *earlier, last = step.attempts
    if last.outcome is not StepOutcome.OK or (consumer_end_ns or 0) <= (last.end_ns or 0):
        return step
    return replace(step, attempts=[*earlier, replace(last, callee_end_ns=consumer_end_ns)])


def _did_again(work: Sequence[Step]) -> bool:
    done = set()
    for step in sorted(work, key=lambda one: (one.start_ns, one.step_id)):
        what = (step.callee, step.operation, step.key)
        if what in done:
            return True
        if step.outcome is StepOutcome.OK:
            done.add(what)
    return False
