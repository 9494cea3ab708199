"""Calls to one callee that serves so many at a time, on a heap of events.

An attempt comes, waits, is served, or its caller gives up; what was given up on is worked on
nevertheless. Nothing is random.
"""

import heapq
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from store.errors import DataError

EVENTS_MAX = 5_000_000
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


@dataclass(frozen=True, slots=True)
class Job:
    """One logical call: when it first comes, what serving each attempt takes, how it answers."""

    at_ns: int
    demands: tuple[int, ...]
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weather:
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


def at_share(ordered: Sequence[int], permille: int) -> int:
    return ordered[(len(ordered) - 1) * permille // 1_000] if ordered else 0


class Simulation:
    """One run over the heap of events: an attempt comes, is served, or its caller gives up."""

    def __init__(self, jobs: Sequence[Job], rules: Rules, weather: Weather) -> None:
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
            latency_median_ns=at_share(latencies, 500),
            latency_p95_ns=at_share(latencies, 950),
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
