"""Where a replay left the recording, for a person: the first difference, and what follows."""

from collections.abc import Iterator, Mapping

from replay.doubts import CLAIMS, in_words
from replay.judge import MODE
from replay.whatif import OTHER_END, answered, doubts_of, ends_of
from retrospan.text import shortened, visible
from retrospan.timespan import humane
from store.conclusions import Divergence, Flow, ReplayResult
from store.model import JsonValue

SHOWN_MAX = 12
KINDS = {
    "missing_call": "was called, and is not",
    "extra_call": "was not called, and is",
    "reordered": "comes in another order",
    "args_changed": "is asked something else",
    "answer_rung_lowered": "is answered from less certain a match",
    "concurrency_changed": "waits for something else",
    "timing_changed": "comes at another time",
    "result_changed": "gives another result",
    "exception_changed": "fails otherwise",
    "unread_answer": "has an altered answer that nothing reads",
}
# Where an answer comes from that was not recorded for the very request.
RUNGS = {
    "structural": ", by a similar request's answer",
    "donor": ", by an answer that other flows lend",
    "missing": ", though nothing recorded answers it",
}


def explanation(flow: Flow, result: ReplayResult) -> list[str]:
    """The replay of one flow in lines: the answer, why, what is in doubt, first difference, what
    follows from it."""
    names = _names(flow)
    lines = [f"answer    {flow.flow_id} {_answer(flow.outcome.value, result)}"]
    lines.append(f"verdict   {result.verdict}")
    if result.scenario is not None:
        lines.append(f"scenario  {result.scenario}; unchanged: {result.control_verdict}")
    if result.claim is not None:
        lines.append(f"claim     {result.claim}, {CLAIMS[result.claim]}")
    lines += reason_lines(result.reason)
    lines += dict.fromkeys(_doubts(result))
    if result.verdict != "unreplayable":
        lines.append(f"lasts     {_lasting(result)}")
    lines += _answers(result.answers)
    for index, divergence in enumerate(result.divergences[:SHOWN_MAX]):
        head = "first     " if index == 0 else "then      "
        lines.append(head + _told(divergence, names))
        if divergence.line:
            lines.append(f"            at {divergence.line}")
        if divergence.source:
            lines.append(
                f"            follows from {names.get(divergence.source, divergence.source)}"
            )
    left = len(result.divergences) - SHOWN_MAX
    if left > 0:
        lines.append(f"          and {left} more")
    return [visible(line) for line in lines]


def _doubts(result: ReplayResult) -> Iterator[str]:
    """What is in doubt and was not told as a reason."""
    void = doubts_of(result.flags)
    for flag in result.flags:
        text = in_words(flag)
        if text not in result.reason and not flag.startswith(OTHER_END):
            borne_out = result.claim is not None and flag in void
            yield f"doubt     {text}{', yet came out as recorded' if borne_out else ''}"


def reason_lines(reason: str) -> list[str]:
    """What a result rests on, or why it claims nothing: one thing a line."""
    if not reason:
        return []
    first, *more = reason.split("; ")
    return [f"because   {first}", *(f"          {text}" for text in more)]


def _answer(recorded: str, result: ReplayResult) -> str:
    """What came out, in the words of who asked: is it reproduced; would it have helped."""
    ends = result.outcome or "nowhere"
    same = ends == recorded
    if result.scenario is None:
        if result.verdict == "unreplayable":
            return "cannot be replayed"
        if result.verdict == "diverged":
            ended = f", though it ends {ends}" if same else f": ends {ends} instead of {recorded}"
            return f"does not come out as recorded{ended}"
        noise = " but for noise" if result.verdict == "equivalent" else ""
        return f"comes out as recorded{noise}: ends {ends}"
    if result.control_verdict not in ("identical", "equivalent"):
        return "gets no answer: even unchanged it does not come out as recorded"
    if result.mode == MODE and not answered(result):
        return "gets no answer: the change was not made"
    then = f"end {ends}, as recorded" if same else f"end {ends} instead of {recorded}"
    several = ends_of(result)
    if len(several) > 1:
        then = f"end {' or '.join(several)} (recorded: {recorded})"
    if result.claim is None:
        return f"might {then}; that is no claim"
    if len(several) > 1:
        return f"would {then}: answers that other flows lend decide"
    # A claim that rests on what other flows got is as sure as those are alike.
    return f"would {'likely ' if result.claim in ('C3', 'C4') else ''}{then}"


def first_of(flow: Flow, result: ReplayResult) -> str | None:
    """The first difference in one line; None when there is none."""
    if not result.divergences:
        return None
    return visible(_told(result.divergences[0], _names(flow)))


def _names(flow: Flow) -> dict[str, str]:
    return {step.step_id: _named(step.callee, step.operation, step.key) for step in flow.steps}


def _lasting(result: ReplayResult) -> str:
    low, high = humane(result.virtual_low_ns), humane(result.virtual_high_ns)
    took = humane(result.virtual_duration_ns)
    return took if low == took == high else f"{took} (between {low} and {high})"


def _answers(answers: Mapping[str, int]) -> Iterator[str]:
    used = [f"{count} {rung}" for rung, count in answers.items() if count]
    if used:
        yield f"answers   {', '.join(used)}"


def _named(callee: str | None, operation: str, key: str) -> str:
    name = f"{callee} {operation}" if callee else operation
    return f"{name} [{key}]" if key else name


def _told(divergence: Divergence, names: Mapping[str, str]) -> str:
    where = names.get(divergence.step_id, divergence.step_id)
    call = divergence.replayed if divergence.kind == "extra_call" else divergence.recorded
    if divergence.kind in ("extra_call", "missing_call") and isinstance(call, dict):
        where = _named(None, str(call.get("op")), str(call.get("key") or ""))
        where = f"{where} attempt {call.get('attempt')}"
        by = RUNGS.get(str(call.get("rung")), "")
        return f"{where} {KINDS[divergence.kind]} (answered {call.get('status')}{by})"
    text = f"{where} {KINDS.get(divergence.kind, divergence.kind)}"
    if divergence.recorded is None and divergence.replayed is None:
        return f"{text}: {divergence.path}" if divergence.path else text
    if divergence.path in ("start_ns", "end_ns"):
        return f"{text}: recorded at {_moment(divergence.recorded)}, " + (
            f"replayed between {' and '.join(map(_moment, _bounds(divergence.replayed)))}"
        )
    path = f" {divergence.path}" if divergence.path else ""
    return f"{text}:{path} recorded {_value(divergence.recorded)}, " + (
        f"replayed {_value(divergence.replayed)}"
    )


def _bounds(value: JsonValue) -> list[str]:
    return str(value).split("..")


def _moment(value: JsonValue) -> str:
    text = str(value)
    return humane(int(text)) if text.lstrip("-").isdigit() else text


def _value(value: JsonValue) -> str:
    return "nothing" if value is None else shortened(str(value))
