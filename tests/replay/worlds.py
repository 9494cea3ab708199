"""Flows with a known true program, written as imperative generators on an integer clock.

The programs here share no code and no shape with the inferred ones.
"""

import hashlib
import heapq
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from store.conclusions import Attempt, Flow, FlowOutcome, Step, StepOutcome
from store.model import JsonValue

MS = 1_000_000
EPOCH_NS = 1_790_000_000_000_000_000
Body: TypeAlias = dict[str, Any]
Task: TypeAlias = Generator[tuple[Any, ...], Any, Any]


class Abort(Exception):
    """A step failed for good."""


def dice(*parts: object) -> random.Random:
    """Give a generator that depends on these words only."""
    seed = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(seed, "big"))


@dataclass(kw_only=True)
class Made:
    """One call as its caller saw it."""

    op: tuple[str, str]
    key: str
    start: int
    end: int
    status: str
    request: Body
    response: Body
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Reply:
    """What a callee does with a call. `true_ns` is its own latency, where the caller gave up;
    `draw` what the caller drew by its side, and had recorded."""

    status: str
    latency: int
    body: Body = field(default_factory=dict)
    breaker: str | None = None
    true_ns: int | None = None
    draw: float | None = None


Answering: TypeAlias = Callable[[tuple[str, str], str, int], Reply]


class Running:
    """A task under way: how it ended, and who wants to be told."""

    def __init__(self) -> None:
        self.over = False
        self.value: Any = None
        self.error: Abort | None = None
        self.told: list[Callable[[], None]] = []
        self.call: Callable[[], None] | None = None  # ends the call it waits for, as cancelled

    def end(self, value: Any, error: Abort | None) -> None:
        if self.over:
            return
        self.over, self.value, self.error = True, value, error
        for tell in self.told:
            tell()


