"""Intervals no wider than the recordings ask for.

In: a program, and for each recording it explains how much of the intervals the recorded times
took up. Out: the program with its waits' bounds drawn in to what all but a few recordings need.
Bounds of single waits are wider than anything seen; together they are wider still. That a whole
flow's times lie inside is what counts, so whole flows decide (split conformal prediction: Lei,
G'Sell, Rinaldo, Tibshirani and Wasserman 2018, with the flow's worst time as its score).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from replay.infer.program import Operation, Program
from replay.infer.timing import Span3, paused, quantile
from replay.recording import Recording
from replay.run import Run

PPM = 1_000_000
FLOWS_MIN = 60
# Waits seen less often keep their bounds: few flows say anything about them.
COUNT_MIN = 30
INSIDE_PERMILLE = 998
# The recordings that made the bounds fit them better than others will.
MARGIN_PERCENT = 15


class Reach(NamedTuple):
    """The greatest share of an interval, in ppm, that a recorded time took up on either side."""

    below: int
    above: int


def reach_of(run: Run, recording: Recording) -> Reach:
    """Compare the recorded times of a flow with the intervals of its run."""
    starts: dict[tuple[str, str], list[int]] = {}
    for step in recording.steps:
        known = starts.setdefault((step.op, step.key), [])
        known.extend(attempt.start_ns for attempt in step.attempts)
    for known in starts.values():
        known.sort()
    below = above = 0
    moments = [(run.end, run.end_low, run.end_high, recording.duration_ns)]
    for call in run.calls:
        known = starts.get((call.op, call.stream), [])
        if call.attempt <= len(known):
            moments.append((call.start, call.low, call.high, known[call.attempt - 1]))
    for usual, low, high, recorded in moments:
        below = max(below, (usual - recorded) * PPM // max(usual - low, 1))
        above = max(above, (recorded - usual) * PPM // max(high - usual, 1))
    return Reach(below, above)


def calibrated(program: Program, reaches: Sequence[Reach]) -> Program:
    """Draw the bounds of waits in to what was needed; never widen them."""
    if len(reaches) < FLOWS_MIN:
        return program
    below = _needed([reach.below for reach in reaches])
    above = _needed([reach.above for reach in reaches])

    def drawn_in(span: Span3) -> Span3:
        if span.count < COUNT_MIN:
            return span
        return Span3(
            span.usual,
            span.usual - (span.usual - span.low) * below // PPM,
            span.usual + (span.high - span.usual) * above // PPM,
            span.count,
        )

    def all_of(spans: Mapping[str, Span3]) -> dict[str, Span3]:
        return {name: drawn_in(span) for name, span in spans.items()}

    def operation(made: Operation) -> Operation:
        each = made.each
        if each is not None:
            each = replace(each, between=drawn_in(each.between))
        paces = {
            last: replace(pace, rest=drawn_in(pace.rest), otherwise=drawn_in(pace.otherwise))
            for last, pace in made.paces.items()
        }
        gap = drawn_in(made.gap)
        if made.name in program.order.before and not program.order.before[made.name]:
            gap = paused(gap, program.pause_ns)  # few flows say anything of pauses
        return replace(made, gap=gap, gaps=all_of(made.gaps), paces=paces, each=each)

    recovery = program.recovery
    return replace(
        program,
        operations={name: operation(made) for name, made in program.operations.items()},
        end_gaps=all_of(program.end_gaps),
        recovery=replace(
            recovery, first=drawn_in(recovery.first), between=drawn_in(recovery.between)
        ),
    )


def _needed(shares: Sequence[int]) -> int:
    return min(quantile(shares, INSIDE_PERMILLE) * (100 + MARGIN_PERCENT) // 100, PPM)
