"""Who asked whom in which order, as a Mermaid sequence text; recorded names cannot break out."""

from collections.abc import Iterator, Sequence

from dashboards.saga_path import sanitised
from dashboards.wording import duration_text
from store.conclusions import Attempt, Flow, Step

MESSAGE_COUNT_MAX = 120  # more would be drawn too small to read
PARTICIPANT_COUNT_MAX = 30
MARKS = {"ok": "✔", "error": "✖", "timeout": "⏱", "cancelled": "✖"}

Call = tuple[Step, int, Attempt]


def sequence(flow: Flow) -> str | None:
    """The tries of all steps by start; None when the flow has no steps."""
    calls = _calls(flow)
    if not calls:
        return None
    shown = calls[:MESSAGE_COUNT_MAX]
    names = list(dict.fromkeys(name for step, _, _ in shown for name in _ends(step)))
    if len(names) > PARTICIPANT_COUNT_MAX:
        return None
    number = {name: f"p{place}" for place, name in enumerate(names)}
    lines = ["sequenceDiagram"]
    lines += [f"  participant {number[name]} as {sanitised(name)}" for name in names]
    for call in shown:
        lines += _message(call, flow.start_ns, number)
    return "\n".join(lines)


def left_out(flow: Flow) -> int:
    """Tries beyond those that are drawn."""
    return max(0, len(_calls(flow)) - MESSAGE_COUNT_MAX)


def _calls(flow: Flow) -> Sequence[Call]:
    every = [
        (step, number, attempt)
        for step in flow.steps
        for number, attempt in enumerate(step.attempts, 1)
    ]
    return sorted(every, key=lambda one: (one[2].start_ns, one[0].step_id, one[1]))


def _ends(step: Step) -> tuple[str, str]:
    caller = step.service or "unnamed service"
    return caller, step.callee or caller


def _message(call: Call, start_ns: int, number: dict[str, str]) -> Iterator[str]:
    step, place, attempt = call
    caller, callee = (number[name] for name in _ends(step))
    tried = f", try {place} of {len(step.attempts)}" if len(step.attempts) > 1 else ""
    undo = "↩ " if step.role == "compensation" or step.kind == "compensation" else ""
    at = duration_text(attempt.start_ns - start_ns)
    asked = sanitised(f"{undo}{step.operation or step.name}{tried} (+{at})")
    if caller == callee:
        yield f"  Note over {caller}: {asked} {MARKS.get(attempt.outcome, '?')}"
        return
    yield f"  {caller}->>{callee}: {asked}"
    took = attempt.end_ns - attempt.start_ns if attempt.end_ns is not None else None
    told = f"{MARKS.get(attempt.outcome, '?')} {attempt.status} after {duration_text(took)}"
    arrow = "-->>" if attempt.outcome == "ok" else "--x"
    yield f"  {callee}{arrow}{caller}: {sanitised(told)}"
    if attempt.outcome == "timeout" and attempt.callee_outcome == "ok":
        yield f"  Note over {callee}: succeeded there, unheard of"
