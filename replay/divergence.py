"""Typed differences between a recording and a run, the first one first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from operator import itemgetter
from typing import TypeAlias

from msgspec import Struct

from replay.consequences import Placed, causes_first, traced
from replay.identical import identical
from replay.infer.program import Program
from replay.infer.view import base_name
from replay.leaves import same
from replay.recording import AttemptsByKey, RecordedAttempt, Recording, attempts_by_key
from replay.run import Call, Run
from store.conclusions import Divergence
from store.model import JsonValue

DIVERGENCES_MAX = 200
# At one place these follow from whatever else differs there.
_AFTER = ("answer_rung_lowered", "timing_changed")
_Id: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All divergences in causal order, and the verdict they add up to."""

    divergences: tuple[Divergence, ...]
    verdict: str


_IDENTICAL = Comparison(divergences=(), verdict="identical")


class _Span(Struct, gc=False):
    """From the start of a node's first attempt to the end of its last."""

    start: int
    end: int
    first: RecordedAttempt


class _Comparing:
    def __init__(
        self,
        run: Run,
        recording: Recording,
        program: Program,
        tolerance_ns: int,
        noise: Sequence[str],
        recorded: AttemptsByKey,
    ) -> None:
        self.noise = noise
        self.run = run
        self.recording = recording
        self.program = program
        self.tolerance = tolerance_ns
        self.recorded = recorded
        self.replayed: dict[_Id, Call] = {}
        for call in run.calls:
            # What a call is compared by: its key, or that of the answers it was given.
            key = call.key if self.recorded.get((call.op, call.key)) else call.stream
            self.replayed[call.op, key, call.attempt] = call
        self.both: list[tuple[Call, RecordedAttempt]] = []
        self.found: list[Placed] = []

    def _step_of(self, attempt: RecordedAttempt) -> str:
        """Give the id of the recorded step an attempt belongs to."""
        steps = self.recording.steps
        return next(s.step_id for s in steps if any(made is attempt for made in s.attempts))

    def add(
        self,
        kind: str,
        node: str,
        at_ns: int,
        recorded: JsonValue,
        replayed: JsonValue,
        *,
        step_id: str = "",
        path: str = "",
        excess_ns: int = 0,
    ) -> None:
        self.found.append(
            Placed(
                at_ns,
                node,
                Divergence(
                    kind=kind, step_id=step_id or node, recorded=recorded, replayed=replayed,
                    path=path,
                ),
                excess_ns,
            )
        )  # fmt: skip

    def calls(self) -> None:
        """Pair calls that were recorded and replayed, and tell of the others."""
        recorded, both = self.recorded, self.both
        for (op, key, number), call in self.replayed.items():
            attempts = recorded.get((op, key), ())
            if number > len(attempts):
                said = _said(call.op, call.key, call.attempt, call.status)
                self.add("extra_call", call.node, call.start, None, {**said, "rung": call.rung})
                continue
            attempt = attempts[number - 1]
            both.append((call, attempt))
            if call.first:
                self.arguments(call, key, attempt)
        if len(both) < sum(map(len, recorded.values())):
            self._missing()

    def _missing(self) -> None:
        for (op, key), attempts in sorted(self.recorded.items(), key=itemgetter(0)):
            for number, attempt in enumerate(attempts, 1):
                if (op, key, number) not in self.replayed:
                    said = _said(op, key, number, attempt.status)
                    step_id = self._step_of(attempt)
                    self.add("missing_call", op, attempt.start_ns, said, None, step_id=step_id)

    def arguments(self, call: Call, key: str, attempt: RecordedAttempt) -> None:
        if call.key != key and key and call.key != "?":
            step_id = self._step_of(attempt)
            self.add(
                "args_changed", call.node, attempt.start_ns, key, call.key,
                step_id=step_id, path="key",
            )  # fmt: skip
            # With another key no recorded call is meant for sure: its likeness decided.
            self.add(
                "answer_rung_lowered", call.node, attempt.start_ns, "explicit", call.rung,
                step_id=step_id, path="rung",
            )  # fmt: skip
        recorded = attempt.request
        if not recorded:
            return
        for path, value in call.request.items():
            old = recorded.get(path)
            if old == value and type(old) is type(value):
                continue
            if same(old, value) or self._noise(f"request.{path}"):
                continue
            self.add(
                "args_changed", call.node, attempt.start_ns, old, value,
                step_id=self._step_of(attempt), path=f"request.{path}",
            )  # fmt: skip

    def _noise(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.noise)

    def order(self) -> None:
        """Check every claimed `before` against the recorded times."""
        spans = self._spans()
        ends = {node: span.end - self.tolerance for node, span in spans.items()}
        before = self.program.order.before
        for node, span in spans.items():
            start = span.start
            late = [one for one in before.get(node, ()) if ends.get(one, start) > start]
            if late:
                self._out_of_order(node, sorted(late), spans)
        self._undo_order()

    def _out_of_order(self, node: str, late: Sequence[str], spans: Mapping[str, "_Span"]) -> None:
        rounds = self.program.rounds()
        mine = spans[node]
        for ancestor in late:
            if (ancestor, node) in rounds:
                continue  # round by round: their times say so
            turned = mine.end <= spans[ancestor].start + self.tolerance
            self.add(
                "reordered" if turned else "concurrency_changed", node, mine.start,
                f"before the end of {base_name(ancestor)}", f"after {base_name(ancestor)}",
                step_id=self._step_of(mine.first),
            )  # fmt: skip

    def _spans(self) -> dict[str, "_Span"]:
        spans: dict[str, _Span] = {}
        for call, attempt in self.both:
            if call.recovery:
                continue
            span = spans.get(call.node)
            if span is None:
                spans[call.node] = _Span(attempt.start_ns, attempt.end_ns, attempt)
                continue
            if attempt.start_ns < span.start:
                span.start, span.first = attempt.start_ns, attempt
            if attempt.end_ns > span.end:
                span.end = attempt.end_ns
        return spans

    def _undo_order(self) -> None:
        if self.program.recovery.parallel:
            return
        undone = [pair for pair in self.both if pair[0].recovery and pair[0].first]
        undone.sort(key=lambda pair: (pair[0].start, pair[0].place))
        for (one, first), (other, second) in pairwise(undone):
            if first.start_ns > second.start_ns + self.tolerance:
                self.add(
                    "reordered", other.node, second.start_ns, f"before {one.op} {one.key}".strip(),
                    f"after {one.op} {one.key}".strip(), step_id=self._step_of(second),
                )  # fmt: skip

    def times(self) -> None:
        tolerance = self.tolerance
        for call, attempt in self.both:
            if not call.low - tolerance <= attempt.start_ns <= call.high + tolerance:
                step_id = self._step_of(attempt)
                self._time(call.node, attempt.start_ns, call.low, call.high, step_id)
        run = self.run
        self._time("end", self.recording.duration_ns, run.end_low, run.end_high, "end")

    def _time(self, node: str, recorded: int, low: int, high: int, step_id: str) -> None:
        excess = max(low - self.tolerance - recorded, recorded - high - self.tolerance)
        if excess > 0:
            self.add(
                "timing_changed", node, recorded, recorded, f"{low}..{high}",
                step_id=step_id, path="start_ns" if node != "end" else "end_ns",
                excess_ns=excess,
            )  # fmt: skip

    def results(self) -> None:
        run = self.run
        if run.computed:
            self._computed()
        if run.outcome != self.recording.outcome:
            handled = "succeeded" in (run.outcome, self.recording.outcome)
            kind = "result_changed" if handled else "exception_changed"
            self.add(kind, "end", run.end, self.recording.outcome, run.outcome, path="outcome")
        output = self.recording.output
        for path, value in run.output.items():
            if path in output and not same(output[path], value):
                self.add(
                    "result_changed", "end", run.end, output[path], value, path=f"output.{path}"
                )

    def _computed(self) -> None:
        starts = {call.node: call.start for call in reversed(self.run.calls)}
        for node, key, path, old, new in self.run.computed:
            attempts = self.recorded.get((base_name(node), key))
            step_id, at_ns = "", starts.get(node, 0)
            if attempts:
                # Recorded times where there are any: only these compare with those of lost calls.
                step_id, at_ns = self._step_of(attempts[0]), attempts[0].start_ns
            where = "status" if path.startswith("~") else f"response.{path}"
            self.add("result_changed", node, at_ns, old, new, step_id=step_id, path=where)


