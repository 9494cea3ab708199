"""Recorded answers under other timeouts: cut shorter, or waited for longer."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from replay.infer.program import Donor
from replay.infer.view import base_name
from replay.match import Answer
from replay.recording import RecordedAttempt
from replay.scenario import Change
from replay.survival import PPM, Waited, answered_by

MILLISECOND_NS = 1_000_000
TIMEOUT = "timeout"
# What a callee's span says of a request that failed.
FAILED = "error"


class Timeouts:
    """Reshapes recorded answers, and collects what each reshaping rests on.

    Where only other flows tell whether a longer wait would have been answered, `answered` decides
    (None: what is more likely), and `open_` counts those waits. `lent` names the operations whose
    late answers have a body that the donors lend. A callee's own span tells that it failed, and not
    with which status: `failures` are those known, `failed_as` picks one, `unnamed` says where it
    mattered.
    """

    def __init__(
        self,
        changes: Sequence[Change],
        donors: Mapping[str, Donor],
        answered: bool | None = None,
        failures: Mapping[str, Sequence[str]] = MappingProxyType({}),
        failed_as: str | None = None,
    ) -> None:
        self.limits = {
            change.operation: change.timeout_ms * MILLISECOND_NS
            for change in changes
            if change.timeout_ms is not None
        }
        self.donors = donors
        self.answered = answered
        self.failures = failures
        self.failed_as = failed_as
        self.unnamed: dict[str, Sequence[str]] = {}
        self.open_ = 0
        self.classes: set[str] = set()
        self.reasons: list[str] = []
        self.lent: list[str] = []

    def reshape(self, op: str, attempt: RecordedAttempt | None, answer: Answer) -> Answer:
        """Give an answer, recorded or lent, as it would have been under the new timeout."""
        limit = self.limits.get(base_name(op))
        if limit is None:
            return answer
        if attempt is None:
            return self._within(answer, limit)
        if attempt.status == TIMEOUT and limit > attempt.latency_ns:
            return self._longer(base_name(op), attempt, answer, limit)
        if attempt.latency_ns > limit:
            self._rests("C1", "")
            return timed_out(answer, limit)
        return answer

    def _within(self, answer: Answer, limit: int) -> Answer:
        """A lent answer took from `low` to `high`; some of that may be too long."""
        if answer.high <= limit:
            return answer
        comes = answer.latency <= limit
        if self.answered is not None:
            comes = self.answered and answer.low <= limit
        if not comes:
            return timed_out(answer, limit, answer.note)
        return replace(answer, latency=min(answer.latency, limit), high=limit)

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
                return timed_out(answer, limit)
            self._rests("C2", f"{op}: latency and outcome are from the callee's own span")
            wait = max(true, attempt.latency_ns)
            status = attempt.callee_outcome or "ok"
            if status == FAILED:
                status = self._named(op)
            return self._lent(op, answer, status, wait, wait, wait, "callee span")
        return self._unknown(op, attempt, answer, limit)

    def _named(self, op: str) -> str:
        """Give the status of an answer that failed."""
        known = self.failures.get(op, ())
        if len(known) == 1:
            self._rests("C3", f"{op}: the callee failed, as always with {known[0]}")
        else:
            self.unnamed[op] = known
        return self.failed_as or (*known, FAILED)[0]

    def _unknown(self, op: str, attempt: RecordedAttempt, answer: Answer, limit: int) -> Answer:
        """Only other flows tell: how many of the calls that lasted as long were then answered."""
        donor = self.donors.get(op)
        waited = None
        if donor is not None:
            waited = answered_by(donor.latencies_ns, donor.censored_ns, attempt.latency_ns, limit)
        self.open_ += 1
        if donor is None or waited is None:
            self._rests("C3", f"{op}: not identified, no donor took longer than the old timeout")
            return timed_out(answer, limit, note="no donors")
        self._rests("C3", f"{op}: {waited_text(waited, limit)}")
        slower = [v for v in donor.latencies_ns if attempt.latency_ns < v <= limit]
        says_yes = waited.share_ppm * 2 >= PPM if self.answered is None else self.answered
        if not slower or not says_yes:
            return timed_out(answer, limit, note=f"{waited.at_risk} donors")
        usual, low, high = slower[len(slower) // 2], slower[0], slower[-1]
        return self._lent(op, answer, "ok", usual, low, high, f"{waited.at_risk} donors")

    def _lent(
        self, op: str, answer: Answer, status: str, usual: int, low: int, high: int, note: str
    ) -> Answer:
        donor = self.donors.get(op)
        body = donor.response if donor is not None and status == "ok" else {}
        if body:
            self.lent.append(op)
            self._rests(
                min(self.classes), f"{op}: the body is borrowed, it never reached the caller"
            )
        return Answer(
            status, body, usual, low, high, answer.rung, answer.breaker, answer.effect, note
        )


def timed_out(answer: Answer, limit: int, note: str = "") -> Answer:
    """Give the answer of a caller that gave up."""
    return Answer(
        TIMEOUT, {}, limit, limit, limit, answer.rung, answer.breaker, answer.effect, note
    )


def waited_text(waited: Waited, limit: int) -> str:
    """Say what donors tell, with their number and the interval."""
    share = f"{waited.share_ppm / 10_000:.1f} % ({waited.low_ppm / 10_000:.1f} to "
    share += f"{waited.high_ppm / 10_000:.1f} %)"
    text = f"of {waited.at_risk} calls that lasted longer than the old timeout, {share} were"
    text += f" answered within {limit // MILLISECOND_NS} ms, as Kaplan-Meier estimates"
    return text + ("; nobody waited that long" if waited.beyond else "")
