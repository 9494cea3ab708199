"""All calls of one operation at once, where load feeds back: a discrete-event simulation.

Callees work on `capacity` calls at a time, first come first served; callers give up, wait and call
again, and what they gave up on is worked on nevertheless. First calls come when they were recorded
to come; how long each takes to serve and how it ends is what was recorded, for attempts beyond
those what another call got at about that time. Nothing is random. The recorded settings are
simulated first: how far that is from the recording is the calibration error.
Read the result as qualitative (claim class C4): it shows where a storm begins, not its height.
"""

import heapq
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from replay.recording import RecordedAttempt, RecordedStep, Recording
from replay.scenario import Change
from store.errors import DataError

MILLISECOND_NS = 1_000_000
EVENTS_MAX = 5_000_000
PPM = 1_000_000
# At the same moment, who is served makes room first.
_SERVED, _COMES, _GIVES_UP = 0, 1, 2
OK, TIMEOUT, REFUSED = "ok", "timeout", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How calls are made and served. A breaker opens after `breaker_failures` failures in a row,
    for `breaker_open_ns`; 0 means that there is none."""

    capacity: int
    timeout_ns: int | None
    attempts_max: int
    backoff_ns: int
    backoff_coefficient: float
    breaker_failures: int = 0
    breaker_open_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of it. `peak` counts calls in service or waiting at once; durations are in ns."""

    calls: int
    attempts: int
    timeouts: int
    failed_calls: int
    refused: int
    latency_median_ns: int
    latency_p95_ns: int
    peak: int


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
            for name in ("attempts", "timeouts", "failed_calls", "latency_median_ns",
                         "latency_p95_ns")
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Job:
    """One logical call: when it first comes, what serving each attempt takes, how it answers."""

    at_ns: int
    demands: tuple[int, ...]
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Weather:
    """All recorded answers as (start, time to serve, status), and statuses that were retried."""

    answers: Sequence[tuple[int, int, str]]
    retried: frozenset[str]

    def at(self, now: int) -> tuple[int, str]:
        """Give the answer that some call got at about this time."""
        index = min(bisect_left(self.answers, (now, 0, "")), len(self.answers) - 1)
        return self.answers[index][1:]


@dataclass(slots=True)
class _Live:
    """One attempt under way."""

    job: int
    number: int
    came_ns: int
    status: str = OK
    done: bool = False


@dataclass(slots=True)
class _Counted:
    latencies: list[int] = field(default_factory=list)
    timeouts: int = 0
    failed: int = 0
    refused: int = 0
    peak: int = 0


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
        simulated=_Simulation(jobs, rules, weather).run(),
        changed=_Simulation(jobs, changed, weather).run(),
    )


def _order(job: _Job) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
    return job.at_ns, job.demands, job.statuses


def _job(start: int, step: RecordedStep) -> _Job:
    attempts = [a for a in step.attempts if a.breaker_state != "open"] or list(step.attempts)
    return _Job(
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


def _weather(steps: Sequence[tuple[int, RecordedStep]]) -> _Weather:
    answers = sorted(
        (start + attempt.start_ns, _demand(attempt), _answer(attempt))
        for start, attempt in _sent(steps)
    )
    retried = {
        TIMEOUT if earlier.status == TIMEOUT else earlier.status
        for _, step in steps
        for earlier in step.attempts[:-1]
    }
    return _Weather(answers, frozenset(retried | {TIMEOUT, REFUSED}))


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
        latency_median_ns=_at(latencies, 500),
        latency_p95_ns=_at(latencies, 950),
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


def _at(ordered: Sequence[int], permille: int) -> int:
    return ordered[(len(ordered) - 1) * permille // 1_000] if ordered else 0


class _Simulation:
    """One run over the heap of events: an attempt comes, is served, or its caller gives up."""

    def __init__(self, jobs: Sequence[_Job], rules: Rules, weather: _Weather) -> None:
        self.jobs = jobs
        self.rules = rules
        self.weather = weather
        self.heap: list[tuple[int, int, int, _Live]] = []
        self.sequence = 0
        self.waiting: deque[_Live] = deque()
        self.serving = 0
        self.in_row = 0
        self.open_until: int | None = None
        self.counted = _Counted()

    def run(self) -> Measured:
        for number, job in enumerate(self.jobs):
            self._push(job.at_ns, _COMES, _Live(number, 1, job.at_ns))
        steps = 0
        while self.heap:
            now, kind, _, live = heapq.heappop(self.heap)
            steps += 1
            if steps > EVENTS_MAX:
                raise DataError(f"the simulation was stopped after {EVENTS_MAX} events")
            if kind == _COMES:
                self._come(now, live)
            elif kind == _SERVED:
                self._served(now, live)
            elif not live.done:
                live.done = True
                self.counted.timeouts += 1
                self._answered(now, live, TIMEOUT)
        counted = self.counted
        latencies = sorted(counted.latencies)
        return Measured(
            calls=len(self.jobs),
            attempts=len(latencies),
            timeouts=counted.timeouts,
            failed_calls=counted.failed,
            refused=counted.refused,
            latency_median_ns=_at(latencies, 500),
            latency_p95_ns=_at(latencies, 950),
            peak=counted.peak,
        )

    def _push(self, at_ns: int, kind: int, live: _Live) -> None:
        self.sequence += 1
        heapq.heappush(self.heap, (at_ns, kind, self.sequence, live))

    def _come(self, now: int, live: _Live) -> None:
        if self.open_until is not None:
            if now < self.open_until:
                self.counted.refused += 1
                self._again(now, live, REFUSED)
                return
            # Half open: this one tries; until it is back, the others are refused.
            self.open_until = now + self.rules.breaker_open_ns
        if self.rules.timeout_ns is not None:
            self._push(now + self.rules.timeout_ns, _GIVES_UP, live)
        self.waiting.append(live)
        self.counted.peak = max(self.counted.peak, self.serving + len(self.waiting))
        self._serve(now)

    def _serve(self, now: int) -> None:
        while self.waiting and self.serving < self.rules.capacity:
            live = self.waiting.popleft()
            self.serving += 1
            job = self.jobs[live.job]
            if live.number <= len(job.demands):
                demand, live.status = job.demands[live.number - 1], job.statuses[live.number - 1]
            else:
                demand, live.status = self.weather.at(live.came_ns)
            self._push(now + demand, _SERVED, live)

    def _served(self, now: int, live: _Live) -> None:
        self.serving -= 1
        self._serve(now)
        if not live.done:
            live.done = True
            self._answered(now, live, live.status)

    def _answered(self, now: int, live: _Live, status: str) -> None:
        self.counted.latencies.append(now - live.came_ns)
        limit = self.rules.breaker_failures
        if status == OK:
            self.in_row, self.open_until = 0, None
            return
        self.in_row += 1
        if limit and self.in_row >= limit:
            self.open_until = now + self.rules.breaker_open_ns
        self._again(now, live, status)

    def _again(self, now: int, live: _Live, status: str) -> None:
        if status not in self.weather.retried or live.number >= self.rules.attempts_max:
            self.counted.failed += 1
            return
        wait = int(self.rules.backoff_ns * self.rules.backoff_coefficient ** (live.number - 1))
        self._push(now + wait, _COMES, _Live(live.job, live.number + 1, now + wait))
