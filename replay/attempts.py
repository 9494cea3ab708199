"""Makes one call with its attempts: the request, the answers, the pauses between them."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from replay.choreography import REDELIVERED
from replay.infer.expression import Scope
from replay.infer.guards import STATUS_LEAF
from replay.infer.program import Program
from replay.infer.view import Instance, Ref, drawing_reader
from replay.leaves import Scalar, same
from replay.match import BOUND, Answer, Answers, Stream
from replay.plan import Again, Plan
from replay.run import Call, Doubts, Run
from replay.times import Times

# A loop that has no end in sight is cut here and flagged.
ATTEMPTS_MAX = 200
# The note of an answer that a scenario declares wholly.
DECLARED = "declared"
UNSEEN = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts")
UNSEEN_ATTEMPTS_MAX = 3
AGAIN_KEPT_MAX = 1_000
_NEVER = (0, 0, 0)


class Attempts(Struct):
    """Asks the answers of one flow and writes each attempt into the run.

    `retry_unseen` settles, where no recording does, whether an answer is retried.
    """

    program: Program
    answers: Answers
    run: Run
    retry_unseen: bool | None

    def make(
        self,
        plan: Plan,
        scope: Scope,
        begin: Times,
        place: int,
        *,
        index: int = 0,
        recovery: bool = False,
    ) -> Instance:
        """Call until nothing asks for another attempt."""
        name, op, key = plan.name, plan.base, scope.own_key
        request = self._request(plan, scope)
        stream = self.answers.find(op, key, request, plan.operation.request)
        if stream.key != key or stream.ambiguous:
            self._doubt(plan, key, stream)
        at = place, index
        now = begin
        tries: list[str] = []
        outlived, number = _NEVER, 0
        while True:
            number += 1
            answer = self.answers.take(name, stream)
            if answer is None or plan.computes:
                answer = self._completed(plan, scope, answer)
            status, response = answer.status, answer.response
            tries.append(status)
            if response.get(REDELIVERED):
                self.run.doubt(name, [("redelivered", None)])
            end = Times(now.usual + answer.latency, now.low + answer.low, now.high + answer.high)
            if answer.beyond:
                outlived = _later(outlived, end, answer.beyond)
            stream.calls = counted = stream.calls + 1
            self.run.calls.append(
                Call(
                    op, key, counted, number == 1, now.usual, now.low, now.high,
                    end.usual, status, request, response, answer.rung,
                    at, recovery, name, stream.key,
                )
            )  # fmt: skip
            if status == "ok" and plan.attempts_once:
                break
            # Nothing is known of an answer that is missing, so nothing is repeated because of it.
            if answer.rung == "missing" and not _known(plan, answer):
                break
            again, doubts = self._again(plan, answer, number)
            if not again and not doubts:
                break
            pause = self._pause(plan, answer, number, again, doubts)
            if pause is None:
                break
            now = end.later(*pause)
        return Instance(
            name, key, begin.usual, end.usual, status, response, request,
            answer.breaker, answer.effect, index, scope.item, None, None, (),
            tuple(tries), answer.draw, end.low, end.high, outlived,
        )  # fmt: skip

    def _request(self, plan: Plan, scope: Scope) -> dict[str, Scalar]:
        """Make the request; a path without a value is left out."""
        request: dict[str, Scalar] = {}
        given = scope.view.input.get
        for path, copied, read in plan.request:
            value = given(copied) if copied else read(scope)
            if value is not None:
                request[path] = value
        for path, rival in plan.request_rivals:
            other = rival(scope)
            if other is not request.get(path):
                self.contest(plan.name, request.get(path), other)
        return request

    def contest(self, op: str, value: Scalar, other: Scalar) -> None:
        """Doubt a value where its rival gives another one."""
        if other is not None and not same(other, value):
            self.run.doubt(op, [("rival_binding", None)])

    def _doubt(self, plan: Plan, key: str, stream: Stream) -> None:
        if stream.ambiguous:
            self.run.doubt(plan.name, [("ambiguous_match", None)])
        if stream.key not in ("", key) and stream.rung != BOUND:
            self.run.doubt(plan.name, [("answer_of_another_key", stream.key)])

    def _pause(
        self, plan: Plan, answer: Answer, number: int, again: bool, doubts: Doubts
    ) -> tuple[int, int, int] | None:
        """Give the wait before the next attempt; None when this was the last."""
        if doubts:
            self.run.doubt(plan.name, doubts)
            if self.retry_unseen is not None and any(word in UNSEEN for word, _ in doubts):
                again = self.retry_unseen and number < UNSEEN_ATTEMPTS_MAX
        if not again:
            return None
        if number >= ATTEMPTS_MAX:
            self.run.doubt(plan.name, [("endless_loop", number)])
            return None
        delay = plan.operation.repeat.delay
        if delay is None:
            self.run.doubt(plan.name, [("delay_unseen", None)])
            think = self.program.think_ns
            return think, 0, 10 * think
        if number > delay.longest_seen:
            self.run.doubt(plan.name, [("extrapolated_delay", number)])
        if delay.loose:
            self.run.doubt(plan.name, [("unexplained_delay", None)])
        if delay.unlike:
            self.run.doubt(plan.name, [("backoff_unlike_declared", None)])

        def read(ref: Ref) -> Scalar:
            if ref[0] == "own":
                return answer.response.get(ref[1])
            return self.run.view.value(ref)

        return delay.after(number, read, answer.draw)

    def _again(self, plan: Plan, answer: Answer, number: int) -> Again:
        """Ask the rule whether an answer is followed by another attempt, once where it can be."""
        asked = (answer.status, number, answer.breaker)
        told = None if plan.again is None else plan.again.get(asked)
        if told is None:
            state = (answer.status, answer.response, answer.breaker)
            told = plan.operation.repeat.again(state, number, self.program.pooled)
            if plan.again is not None and len(plan.again) < AGAIN_KEPT_MAX:
                plan.again[asked] = told
        return told

    def _completed(self, plan: Plan, scope: Scope, answer: Answer | None) -> Answer:
        """Lend an answer where none was recorded; a local step gives its own."""
        recorded = answer is not None
        if answer is None:
            answer = self.answers.lend(plan.name)
            if not _known(plan, answer):
                self.run.doubt(plan.name, [(f"{answer.rung}_answer", answer.note or None)])
        return self._computed(plan, scope, answer, recorded) if plan.computes else answer

    def _computed(self, plan: Plan, scope: Scope, answer: Answer, recorded: bool) -> Answer:
        """Let a local step compute what it returns; what was recorded is only compared."""
        values: list[tuple[str, Scalar]] = []
        for path, read, rivals in plan.copied:
            values.append((path, read(scope)))
            for rival in rivals:
                self.contest(plan.name, values[-1][1], rival(scope))
        value_of: Callable[[Ref], Scalar] = self.run.view.value
        if answer.draw is not None or plan.name in self.run.view.nodes:
            value_of = drawing_reader(value_of, plan.name, answer.draw)
        for path, tree in plan.operation.decided.items():
            label, doubts = tree.read(value_of)
            if doubts:
                self.run.doubt(plan.name, doubts)
            values.append((path, None if label == "" else label))
        if recorded and _as_recorded(answer, values):
            return answer
        status, response = answer.status, dict(answer.response)
        for path, value in values:
            old = answer.status if path == STATUS_LEAF else answer.response.get(path)
            if recorded and not _alike(old, value):
                self.run.computed.append((plan.name, scope.own_key, path, old, value))
            if path == STATUS_LEAF:
                status = str(value)
            elif value is None:
                response.pop(path, None)
            elif recorded is False or not _alike(old, value):
                response[path] = value
        return Answer(
            status, response, answer.latency, answer.low, answer.high, answer.rung,
            answer.breaker, answer.effect, answer.note, answer.draw, answer.beyond,
        )  # fmt: skip


def _later(outlived: tuple[int, int, int], end: Times, beyond: int) -> tuple[int, int, int]:
    """Give the later one of two ends of a callee whose caller had its answer before."""
    usual, low, high = outlived
    return max(usual, end.usual + beyond), max(low, end.low + beyond), max(high, end.high + beyond)


def _known(plan: Plan, answer: Answer) -> bool:
    """Say whether an answer that nobody recorded is nevertheless known."""
    return plan.operation.local or answer.note == DECLARED


def _as_recorded(answer: Answer, values: Sequence[tuple[str, Scalar]]) -> bool:
    """Say whether an answer holds all values as they were computed."""
    response = answer.response
    for path, value in values:
        if path == STATUS_LEAF:
            if value != answer.status:
                return False
        elif value is None:
            if path in response:
                return False
        elif not _alike(response.get(path), value):
            return False
    return True


def _alike(recorded: Scalar, computed: Scalar) -> bool:
    if recorded is computed:
        return True
    if isinstance(recorded, float) and isinstance(computed, str):
        return repr(recorded) == computed
    return same(recorded, computed)