class Engine:
    """Runs tasks: ("call", …), ("sleep", ns), ("all", tasks) which waits for every one of them.

    ("start", task) gives a `Running` at once; ("first", runnings, ns) waits until one is over or
    the time has passed; ("together", runnings) waits for all but stops at the first failure;
    ("cancel", running) ends its open call as cancelled.
    """

    def __init__(self, answering: Answering, seed: object, think_ms: float = 2.0) -> None:
        self.answering = answering
        self.seed = seed
        self.think_ms = think_ms
        self.now = 0
        self.calls: list[Made] = []
        self.counts: dict[tuple[Any, ...], int] = {}
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.serial = 0

    def at(self, moment: int, then: Callable[[], None]) -> None:
        self.serial += 1
        heapq.heappush(self.heap, (moment, self.serial, then))

    def spawn(self, task: Task) -> Running:
        running = Running()

        def step(value: Any = None, error: Abort | None = None) -> None:
            if running.over:
                return
            try:
                wanted = task.throw(error) if error is not None else task.send(value)
            except StopIteration as stop:
                running.end(stop.value, None)
            except Abort as failed:
                running.end(None, failed)
            else:
                self._serve(wanted, running, step)

        step()
        return running

    def _serve(self, wanted: tuple[Any, ...], running: Running, step: Callable[..., None]) -> None:
        verb = wanted[0]
        if verb == "sleep":
            self.at(self.now + wanted[1], step)
        elif verb == "call":
            self._call(wanted[1], wanted[2], wanted[3], wanted[4], running, step)
        elif verb == "all":
            self._all([self.spawn(task) for task in wanted[1]], step)
        elif verb == "start":
            step(self.spawn(wanted[1]))
        elif verb == "first":
            self._first(wanted[1], wanted[2], step)
        elif verb == "together":
            self._together(wanted[1], step)
        else:
            cancelled: Running = wanted[1]
            if not cancelled.over:
                cancelled.end(None, Abort("cancelled"))
                if cancelled.call is not None:
                    cancelled.call()
            step()

    def _once(self, step: Callable[..., None]) -> Callable[..., None]:
        used: list[bool] = []

        def once(value: Any = None, error: Abort | None = None) -> None:
            if not used:
                used.append(True)
                step(value, error)

        return once

    def _watch(self, runnings: Sequence[Running], look: Callable[[], None]) -> None:
        for running in runnings:
            running.told.append(look)
        look()

    def _all(self, runnings: Sequence[Running], step: Callable[..., None]) -> None:
        go = self._once(step)

        def look() -> None:
            if all(running.over for running in runnings):
                failed = [running.error for running in runnings if running.error is not None]
                go([running.value for running in runnings], failed[0] if failed else None)

        self._watch(runnings, look)

    def _first(
        self, runnings: Sequence[Running], wait_ns: int | None, step: Callable[..., None]
    ) -> None:
        go = self._once(step)

        def look() -> None:
            over = [running for running in runnings if running.over]
            if over:
                go(over[0])

        self._watch(runnings, look)
        if wait_ns is not None:
            self.at(self.now + wait_ns, go)

    def _together(self, runnings: Sequence[Running], step: Callable[..., None]) -> None:
        go = self._once(step)

        def look() -> None:
            failed = [running.error for running in runnings if running.error is not None]
            if failed:
                go(None, failed[0])
            elif all(running.over for running in runnings):
                go([running.value for running in runnings])

        self._watch(runnings, look)

    def _call(
        self,
        op: tuple[str, str],
        key: str,
        request: Body,
        options: dict[str, Any],
        running: Running,
        step: Callable[..., None],
    ) -> None:
        def start() -> None:
            if running.over:
                return
            number = self.counts[op, key] = self.counts.get((op, key), 0) + 1
            reply = options["local"] if "local" in options else self.answering(op, key, number)
            begun = self.now
            written: list[bool] = []

            def write(status: str, body: Body) -> None:
                if written:
                    return
                written.append(True)
                self.calls.append(
                    Made(
                        op=op, key=key, start=begun, end=self.now, status=status,
                        request=request, response=body,
                        options={
                            **options, "breaker": reply.breaker, "true_ns": reply.true_ns,
                            "draw": reply.draw,
                        },
                    )
                )  # fmt: skip

            def finish() -> None:
                write(reply.status, reply.body)
                running.call = None
                step(reply)

            running.call = lambda: write("cancelled", {})
            self.at(begun + reply.latency, finish)

        number = self.counts.get((op, key), 0) + 1
        think = dice("think", self.seed, op, key, number).lognormvariate(0, 0.5)
        self.at(self.now + int(self.think_ms * MS * think), start)

    def run(self, task: Task) -> tuple[Any, int]:
        ended: list[int] = []
        running = self.spawn(task)
        running.told.append(lambda: ended.append(self.now))
        while self.heap:
            self.now, _, then = heapq.heappop(self.heap)
            then()
        if running.error is not None:
            raise running.error
        return running.value, ended[0]


def attempt_until(
    engine: Engine,
    op: tuple[str, str],
    key: str,
    request: Body,
    *,
    times: int = 1,
    base_ms: int = 0,
    factor: float = 2.0,
    jitter: float = 0.0,
    on: Sequence[str] = ("503", "timeout"),
    **options: Any,
) -> Task:
    """Call with retries; gives the reply, whatever its status."""
    number = 0
    while True:
        number += 1
        reply = yield ("call", op, key, request, options)
        if reply.status == "ok" or reply.status not in on or number == times:
            return reply
        shake = dice("jitter", engine.seed, op, key, number).uniform(-1, 1)
        if reply.draw is not None:
            shake = 2 * reply.draw - 1
        yield ("sleep", int(base_ms * MS * factor ** (number - 1) * (1 + jitter * shake)))


def must(task: Task) -> Task:
    """Abort unless the reply is ok."""
    reply = yield from task
    if reply.status != "ok":
        raise Abort(reply.status)
    return reply


