"""Typed differences between a recording and a run, the first one first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TypeAlias

from replay.infer.program import Program
from replay.infer.view import base_name
from replay.leaves import same
from replay.recording import RecordedAttempt, Recording, attempts_by_key
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


@dataclass(frozen=True, slots=True)
class _Placed:
    """A divergence with where and when it shows; `excess_ns` is how far out a time is."""

    at_ns: int
    node: str
    divergence: Divergence
    excess_ns: int = 0


class _Comparing:
    def __init__(
        self,
        run: Run,
        recording: Recording,
        program: Program,
        tolerance_ns: int,
        noise: Sequence[str],
    ) -> None:
        self.noise = noise
        self.run = run
        self.recording = recording
        self.program = program
        self.tolerance = tolerance_ns
        self.recorded: dict[_Id, tuple[RecordedAttempt, str]] = {
            (op, key, number): attempt
            for (op, key), attempts in attempts_by_key(recording).items()
            for number, attempt in enumerate(attempts, 1)
        }
        self.replayed: dict[_Id, Call] = {self._ident(call): call for call in run.calls}
        self.found: list[_Placed] = []

    def _ident(self, call: Call) -> _Id:
        """Give what a call is compared by: its key, or that of the answers it was given."""
        known = (call.op, call.key, 1) in self.recorded
        return call.op, call.key if known else call.stream, call.attempt

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
            _Placed(
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
        for ident, (attempt, step_id) in self.recorded.items():
            if ident not in self.replayed:
                op, key, number = ident
                said = _said(op, key, number, attempt.status)
                self.add("missing_call", op, attempt.start_ns, said, None, step_id=step_id)
        for ident, call in self.replayed.items():
            if ident not in self.recorded:
                said = _said(call.op, call.key, call.attempt, call.status)
                self.add("extra_call", call.node, call.start, None, said)
            elif call.first:
                self.arguments(call, ident[1], *self.recorded[ident])

    def arguments(self, call: Call, key: str, attempt: RecordedAttempt, step_id: str) -> None:
        if call.key not in (key, "?") and key:
            self.add(
                "args_changed", call.node, attempt.start_ns, key, call.key,
                step_id=step_id, path="key",
            )  # fmt: skip
            # With another key no recorded call is meant for sure: its likeness decided.
            self.add(
                "answer_rung_lowered", call.node, attempt.start_ns, "explicit", call.rung,
                step_id=step_id, path="rung",
            )  # fmt: skip
        for path, value in call.request.items():
            old = attempt.request.get(path)
            if attempt.request and not same(old, value) and not self._noise(f"request.{path}"):
                self.add(
                    "args_changed", call.node, attempt.start_ns, old, value,
                    step_id=step_id, path=f"request.{path}",
                )  # fmt: skip

    def _noise(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.noise)

    def order(self) -> None:
        """Check every claimed `before` against the recorded times."""
        spans = self._spans()
        before = self.program.order.before
        rounds = self.program.rounds()
        for node, (start, end, step_id) in spans.items():
            for ancestor in sorted(before.get(node, ())):
                if (ancestor, node) in rounds:
                    continue  # round by round: their times say so
                if ancestor not in spans or start >= spans[ancestor][1] - self.tolerance:
                    continue
                turned = end <= spans[ancestor][0] + self.tolerance
                self.add(
                    "reordered" if turned else "concurrency_changed", node, start,
                    f"before the end of {base_name(ancestor)}", f"after {base_name(ancestor)}",
                    step_id=step_id,
                )  # fmt: skip
        self._undo_order()

    def _spans(self) -> dict[str, tuple[int, int, str]]:
        spans: dict[str, tuple[int, int, str]] = {}
        for ident, call in self.replayed.items():
            if ident not in self.recorded or call.recovery:
                continue
            attempt, step_id = self.recorded[ident]
            old = spans.get(call.node)
            if old is None or attempt.start_ns < old[0]:
                end = attempt.end_ns if old is None else max(old[1], attempt.end_ns)
                spans[call.node] = (attempt.start_ns, end, step_id)
            elif attempt.end_ns > old[1]:
                spans[call.node] = (old[0], attempt.end_ns, old[2])
        return spans

    def _undo_order(self) -> None:
        if self.program.recovery.parallel:
            return
        undone = [
            (self.recorded[ident], call)
            for ident, call in sorted(
                self.replayed.items(), key=lambda item: (item[1].start, item[1].place)
            )
            if call.recovery and call.first and ident in self.recorded
        ]
        for ((first, _), one), ((second, step_id), other) in pairwise(undone):
            if first.start_ns > second.start_ns + self.tolerance:
                self.add(
                    "reordered", other.node, second.start_ns, f"before {one.op} {one.key}".strip(),
                    f"after {one.op} {one.key}".strip(), step_id=step_id,
                )  # fmt: skip

    def times(self) -> None:
        for ident, call in self.replayed.items():
            if ident in self.recorded:
                attempt, step_id = self.recorded[ident]
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
        starts = {call.node: call.start for call in reversed(self.run.calls)}
        for node, key, path, old, new in self.run.computed:
            ident = (base_name(node), key, 1)
            step_id, at_ns = "", starts.get(node, 0)
            if ident in self.recorded:
                # Recorded times where there are any: only these compare with those of lost calls.
                step_id, at_ns = self.recorded[ident][1], self.recorded[ident][0].start_ns
            where = "status" if path.startswith("~") else f"response.{path}"
            self.add("result_changed", node, at_ns, old, new, step_id=step_id, path=where)
        run = self.run
        if run.outcome != self.recording.outcome:
            handled = "succeeded" in (run.outcome, self.recording.outcome)
            kind = "result_changed" if handled else "exception_changed"
            self.add(kind, "end", run.end, self.recording.outcome, run.outcome, path="outcome")
        for path, value in run.output.items():
            old = self.recording.output.get(path)
            if path in self.recording.output and not same(old, value):
                self.add("result_changed", "end", run.end, old, value, path=f"output.{path}")


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
) -> Comparison:
    """Align a run with what was recorded, on the partial order the program claims.

    Request values at paths that fit a pattern of `noise` are not compared.
    """
    comparing = _Comparing(run, recording, program, clock_tolerance_ns, noise)
    comparing.calls()
    comparing.order()
    comparing.results()
    comparing.times()
    placed = comparing.found
    placed.sort(key=lambda p: (p.at_ns, p.node == "end", p.divergence.kind in _AFTER,
                               p.node, p.divergence.kind, p.divergence.path))  # fmt: skip
    if not placed:
        verdict = "identical"
    elif all(p.excess_ns and p.excess_ns <= noise_ns for p in placed):
        verdict = "equivalent"
    else:
        verdict = "diverged"
    ordered = _causes_first(placed[:DIVERGENCES_MAX], program.order.before)
    traced = _trace(ordered, program)
    return Comparison(divergences=tuple(traced), verdict=verdict)


def _causes_first(placed: Sequence[_Placed], before: Mapping[str, frozenset[str]]) -> list[_Placed]:
    """Order by time, but nothing before what it depends on: recorded and replayed times differ."""
    left = list(placed)
    ordered: list[_Placed] = []
    while left:
        nodes = {item.node for item in left}
        first = next((item for item in left if not _waits(item.node, nodes, before)), left[0])
        ordered.append(first)
        left.remove(first)
    return ordered


def _waits(node: str, others: set[str], before: Mapping[str, frozenset[str]]) -> bool:
    if node in before:
        return bool(before[node] & others)
    # Recovery follows from the way forward, the end from everything.
    return any(other != node and (node == "end" or other in before) for other in others)


def _trace(placed: Sequence[_Placed], program: Program) -> list[Divergence]:
    """Name for each divergence the earlier one it follows from; the first one has none."""
    before: Mapping[str, frozenset[str]] = program.order.before
    depends = _dependence(before)
    traced: list[Divergence] = []
    for index, item in enumerate(placed):
        source = ""
        for earlier in reversed(placed[:index]):
            if depends(item.node, earlier.node):
                source = earlier.divergence.step_id
                break
        traced.append(replace(item.divergence, source=source))
    return traced


def _dependence(before: Mapping[str, frozenset[str]]) -> Callable[[str, str], bool]:
    def depends(node: str, earlier: str) -> bool:
        if node == earlier or node == "end":
            return True
        if node not in before:
            return True  # recovery follows from everything before it
        return earlier in before[node]

    return depends
