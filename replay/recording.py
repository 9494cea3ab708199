"""What a replay needs of one flow: its own top-level calls as its one caller saw them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, TypeAlias

from replay.choreography import MESSAGE, deliveries_of, own_steps
from replay.drawn import is_release, numbers_drawn, releases
from replay.leaves import Leaves, Scalar, flatten
from store.conclusions import Attempt, Flow, Step
from store.errors import DataError
from store.model import JsonValue

FORMAT = "retrospan.recording/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAttempt:
    """One request and its answer. Times are relative to the flow's start.

    `callee_end_ns` is when the callee itself says it was done, which may be after the caller gave
    up; `callee_outcome` is what it says of itself. `draws` are the random numbers drawn in it.
    """

    span_id: str
    start_ns: int
    end_ns: int
    status: str
    request: Leaves = field(default_factory=dict)
    response: Leaves = field(default_factory=dict)
    breaker_state: str | None = None
    timeout_ms: int | None = None
    callee_end_ns: int | None = None
    callee_outcome: str | None = None
    draws: Sequence[float] = ()

    @property
    def latency_ns(self) -> int:
        """How long the caller waited."""
        return self.end_ns - self.start_ns


# The attempts of a recording under (operation, key), those of one key in order of start.
AttemptsByKey: TypeAlias = Mapping[tuple[str, str], Sequence[RecordedAttempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """One logical call. `op` names what was called, `undoes` the step_id it compensates.

    `local` steps ran inside the caller: what they return is computed by the program itself. A
    message that is waited for is none: what it says comes from outside. `delivery` tells apart what
    came of a message that was delivered several times; 0 where none was.
    """

    step_id: str
    op: str
    key: str
    kind: str
    local: bool
    attempts: Sequence[RecordedAttempt]
    role: str | None = None
    undoes: str | None = None
    max_attempts: int | None = None
    backoff_initial_ms: int | None = None
    backoff_coefficient: str | None = None
    delivery: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A flow as replay sees it. `unusable` says why it cannot be replayed, "" when it can.

    `grade` is its replayability, R0 to R4; `gaps` name what would raise it. The releases of the
    services that took part are input too, under `drawn.RELEASE` and the service's name.
    """

    flow_id: str
    name: str
    version: str
    service: str
    outcome: str
    duration_ns: int
    input: Leaves
    output: Leaves
    steps: Sequence[RecordedStep]
    draws: Sequence[JsonValue] = ()
    grade: str = "R3"
    gaps: Sequence[str] = ()
    unusable: str = ""


def recording_of(flow: Flow) -> Recording:
    """Keep of a flow what its own caller did at top level; never raises for a partial flow."""
    own = own_steps(flow)
    drawn = numbers_drawn(flow.draws)
    numbers = deliveries_of(flow, own)
    return Recording(
        flow_id=flow.flow_id,
        name=flow.name,
        version=flow.version,
        service=flow.service,
        outcome=flow.outcome.value,
        duration_ns=0 if flow.end_ns is None else flow.end_ns - flow.start_ns,
        input={**flatten(flow.input), **releases(flow.draws)},
        output=flatten(flow.output),
        steps=tuple(_step(step, flow.start_ns, drawn, numbers) for step in own),
        draws=tuple(draw for draw in flow.draws if not is_release(draw)),
        grade=flow.replayability,
        gaps=tuple(flow.evidence_gaps),
        unusable=_unusable(flow, own),
    )


def _unusable(flow: Flow, own: Sequence[Step]) -> str:
    if flow.replayability in ("R0", "R1"):
        why = "; ".join(flow.evidence_gaps)
        return f"replayability {flow.replayability}" + (f": {why}" if why else "")
    if flow.end_ns is None:
        return "the flow has no recorded end"
    if flow.outcome.value in ("in_progress", "unknown"):
        return f"the flow's outcome is {flow.outcome.value}"
    if not own:
        return "no top-level step of the flow's own service was recorded"
    for step in own:
        if any(attempt.end_ns is None for attempt in step.attempts):
            return f"an attempt of {step.name} has no recorded end"
    return ""


def operation_of(step: Step) -> str:
    """Name the operation: who was called and how; a local step by its kind and place."""
    if step.callee:
        return f"{step.callee} {step.operation}"
    return f"{step.kind} {step.saga_step or step.operation or step.name}"


def _step(
    step: Step,
    origin_ns: int,
    drawn: Mapping[str, tuple[float, ...]],
    deliveries: Mapping[str, int],
) -> RecordedStep:
    coefficient = step.backoff_coefficient
    return RecordedStep(
        step_id=step.step_id,
        op=operation_of(step),
        key=step.key,
        kind=step.kind,
        local=not step.callee and step.kind != MESSAGE,
        attempts=tuple(
            _attempt(attempt, origin_ns, drawn.get(attempt.span_id, ()))
            for attempt in step.attempts
        ),
        role=step.role,
        undoes=step.compensates,
        max_attempts=step.max_attempts,
        backoff_initial_ms=step.backoff_initial_ms,
        backoff_coefficient=None if coefficient is None else str(coefficient),
        delivery=deliveries.get(step.step_id, 0),
    )


