"""Learns a program, and sets aside the recordings it cannot explain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from replay.calibrate import Reach, calibrated, reach_of
from replay.choreography import MESSAGE, REDELIVERED
from replay.divergence import compare
from replay.drawn import RELEASE
from replay.infer.learn import learn
from replay.infer.program import Program
from replay.interpret import Machine
from replay.match import Answers
from replay.recording import Recording
from replay.settings import ReplaySettings

# A program that explains this share of its own recordings is kept as it is.
_GOOD_ENOUGH_PERCENT = 98


@dataclass(frozen=True, slots=True)
class Trained:
    """A program, and why it is not to be used; "" when it is."""

    program: Program
    refusal: str = ""


def train(recordings: Sequence[Recording], settings: ReplaySettings) -> Trained:
    """Learn from recordings of one kind; when too many stay unexplained, learn from the rest.

    The share set aside is part of the program: it is shown, never hidden. A program that explains
    few of its own recordings, where what programs are made of was not recorded, is refused.
    """
    once = [recording for recording in recordings if not _redelivered(recording)]
    odd = len(recordings) - len(once)
    if odd and len(once) >= settings.kept_share_min * len(recordings):
        # What a broker does again is no part of a program; replays of such flows say so.
        trained = train(once, settings)
        return replace(
            trained, program=replace(trained.program, set_aside=trained.program.set_aside + odd)
        )
    program = learn(recordings, settings.learn)
    explained, reaches = _explained(program, recordings, settings)
    if len(explained) * 100 >= _GOOD_ENOUGH_PERCENT * len(recordings):
        return Trained(calibrated(program, reaches))
    if len(explained) < settings.kept_share_min * len(recordings):
        lacking = lacking_of(recordings)
        if not lacking:
            return Trained(calibrated(program, reaches))
        return Trained(
            program,
            f"the program explains {len(explained)} of the {len(recordings)} recordings it was "
            f"made of; never recorded: {', '.join(lacking)}",
        )
    refit = learn(explained, settings.learn)
    again, reaches_again = _explained(refit, recordings, settings)
    if len(again) <= len(explained):
        return Trained(calibrated(program, reaches))
    refit = calibrated(refit, reaches_again)
    return Trained(replace(refit, set_aside=len(recordings) - len(explained)))


def _redelivered(recording: Recording) -> bool:
    return any(
        attempt.response.get(REDELIVERED)
        for step in recording.steps
        if step.kind == MESSAGE
        for attempt in step.attempts
    )


def lacking_of(recordings: Sequence[Recording]) -> list[str]:
    """Name what programs are made of and no recording of the kind holds."""
    steps = [step for recording in recordings for step in recording.steps if not step.local]
    attempts = [attempt for step in steps for attempt in step.attempts]
    lacking = {
        "the flow's input (retrospan.flow.input)": any(
            not path.startswith(RELEASE) for r in recordings for path in r.input
        ),
        "keys of calls (retrospan.step.key)": any(step.key for step in steps),
        "request bodies (http.request.body.content)": any(a.request for a in attempts),
        "response bodies (http.response.body.content)": any(a.response for a in attempts),
    }
    return [name for name, present in lacking.items() if not present]


def _explained(
    program: Program, recordings: Sequence[Recording], settings: ReplaySettings
) -> tuple[list[Recording], list[Reach]]:
    """Give the recordings that a program reproduces, times aside, and how far times reach."""
    machine = Machine(program)
    kept = []
    reaches = []
    for recording in recordings:
        run = machine.run(recording.input, Answers.of(recording))
        found = compare(
            run,
            recording,
            program,
            clock_tolerance_ns=settings.learn.clock_tolerance_ns,
            noise_ns=settings.noise_min_ns,
        )
        if all(item.kind == "timing_changed" for item in found.divergences):
            kept.append(recording)
            reaches.append(reach_of(run, recording))
    return kept, reaches
