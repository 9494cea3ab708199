"""Recorded answers under other timeouts: cut shorter, or waited for longer."""

from collections.abc import Mapping, Sequence

from replay.infer.program import Donor
from replay.infer.view import base_name
from replay.match import Answer
from replay.recording import RecordedAttempt
from replay.scenario import Change

MILLISECOND_NS = 1_000_000
TIMEOUT = "timeout"


class Timeouts:
    """Reshapes recorded answers, and collects what each reshaping rests on."""

    def __init__(self, changes: Sequence[Change], donors: Mapping[str, Donor]) -> None:
        self.limits = {
            change.operation: change.timeout_ms * MILLISECOND_NS
            for change in changes
            if change.timeout_ms is not None
        }
        self.donors = donors
        self.classes: set[str] = set()
        self.reasons: list[str] = []

    def reshape(self, op: str, attempt: RecordedAttempt, answer: Answer) -> Answer:
        """Give the answer as it would have been under the new timeout."""
        limit = self.limits.get(base_name(op))
        if limit is None:
            return answer
        if attempt.status == TIMEOUT and limit > attempt.latency_ns:
            return self._longer(base_name(op), attempt, answer, limit)
        if attempt.latency_ns > limit:
            self._rests("C1", "")
            return _timed_out(answer, limit)
        return answer

    def _rests(self, claim: str, reason: str) -> None:
        self.classes.add(claim)
        if reason and reason not in self.reasons:
            self.reasons.append(reason)

    def _longer(self, op: str, attempt: RecordedAttempt, answer: Answer, limit: int) -> Answer:
        """The caller gave up before; how long the answer would have taken is known or borrowed."""
        if attempt.callee_end_ns is not None:
            true = attempt.callee_end_ns - attempt.start_ns
            if true > limit:
                self._rests("C1", f"{op}: the callee's own span ends after the new timeout too")
                return _timed_out(answer, limit)
            self._rests("C2", f"{op}: latency and outcome are from the callee's own span")
            wait = max(true, attempt.latency_ns)
            status = attempt.callee_outcome or "ok"
            return self._lent(op, answer, status, wait, wait, wait, "callee span")
        donor = self.donors.get(op)
        slower = [] if donor is None else [
            value for value in donor.latencies_ns if value > attempt.latency_ns
        ]  # fmt: skip
        if not slower:
            self._rests("C3", f"{op}: not identified, no donor took longer than the old timeout")
            return _timed_out(answer, limit, note="no donors")
        usual, low, high = slower[len(slower) // 2], slower[0], slower[-1]
        self._rests(
            "C3",
            f"{op}: latency {low}..{high} ns borrowed from {len(slower)} slower answers",
        )
        if usual > limit:
            return _timed_out(answer, limit, note=f"{len(slower)} donors")
        return self._lent(op, answer, "ok", usual, low, min(high, limit), f"{len(slower)} donors")

    def _lent(
        self, op: str, answer: Answer, status: str, usual: int, low: int, high: int, note: str
    ) -> Answer:
        donor = self.donors.get(op)
        body = donor.response if donor is not None and status == "ok" else {}
        if body:
            self._rests(
                min(self.classes), f"{op}: the body is borrowed, it never reached the caller"
            )
        return Answer(
            status, body, usual, low, high, answer.rung, answer.breaker, answer.effect, note
        )


def _timed_out(answer: Answer, limit: int, note: str = "") -> Answer:
    return Answer(
        TIMEOUT, {}, limit, limit, limit, answer.rung, answer.breaker, answer.effect, note
    )
