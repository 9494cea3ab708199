"""Flows in which a message was delivered again after its work had gone well.

A broker that hears of no acknowledgement in time delivers a message once more, and all that
follows from it happens again, beside what is still under way from before. Each delivery is a run
of the same program with a later answer of the broker, so each is replayed for itself: with what
came before the message, and with what came of this delivery. In: a recording, or its results. Out:
one recording for each delivery, or one result.
"""

from collections.abc import Sequence
from dataclasses import replace

from replay.choreography import REDELIVERED
from replay.digest import sha256_text
from replay.recording import RecordedAttempt, RecordedStep, Recording
from store.conclusions import ReplayResult

# A consumer begins its work no later than this after it took a message up.
TAKEN_UP_NS = 20_000_000
_WORST_LAST = ("identical", "equivalent", "diverged")


def unfolded(recording: Recording) -> list[Recording]:
    """Give a recording for each delivery, the one that ended the flow last; mostly there is one."""
    for step in recording.steps:
        if step.delivery:
            break
    else:
        return [recording]
    numbers = sorted({step.delivery for step in recording.steps} - {0})
    parts = [_part(recording, number) for number in numbers]
    parts.sort(key=lambda part: part.duration_ns)
    return [*parts[:-1], replace(parts[-1], duration_ns=recording.duration_ns)]


def _part(recording: Recording, number: int) -> Recording:
    mine = [step for step in recording.steps if step.delivery in (0, number)]
    begun = min(step.attempts[0].start_ns for step in mine if step.delivery)
    return replace(
        recording,
        steps=tuple(_taken_up(step, begun) for step in mine),
        duration_ns=max(
            max(attempt.end_ns, attempt.callee_end_ns or 0)
            for step in mine
            for attempt in step.attempts
        ),
    )


def _taken_up(step: RecordedStep, begun_ns: int) -> RecordedStep:
    """End the message that was delivered again when this delivery's work began."""

    def later(attempt: RecordedAttempt) -> RecordedAttempt:
        again = attempt.response.get(REDELIVERED) and begun_ns - attempt.end_ns > TAKEN_UP_NS
        return replace(attempt, end_ns=begun_ns) if again else attempt

    return replace(step, attempts=tuple(map(later, step.attempts)))


def folded(results: Sequence[ReplayResult]) -> ReplayResult:
    """Give one result for the deliveries of a flow: all have to be as they were."""
    if len(results) == 1:
        return results[0]
    last = results[-1]
    counts: dict[str, int] = {}
    for result in results:
        for rung, count in result.answers.items():
            counts[rung] = counts.get(rung, 0) + count
    return replace(
        last,
        verdict=max((result.verdict for result in results), key=_WORST_LAST.index),
        digest=sha256_text("\n".join(result.digest for result in results)),
        flags=tuple(dict.fromkeys(flag for result in results for flag in result.flags)),
        divergences=tuple(found for result in results for found in result.divergences),
        events=tuple(event for result in results for event in result.events),
        answers=counts,
    )