def flow_of(
    made: Sequence[Made],
    *,
    flow_id: str,
    name: str,
    version: str,
    service: str,
    given: JsonValue,
    output: JsonValue,
    outcome: str,
    end: int,
    origin: int,
) -> Flow:
    """Write calls down as the analyzer would."""
    grouped: dict[tuple[tuple[str, str], str], list[Made]] = {}
    for call in made:
        grouped.setdefault((call.op, call.key), []).append(call)
    ids = {ident: f"{flow_id}/{ident[0][0]}/{ident[0][1]}/{ident[1]}" for ident in grouped}
    steps = [_step(ids, ident, calls, service, origin) for ident, calls in grouped.items()]
    steps += [_inner(step, origin) for step in steps[:1]]
    draws: list[JsonValue] = [
        {"index": 0, "kind": "random", "span_id": f"{ids[ident]}/{number}", "value": drawn}
        for ident, calls in grouped.items()
        for number, call in enumerate(sorted(calls, key=lambda call: call.start))
        if (drawn := call.options.get("draw")) is not None
    ]
    return Flow(
        flow_id=flow_id, name=name, version=version, outcome=FlowOutcome(outcome),
        start_ns=origin, end_ns=origin + end, trace_ids=[flow_id], span_count=len(made) + 1,
        decision_ids=[], architecture="central", replayability="R3", complete=True,
        service=service, services=[service], steps=steps, critical_path=[], input=given,
        output=output, draws=draws,
    )  # fmt: skip


def _step(
    ids: dict[tuple[tuple[str, str], str], str],
    ident: tuple[tuple[str, str], str],
    calls: list[Made],
    service: str,
    origin: int,
) -> Step:
    (callee, operation), key = ident
    options = calls[0].options
    undoes = options.get("undoes")
    local = "local" in options
    calls = sorted(calls, key=lambda call: call.start)
    return Step(
        step_id=ids[ident], key=key, name=operation,
        kind=options.get("kind", "gate" if local else "call"), service=service, callee=callee,
        operation=operation,
        outcome=StepOutcome.OK if calls[-1].status == "ok" else StepOutcome.ERROR,
        start_ns=origin + calls[0].start, end_ns=origin + calls[-1].end,
        attempts=[_attempt(ids[ident], number, call, origin) for number, call in enumerate(calls)],
        saga_step=operation, role="compensation" if undoes else None,
        compensates=ids.get(undoes) if undoes and options.get("declared", True) else None,
        max_attempts=options.get("declared_times"),
    )  # fmt: skip


def _attempt(step_id: str, number: int, call: Made, origin: int) -> Attempt:
    true_ns = call.options.get("true_ns")
    word = {
        "ok": StepOutcome.OK, "timeout": StepOutcome.TIMEOUT, "cancelled": StepOutcome.CANCELLED,
    }  # fmt: skip
    return Attempt(
        trace_id="t", span_id=f"{step_id}/{number}", start_ns=origin + call.start,
        end_ns=origin + call.end, outcome=word.get(call.status, StepOutcome.ERROR),
        status=call.status, request=call.request, response=call.response,
        has_request=bool(call.request), has_response=bool(call.response),
        breaker_state=call.options.get("breaker"),
        callee_outcome=None if true_ns is None else StepOutcome.OK,
        callee_end_ns=None if true_ns is None else origin + call.start + true_ns,
    )  # fmt: skip


def _inner(step: Step, origin: int) -> Step:
    """A call made inside a callee: no business of the flow's own caller."""
    return Step(
        step_id=step.step_id + "/inner", key="", name="SELECT", kind="call",
        service=step.callee or "other", callee="database", operation="SELECT",
        outcome=StepOutcome.OK, start_ns=step.start_ns, end_ns=step.end_ns,
        attempts=[_attempt("inner", 0, Made(op=("database", "SELECT"), key="", start=0, end=1,
                                            status="ok", request={}, response={}), origin)],
        parent_step_id=step.step_id,
    )  # fmt: skip
