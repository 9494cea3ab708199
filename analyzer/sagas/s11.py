"""S11: the idempotency key stays the same over the attempts of one step."""

from collections import defaultdict

from analyzer.derive.calls import LOCAL_KINDS
from analyzer.derive.outcomes import BREAKER_OPEN
from analyzer.derive.verbs import UNDOABLE, UNDOING, stems
from analyzer.effects import marked
from analyzer.sagas.check import Check, Doubt, answer, label, labels, worst
from analyzer.sagas.view import SagaView, attempts_of_one
from store.conclusions import Attempt, CheckResult, Step, StepOutcome, Verdict

DOUBTS_MAX = 100
SAFE_METHODS = ("GET ", "HEAD ", "OPTIONS ")
MISSING = ("retrospan.idempotency_key",)


def _run(view: SagaView) -> CheckResult:
    doubts, sound, silent, bare = [], [], [], False
    for step in view.flow.steps:
        sent = [attempt for attempt in step.attempts if attempt.status != BREAKER_OPEN]
        keys = {attempt.idempotency_key for attempt in sent}
        if not keys - {None}:
            bare = bare or step.role is not None or _repeats_an_effect(sent)
        if keys == {None} and len(sent) > 1:
            if _needs_key(step, sent):
                doubts.append(_keyless(step, sent))
            elif _says_nothing(view, step):
                silent.append(_keyless(step, sent))
        elif keys - {None}:
            doubt = _doubt(view, step, sent)
            if doubt is None:
                sound.append(step)
            else:
                doubts.append(doubt)
    doubts += _torn(view)
    if sound:
        doubts += silent  # what says nothing of itself may be a step whose key got lost
        message = f"each of {len(sound)} steps kept one idempotency key"
        return worst("S11", doubts, answer("S11", Verdict.PASS, message, sound))
    nothing = answer(
        "S11",
        Verdict.NOT_APPLICABLE,
        "no step carries an idempotency key",
        missing=MISSING if bare else (),
    )
    return worst("S11", doubts, nothing)


def _keyless(step: Step, sent: list[Attempt]) -> Doubt:
    return Doubt(
        verdict=Verdict.UNKNOWN,
        message=f"{label(step)} was sent {len(sent)} times and no key was recorded",
        steps=[step],
        missing=MISSING,
    )


def _says_nothing(view: SagaView, step: Step) -> bool:
    """Whether a remote step that may change something does not say what it is to the saga.

    A step with a key and no trace of a saga is one the saga's authors left out of it, such as a
    score: its repetition is no concern of theirs. Not so where the words of its operation, or the
    other steps at its callee, tell of effects a saga cares for: there its names may have got lost.
    """
    if step.kind in LOCAL_KINDS or step.operation.startswith(SAFE_METHODS):
        return False
    if step.role is not None:
        return False
    if marked(step) or not step.key or stems(step.operation) & (UNDOABLE | UNDOING):
        return True
    return any(
        other.callee == step.callee and (other.role is not None or marked(other))
        for other in view.flow.steps
    )


def _torn(view: SagaView) -> list[Doubt]:
    """Attempts that may be of one step, but only some of which say which step they are of."""
    named: dict[tuple[str, str], list[Step]] = defaultdict(list)
    bare: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in view.flow.steps:
        if step.kind not in LOCAL_KINDS:
            (named if step.key else bare)[step.callee, step.operation].append(step)
    return [
        Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(one)} and {label(other)} may be attempts of one step",
            steps=[one, other],
            missing=["retrospan.step.key"],
        )
        for place, steps in bare.items()
        for one in steps
        for other in named.get(place, ())
        if _follows_a_failure(one, other) or _follows_a_failure(other, one)
    ][:DOUBTS_MAX]


def _follows_a_failure(later: Step, earlier: Step) -> bool:
    if earlier.end_ns is None or earlier.outcome is StepOutcome.OK:
        return False
    return earlier.end_ns <= later.start_ns


def _in_between(view: SagaView, step: Step) -> list[Step]:
    """Calls of the same operation among the attempts of a step that do not say whose they are."""
    last_ns = max(attempt.start_ns for attempt in step.attempts)
    return [
        other
        for other in view.flow.steps
        if (other.callee, other.operation) == (step.callee, step.operation)
        and other is not step
        and (not other.key or other.key == step.key)
        and step.start_ns <= other.start_ns <= last_ns
    ]


def _needs_key(step: Step, sent: list[Attempt]) -> bool:
    return step.role is not None or _repeats_an_effect(sent)


def _repeats_an_effect(sent: list[Attempt]) -> bool:
    """Whether a repeated call may have changed something each time."""
    return sum(attempt.took_effect is not False for attempt in sent) > 1


def _doubt(view: SagaView, step: Step, sent: list[Attempt]) -> Doubt | None:
    keys = [attempt.idempotency_key for attempt in sent]
    named = list(dict.fromkeys(key for key in keys if key is not None))
    if len(named) > 1 and (lost := _in_between(view, step)):
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"{label(step)} was sent under several keys, and {labels(lost)} in between "
            "may be another attempt of what came before",
            steps=[step, *lost],
            missing=["retrospan.step.key", "retrospan.saga.role"],
        )
    if len(named) > 1 and not attempts_of_one(step):
        return Doubt(
            verdict=Verdict.SUSPECTED,
            message=f"{label(step)} was sent under {', '.join(named)}; nothing but its operation "
            "says that it was the same call",
            steps=[step],
            missing=["retrospan.step.key", "retrospan.step.request"],
        )
    if len(named) > 1:
        return Doubt(
            verdict=Verdict.VIOLATION,
            message=f"{label(step)} changed its idempotency key between attempts: "
            + ", ".join(named),
            steps=[step],
        )
    if None in keys and len(keys) > 1:
        return Doubt(
            verdict=Verdict.UNKNOWN,
            message=f"the key of some attempts of {label(step)} was not recorded",
            steps=[step],
            missing=MISSING,
        )
    return None


CHECK = Check(id="S11", title="the idempotency key is stable over attempts", scope="flow", run=_run)
