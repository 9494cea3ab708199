"""All calls of one operation at once, where load feeds back: a discrete-event simulation.

Callees work on `capacity` calls at a time, first come first served; callers give up, wait and call
again, and what they gave up on is worked on nevertheless. First calls come when they were recorded
to come; how long each takes to serve and how it ends is what was recorded, for attempts beyond
those what another call got at about that time. Nothing is random. The recorded settings are
simulated first: how far that is from the recording is the calibration error.
Read the result as qualitative (claim class C4): it shows where a storm begins, not its height.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from replay.queueing import (
    OK,
    REFUSED,
    TIMEOUT,
    Job,
    Measured,
    Rules,
    Simulation,
    Weather,
    at_share,
)
from replay.recording import RecordedAttempt, RecordedStep, Recording
from replay.scenario import Change
from store.errors import DataError

MILLISECOND_NS = 1_000_000
PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The recording, its simulation, and the simulation of the changed rules."""

    operation: str
    rules: Rules
    changed_rules: Rules
    recorded: Measured
    simulated: Measured
    changed: Measured

    def calibration_ppm(self) -> Mapping[str, int]:
        """How far the simulation of the recorded rules is from the recording, per measure, as a
        share of the recorded value."""
        return {
            name: (getattr(self.simulated, name) - getattr(self.recorded, name))
            * PPM
            // max(getattr(self.recorded, name), 1)
            for name in ("attempts", "timeouts", "failed_calls", "refused", "latency_median_ns",
                         "latency_p95_ns", "peak")
        }  # fmt: skip


def simulate(flows: Sequence[tuple[int, Recording]], change: Change) -> Population:
    """Simulate one operation of recordings, given with their starts in ns since 1970."""
    operation = change.operation
    steps = [
        (start, step) for start, recording in flows for step in recording.steps
        if step.op == operation and not step.local
    ]  # fmt: skip
    if not steps:
        known = sorted({step.op for _, r in flows for step in r.steps if not step.local})
        raise DataError(f"these flows never call {operation!r}; they call: {', '.join(known)}")
    jobs = sorted((_job(start, step) for start, step in steps), key=_order)
    rules = _rules(steps)
    weather = _weather(steps)
    changed = _changed(rules, change)
    return Population(
        operation=operation,
        rules=rules,
        changed_rules=changed,
        recorded=_recorded(steps),
        simulated=Simulation(jobs, rules, weather).run(),
        changed=Simulation(jobs, changed, weather).run(),
    )


def _order(job: Job) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
    return job.at_ns, job.demands, job.statuses


def _job(start: int, step: RecordedStep) -> Job:
    attempts = [a for a in step.attempts if a.breaker_state != "open"] or list(step.attempts)
    return Job(
        start + step.attempts[0].start_ns,
        tuple(_demand(attempt) for attempt in attempts),
        tuple(_answer(attempt) for attempt in attempts),
    )


def _demand(attempt: RecordedAttempt) -> int:
    """How long serving took: by the callee where it tells, else as long as the caller waited."""
    if attempt.callee_end_ns is not None:
        return max(attempt.callee_end_ns - attempt.start_ns, 0)
    return attempt.latency_ns


def _answer(attempt: RecordedAttempt) -> str:
    if attempt.status == TIMEOUT:
        return OK if attempt.callee_outcome in (None, OK) else attempt.callee_outcome
    return attempt.status


def _sent(steps: Sequence[tuple[int, RecordedStep]]) -> list[tuple[int, RecordedAttempt]]:
    """The attempts that left their caller, with the start of their flow."""
    return [
        (start, attempt)
        for start, step in steps
        for attempt in step.attempts
        if attempt.breaker_state != "open"
    ]


def _weather(steps: Sequence[tuple[int, RecordedStep]]) -> Weather:
    answers = sorted(
        (start + attempt.start_ns, _demand(attempt), _answer(attempt))
        for start, attempt in _sent(steps)
    )
    retried = {
        TIMEOUT if earlier.status == TIMEOUT else earlier.status
        for _, step in steps
        for earlier in step.attempts[:-1]
    }
    return Weather(answers, frozenset(retried | {TIMEOUT, REFUSED}))


def _rules(placed: Sequence[tuple[int, RecordedStep]]) -> Rules:
    steps = [step for _, step in placed]
    attempts = [attempt for step in steps for attempt in step.attempts]
    timeouts = sorted(a.timeout_ms for a in attempts if a.timeout_ms is not None)
    declared = [step.max_attempts for step in steps if step.max_attempts is not None]
    backoffs = sorted(
        max(later.start_ns - earlier.end_ns, 0)
        for step in steps
        for earlier, later in zip(step.attempts, step.attempts[1:], strict=False)
    )
    coefficients = sorted(
        float(step.backoff_coefficient) for step in steps if step.backoff_coefficient is not None
    )
    # As many as ever were served at once: with the recorded load, nothing waits.
    busy = _peak(
        (start + a.start_ns, start + a.start_ns + _demand(a)) for start, a in _sent(placed)
    )
    return Rules(
        capacity=max(busy, 1),
        timeout_ns=timeouts[len(timeouts) // 2] * MILLISECOND_NS if timeouts else None,
        attempts_max=max(declared or [len(step.attempts) for step in steps]),
        backoff_ns=backoffs[len(backoffs) // 2] if backoffs else 0,
        backoff_coefficient=coefficients[len(coefficients) // 2] if coefficients else 1.0,
    )


def _changed(rules: Rules, change: Change) -> Rules:
    if change.timeout_ms is not None:
        rules = replace(rules, timeout_ns=change.timeout_ms * MILLISECOND_NS)
    if change.max_attempts is not None:
        rules = replace(rules, attempts_max=change.max_attempts)
    if change.backoff_initial_ms is not None:
        rules = replace(
            rules,
            backoff_ns=change.backoff_initial_ms * MILLISECOND_NS,
            backoff_coefficient=change.backoff_coefficient or 1.0,
        )
    if change.capacity is not None:
        rules = replace(rules, capacity=change.capacity)
    if change.breaker_failures is not None:
        rules = replace(
            rules,
            breaker_failures=change.breaker_failures,
            breaker_open_ns=(change.breaker_open_ms or 0) * MILLISECOND_NS,
        )
    return rules


def _recorded(steps: Sequence[tuple[int, RecordedStep]]) -> Measured:
    sent = _sent(steps)
    latencies = sorted(attempt.latency_ns for _, attempt in sent)
    return Measured(
        calls=len(steps),
        attempts=len(sent),
        timeouts=sum(attempt.status == TIMEOUT for _, attempt in sent),
        failed_calls=sum(step.attempts[-1].status != OK for _, step in steps),
        refused=sum(len(step.attempts) for _, step in steps) - len(sent),
        latency_median_ns=at_share(latencies, 500),
        latency_p95_ns=at_share(latencies, 950),
        peak=_peak((start + a.start_ns, start + a.end_ns) for start, a in sent),
    )


def _peak(intervals: Iterable[tuple[int, int]]) -> int:
    moments = sorted(
        moment for begin, end in intervals for moment in ((begin, 1), (max(end, begin + 1), -1))
    )
    busy = peak = 0
    for _, step in moments:
        busy += step
        peak = max(peak, busy)
    return peak