def _attempt(attempt: Attempt, origin_ns: int, draws: tuple[float, ...]) -> RecordedAttempt:
    end_ns = attempt.start_ns if attempt.end_ns is None else attempt.end_ns
    callee_end = attempt.callee_end_ns
    return RecordedAttempt(
        span_id=attempt.span_id,
        start_ns=attempt.start_ns - origin_ns,
        end_ns=end_ns - origin_ns,
        status=attempt.status,
        request=flatten(attempt.request) if attempt.has_request else {},
        response=flatten(attempt.response) if attempt.has_response else {},
        breaker_state=attempt.breaker_state,
        timeout_ms=attempt.timeout_ms,
        callee_end_ns=None if callee_end is None else callee_end - origin_ns,
        callee_outcome=None if attempt.callee_outcome is None else attempt.callee_outcome.value,
        draws=draws,
    )


def alter(
    recording: Recording,
    op: str,
    *,
    nth: int = 1,
    status: str | None = None,
    latency_ns: int | None = None,
    fields: Mapping[str, Scalar] | None = None,
    response: Leaves | None = None,
) -> Recording:
    """Give the recording with the nth answer of one operation changed (in order of start).

    `response` replaces what was said, `fields` only parts of it.
    """
    places = _places(recording, op)
    if not 1 <= nth <= len(places):
        known = ", ".join(sorted({step.op for step in recording.steps}))
        raise DataError(
            f"flow {recording.flow_id} has {len(places)} answers of {op!r}, "
            f"so there is no answer {nth} to alter; its operations are: {known}"
        )
    _, index, number = places[nth - 1]
    step = recording.steps[index]
    old = step.attempts[number]
    new = replace(
        old,
        status=old.status if status is None else status,
        end_ns=old.end_ns if latency_ns is None else old.start_ns + latency_ns,
        response={**(old.response if response is None else response), **(fields or {})},
    )
    attempts = (*step.attempts[:number], new, *step.attempts[number + 1 :])
    steps = list(recording.steps)
    steps[index] = replace(step, attempts=attempts)
    return replace(recording, steps=tuple(steps))


def nth_answer(recording: Recording, op: str, nth: int) -> RecordedAttempt | None:
    """Give the nth attempt of an operation (in order of start); None when there are fewer."""
    places = _places(recording, op)
    if not 1 <= nth <= len(places):
        return None
    _, index, number = places[nth - 1]
    return recording.steps[index].attempts[number]


def _places(recording: Recording, op: str) -> list[tuple[int, int, int]]:
    """Give (start, step, attempt) of all attempts of an operation, in order of start."""
    return sorted(
        (attempt.start_ns, index, number)
        for index, step in enumerate(recording.steps)
        if step.op == op
        for number, attempt in enumerate(step.attempts)
    )


def attempts_by_key(recording: Recording) -> AttemptsByKey:
    """Give the attempts under (operation, key), those of one key in order of start."""
    found: dict[tuple[str, str], Sequence[RecordedAttempt]] = {}
    for step in recording.steps:
        ident = step.op, step.key
        made = step.attempts
        if ident in found:
            made = (*found[ident], *made)
        found[ident] = sorted(made, key=_BY_START) if len(made) > 1 else made
    return found


_BY_START = attrgetter("start_ns", "end_ns", "span_id")


def to_json(recording: Recording) -> str:
    """Write a recording as one versioned JSON document."""
    return json.dumps({"format": FORMAT, **asdict(recording)}, sort_keys=True, ensure_ascii=False)


def from_json(text: str) -> Recording:
    """Read a recording back; a format version we do not know is refused."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DataError(f"this is not a recording: {error}") from None
    stated = document.get("format") if isinstance(document, dict) else None
    if stated != FORMAT:
        raise DataError(f"recording format is {stated!r}; this version reads {FORMAT!r} only")
    try:
        return _recording(document)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the recording document is not complete: {error!r}") from None


def _recording(document: Mapping[str, Any]) -> Recording:
    steps = []
    for item in document["steps"]:
        attempts = tuple(
            RecordedAttempt(
                **{**_known(RecordedAttempt, a), "draws": tuple(map(float, a.get("draws", ())))}
            )
            for a in item["attempts"]
        )
        steps.append(RecordedStep(**{**_known(RecordedStep, item), "attempts": attempts}))
    values = _known(Recording, document)
    listed = {name: tuple(values[name]) for name in ("draws", "gaps")}
    return Recording(**{**values, "steps": tuple(steps), **listed})


def _known(record: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(record)}
    unknown = sorted(set(values) - names - {"format"})
    if unknown:
        raise ValueError(f"unknown fields {', '.join(unknown)}")
    return {name: value for name, value in values.items() if name in names}
