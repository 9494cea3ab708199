"""Turns a run into a replay result."""

from msgspec import Struct

from replay.digest import event_log_digest
from replay.divergence import Comparison, compare
from replay.infer.program import Program
from replay.match import RUNGS
from replay.recording import AttemptsByKey, Recording
from replay.run import Run
from replay.settings import ReplaySettings
from store.conclusions import ReplayResult
from store.model import JsonValue

MODE = "trace"


class Judged(Struct, frozen=True):
    """A run, its event log with digest, and its comparison with a recording."""

    run: Run
    events: tuple[dict[str, JsonValue], ...]
    digest: str
    comparison: Comparison


def judge(
    run: Run,
    recording: Recording,
    program: Program,
    settings: ReplaySettings,
    recorded: AttemptsByKey | None = None,
) -> Judged:
    """Compare a run with a recording and digest its events.

    `recorded` are the attempts of the recording, where the caller has sorted them already.
    """
    events = tuple(run.events())
    noise_ns = max(settings.noise_min_ns, recording.duration_ns * settings.noise_ppm // 1_000_000)
    comparison = compare(
        run,
        recording,
        program,
        clock_tolerance_ns=settings.learn.clock_tolerance_ns,
        noise_ns=noise_ns,
        noise=settings.noise,
        recorded=recorded,
    )
    return Judged(run, events, event_log_digest(events), comparison)


def result_of(
    recording: Recording,
    program: Program,
    program_digest: str,
    judged: Judged,
    settings: ReplaySettings,
) -> ReplayResult:
    """Write a control replay down."""
    run = judged.run
    flags = tuple(run.flags)
    if program.set_aside:
        whole = program.flows + program.set_aside
        flags += (f"set_aside program: {program.set_aside} of {whole} recordings",)
    return ReplayResult(
        flow_id=recording.flow_id,
        mode=MODE,
        verdict=judged.comparison.verdict,
        digest=judged.digest,
        outcome=run.outcome,
        virtual_duration_ns=run.end,
        virtual_low_ns=run.end_low,
        virtual_high_ns=run.end_high,
        program_digest=program_digest,
        program_flows=program.flows,
        leave_one_out=True,
        flags=flags,
        divergences=judged.comparison.divergences,
        answers=dict(run.counts),
        events=judged.events if settings.keep_events else (),
    )


def unreplayable(
    flow_id: str,
    reason: str,
    scenario: str | None = None,
    *,
    mode: str = MODE,
    leave_one_out: bool = True,
) -> ReplayResult:
    """Say that a flow cannot be replayed, and why."""
    return ReplayResult(
        flow_id=flow_id,
        mode=mode,
        verdict="unreplayable",
        digest="",
        outcome="",
        virtual_duration_ns=0,
        virtual_low_ns=0,
        virtual_high_ns=0,
        program_digest="",
        program_flows=0,
        leave_one_out=leave_one_out,
        flags=(),
        divergences=(),
        answers=dict.fromkeys((*RUNGS, "ambiguous"), 0),
        scenario=scenario,
        reason=reason,
    )
