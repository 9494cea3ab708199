"""Answers of one recording, handed out by request and never by position in time.

The ladder: explicit key, exact request, request without noise, request with bound values
substituted, structure, donor (scenarios only), missing. In trace mode the key of an answer is
(operation, key, attempt); the rung says what was compared to find the stream of attempts.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from operator import itemgetter

from msgspec import Struct, field

from analyzer.statistics.proportions import wilson
from replay.infer.binding import Request
from replay.infer.program import Donor
from replay.infer.view import base_name
from replay.ladder import MARGIN_PERCENT
from replay.leaves import Leaves, same
from replay.likeness import Alike
from replay.recording import AttemptsByKey, RecordedAttempt, Recording, attempts_by_key

EXPLICIT = "explicit"
BOUND = "bound"
MISSING = "missing"
RUNGS = (EXPLICIT, "exact", "denoised", BOUND, "structural", "donor", MISSING)
ASSUMED_LATENCY_NS = 50_000_000
_NO_COUNTS = dict.fromkeys((*RUNGS, "ambiguous"), 0)
_NO_STREAMS: dict[str, "Stream"] = {}


class Answer(Struct, frozen=True, gc=False):
    """What a call got: `latency` usual, `low` and `high`, and on which rung it was found.

    `note` says what was changed or lent on the way; `draw` is the random number drawn with it;
    `beyond` is how long the callee worked on when its caller had this answer.
    """

    status: str
    response: Leaves
    latency: int
    low: int
    high: int
    rung: str
    breaker: str | None = None
    effect: str | None = None
    note: str = ""
    draw: float | None = None
    beyond: int = 0


class Stream(Struct, gc=False):
    """The attempts recorded for one (operation, key), and the cursor over them.

    `calls` were answered from it, or in its place where no more were recorded. `rung` is how it was
    found last, and `ambiguous` whether that is in doubt; `guessed` says that its answers were given
    to a request with another key.
    """

    key: str
    attempts: Sequence[RecordedAttempt]
    taken: int = 0
    calls: int = 0
    rung: str = EXPLICIT
    ambiguous: bool = False
    claimed: bool = False
    guessed: bool = False

    def found(self, rung: str, ambiguous: bool = False) -> "Stream":
        """Keep how it was found."""
        self.claimed = True
        self.rung, self.ambiguous = rung, ambiguous
        return self


class Answers(Struct):
    """All answers of one recording. Holds no order between operations, and no parents.

    `streams` are cursors over its attempts, by (operation, key), `missing` those over none.
    `donors` lends answers where none was recorded; without it they are missing. `reshape` gives an
    answer as it would be under changed settings, `overrule` as declared, recorded or lent (None).
    `lend_failures` lends what the failing donors got, where some failed. `instead` names for a
    value that a scenario puts into an answer the one that was recorded there: what is asked by the
    new one is answered as the old one was.
    """

    streams: Mapping[tuple[str, str], Stream]
    missing: dict[tuple[str, str], Stream] = {}
    donors: Mapping[str, Donor] | None = None
    reshape: Callable[[str, RecordedAttempt | None, Answer], Answer] | None = None
    overrule: Callable[[str, RecordedAttempt | None, Answer], Answer] | None = None
    lend_failures: bool = False
    instead: Mapping[str, str] = {}
    alike: dict[str, Alike] = {}
    by_operation: dict[str, dict[str, Stream]] = {}
    counts: dict[str, int] = field(default_factory=_NO_COUNTS.copy)

    @classmethod
    def of(cls, recording: Recording, donors: Mapping[str, Donor] | None = None) -> "Answers":
        """Sort a recording's answers under their request keys."""
        return cls.by_key(attempts_by_key(recording), donors)

    @classmethod
    def by_key(
        cls, recorded: AttemptsByKey, donors: Mapping[str, Donor] | None = None
    ) -> "Answers":
        """Hand out answers that are sorted under their request keys."""
        streams = {ident: Stream(ident[1], attempts) for ident, attempts in recorded.items()}
        return cls(streams, donors=donors)

    def keys(self, op: str) -> list[str]:
        """Keys recorded for an operation, in the order of text."""
        return list(self._streams_of(base_name(op)))

    def unused(self, op: str) -> list[str]:
        """Keys recorded for an operation from which no call was answered, in the order of text."""
        streams = self._streams_of(base_name(op)).values()
        return [stream.key for stream in streams if not stream.calls]

    def find(self, op: str, key: str, request: Leaves, binding: Request) -> Stream:
        """Find the recorded attempts that answer a request; each stream serves one instance.

        `op` is the operation alone, without its place in a program.
        """
        ident = op, key
        found = self.streams.get(ident)
        if found is not None and key:
            found.claimed = True
            if found.rung != EXPLICIT:
                # Whoever got these answers by likeness was not the one who asks by key.
                found.found(EXPLICIT, found.guessed)
            return found
        if found is None:
            streams = self._streams_of(op)
            if self.instead.get(key) in streams:
                other = streams[self.instead[key]]
                if not other.claimed:
                    return other.found(BOUND)
            free = list(islice((it for it in streams.values() if not it.claimed), 2))
            if len(free) == 1 and free[0].key == "":
                found = free[0]
            elif free:
                return self._nearest(op, request)
        if found is None:
            return self.missing.setdefault(ident, Stream(key, (), rung=MISSING))
        return found.found(_compared(found.attempts[0].request, request, binding))

    def _streams_of(self, op: str) -> dict[str, Stream]:
        """Give the streams of an operation by key, in the order of text."""
        if not self.by_operation:
            for (name, key), stream in sorted(self.streams.items(), key=itemgetter(0)):
                self.by_operation.setdefault(name, {})[key] = stream
        return self.by_operation.get(op, _NO_STREAMS)

    def _nearest(self, op: str, request: Leaves) -> Stream:
        streams = list(self.by_operation[op].values())
        if op not in self.alike:
            self.alike[op] = Alike([stream.attempts[0].request for stream in streams])
        found = self.alike[op].nearest(
            request, MARGIN_PERCENT, lambda number: not streams[number].claimed
        )
        stream = streams[found[0][1]]
        stream.guessed = True
        return stream.found("structural", len(found) > 1)

    def take(self, op: str, stream: Stream) -> Answer | None:
        """Hand out the next answer of a stream; None where no more were recorded."""
        attempts, taken, rung = stream.attempts, stream.taken, stream.rung
        if taken == len(attempts):
            return None
        attempt = attempts[taken]
        stream.taken = taken + 1
        self.counts[rung] += 1
        if stream.ambiguous:
            self.counts["ambiguous"] += 1
        end, callee_end, draws = attempt.end_ns, attempt.callee_end_ns, attempt.draws
        wait = end - attempt.start_ns
        answer = Answer(
            attempt.status, attempt.response, wait, wait, wait, rung,
            attempt.breaker_state, attempt.callee_outcome, "",
            draws[0] if draws else None,
            callee_end - end if callee_end and callee_end > end else 0,
        )  # fmt: skip
        if self.overrule is None and self.reshape is None:
            return answer
        return self._as_asked(op, attempt, answer)

    def lend(self, op: str) -> Answer:
        """Make an answer where none was recorded."""
        donor = None if self.donors is None else self.donors.get(base_name(op))
        if donor is None:
            wait = ASSUMED_LATENCY_NS
            answer = Answer("ok", {}, wait, 0, wait, MISSING)
        else:
            span = donor.latency
            bad = self.lend_failures and donor.failure
            answer = Answer(
                donor.failure if bad else "ok", {} if bad else donor.response,
                span.usual, span.low, span.high, "donor", note=donors_text(donor),
            )  # fmt: skip
        self.counts[answer.rung] += 1
        return self._as_asked(op, None, answer)

    def _as_asked(self, op: str, attempt: RecordedAttempt | None, answer: Answer) -> Answer:
        if self.overrule is not None:
            declared = self.overrule(op, attempt, answer)
            if declared is not answer:
                return declared
        return answer if self.reshape is None else self.reshape(op, attempt, answer)


def donors_text(donor: Donor) -> str:
    """Say how many donors were good, with the interval of their share."""
    interval = wilson(donor.successes, donor.answers)
    low, high = (0.0, 1.0) if interval is None else (interval.low, interval.high)
    share = f"{donor.successes} of {donor.answers} donors"
    return f"a good one, as {share} ({100 * low:.1f} to {100 * high:.1f} %)"


def _compared(recorded: Leaves, replayed: Leaves, binding: Request) -> str:
    """Name the rung by what the two requests have in common."""
    if not recorded or not binding.bound:
        return "structural"
    if any(not same(recorded.get(path), value) for path, value in replayed.items()):
        return BOUND
    return "exact" if len(replayed) == len(recorded) else "denoised"