def _said(op: str, key: str, number: int, status: str) -> dict[str, JsonValue]:
    return {"op": op, "key": key, "attempt": number, "status": status}


def compare(
    run: Run,
    recording: Recording,
    program: Program,
    *,
    clock_tolerance_ns: int,
    noise_ns: int,
    noise: Sequence[str] = (),
    recorded: AttemptsByKey | None = None,
) -> Comparison:
    """Align a run with what was recorded, on the partial order the program claims.

    Request values at paths that fit a pattern of `noise` are not compared. `recorded` are the
    attempts of the recording, where the caller has sorted them already.
    """
    if recorded is None:
        recorded = attempts_by_key(recording)
    if identical(run, recording, recorded, program, clock_tolerance_ns):
        return _IDENTICAL
    comparing = _Comparing(run, recording, program, clock_tolerance_ns, noise, recorded)
    comparing.calls()
    comparing.order()
    comparing.results()
    comparing.times()
    placed = comparing.found
    if not placed:
        return _IDENTICAL
    placed.sort(key=lambda p: (p.at_ns, p.node == "end", p.divergence.kind in _AFTER,
                               p.node, p.divergence.kind, p.divergence.path))  # fmt: skip
    if all(p.excess_ns and p.excess_ns <= noise_ns for p in placed):
        verdict = "equivalent"
    else:
        verdict = "diverged"
    ordered = causes_first(placed[:DIVERGENCES_MAX], program.order.before)
    ended_by = {base_name(op) for op in run.aborted_by}
    ended = next((step.step_id for step in recording.steps if step.op in ended_by), "")
    found = traced(ordered, program.order.before, ended)
    return Comparison(divergences=tuple(found), verdict=verdict)
