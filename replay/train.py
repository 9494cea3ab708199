"""Learns a program, and sets aside the recordings it cannot explain."""

from collections.abc import Sequence
from dataclasses import replace

from replay.divergence import compare
from replay.infer.learn import learn
from replay.infer.program import Program
from replay.interpret import Machine
from replay.match import Answers
from replay.recording import Recording
from replay.settings import ReplaySettings

# A program that explains this share of its own recordings is kept as it is.
_GOOD_ENOUGH_PERCENT = 98


def train(recordings: Sequence[Recording], settings: ReplaySettings) -> Program:
    """Learn from recordings of one kind; when too many stay unexplained, learn from the rest.

    The share set aside is part of the program: it is shown, never hidden.
    """
    program = learn(recordings, settings.learn)
    explained = _explained(program, recordings, settings)
    if len(explained) * 100 >= _GOOD_ENOUGH_PERCENT * len(recordings):
        return program
    if len(explained) < settings.kept_share_min * len(recordings):
        return program
    refit = learn(explained, settings.learn)
    again = _explained(refit, recordings, settings)
    if len(again) <= len(explained):
        return program
    return replace(refit, set_aside=len(recordings) - len(explained))


def _explained(
    program: Program, recordings: Sequence[Recording], settings: ReplaySettings
) -> list[Recording]:
    machine = Machine(program)
    kept = []
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
    return kept
