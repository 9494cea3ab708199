"""Makes one call with its attempts: the request, the answers, the pauses between them."""

from replay.choreography import REDELIVERED
from replay.infer.expression import Scope
from replay.infer.guards import STATUS_LEAF
from replay.infer.program import Program
from replay.infer.view import Instance, Ref, drawing_reader
from replay.leaves import Scalar, same
from replay.match import BOUND, Answer, Answers, Found
from replay.plan import Again, Bound, Plan
from replay.run import Call, Run
from replay.times import Times

# A loop that has no end in sight is cut here and flagged.
ATTEMPTS_MAX = 200
# The note of an answer that a scenario declares wholly.
DECLARED = "declared"
UNSEEN = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts")
UNSEEN_ATTEMPTS_MAX = 3
AGAIN_KEPT_MAX = 1_000
_NEVER = (0, 0, 0)


class Attempts:
    """Asks the answers of one flow and writes each attempt into the run."""

    def __init__(
        self, program: Program, answers: Answers, run: Run, retry_unseen: bool | None
    ) -> None:
        self.program = program
        self.answers = answers
        self.run = run
        self.retry_unseen = retry_unseen
        self.made: dict[tuple[str, str], int] = {}

    def make(
        self,
        plan: Plan,
        scope: Scope,
        begin: Times,
        place: tuple[int, int],
        *,
        index: int = 0,
        recovery: bool = False,
    ) -> Instance:
        """Call until nothing asks for another attempt."""
        name, op, key = plan.name, plan.base, scope.own_key
        calls, made = self.run.calls, self.made
        request = self._request(plan, scope)
        found = self._found(plan, key, request)
        stream = key if found.stream is None else found.stream.key
        at = (place[0] * 10_000 + place[1], index)
        now = begin
        tries: list[str] = []
        outlived = _NEVER
        number = 0
        while True:
            number += 1
            answer = self._answer(plan, scope, found)
            status = answer.status
            tries.append(status)
            if answer.response.get(REDELIVERED):
                self.run.doubt(name, [("redelivered", None)])
            end = now.later(answer.latency, answer.low, answer.high)
            if answer.beyond:
                beyond = answer.beyond
                outlived = (
                    max(outlived[0], end.usual + beyond),
                    max(outlived[1], end.low + beyond),
                    max(outlived[2], end.high + beyond),
                )
            counted = made.get((op, stream), 0) + 1
            made[op, stream] = counted
            calls.append(
                Call(
                    op, key, counted, number == 1, now.usual, now.low, now.high,
                    end.usual, status, request, answer.response, answer.rung,
                    at, recovery, name, stream,
                )
            )  # fmt: skip
            if status == "ok" and plan.attempts_once:
                break
            # Nothing is known of an answer that is missing, so nothing is repeated because of it.
            if answer.rung == "missing" and not _known(plan, answer):
                break
            pause = self._pause(plan, answer, number)
            if pause is None:
                break
            now = end.later(*pause)
        # By position: naming as many arguments costs three times the call.
        return Instance(
            name, key, begin.usual, end.usual, status, answer.response, request,
            answer.breaker, answer.effect, index, scope.item, None, None, (),
            tuple(tries), answer.draw, end.low, end.high, outlived,
        )  # fmt: skip

    def bound(self, op: str, bound: Bound, scope: Scope) -> Scalar:
        """Read a bound value; doubt it where its rivals give another one."""
        _, read, rivals = bound
        value = read(scope)
        for rival in rivals:
            other = rival(scope)
            if other is not None and other is not value and not same(other, value):
                self.run.doubt(op, [("rival_binding", None)])
        return value

    def _request(self, plan: Plan, scope: Scope) -> dict[str, Scalar]:
        request: dict[str, Scalar] = {}
        for bound in plan.request:
            value = self.bound(plan.name, bound, scope) if bound[2] else bound[1](scope)
            if value is not None:
                request[bound[0]] = value
        return request

    def _found(self, plan: Plan, key: str, request: dict[str, Scalar]) -> Found:
        found = self.answers.find(plan.base, key, request, plan.operation.request)
        if found.ambiguous:
            self.run.doubt(plan.name, [("ambiguous_match", None)])
        stream = found.stream
        if stream is not None and stream.key not in ("", key) and found.rung != BOUND:
            self.run.doubt(plan.name, [("answer_of_another_key", stream.key)])
        return found

    def _pause(self, plan: Plan, answer: Answer, number: int) -> tuple[int, int, int] | None:
        """Give the wait before the next attempt; None when this was the last."""
        again, doubts = self._again(plan, answer, number)
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
        asked = (answer.status, number, answer.breaker)
        told = None if plan.again is None else plan.again.get(asked)
        if told is None:
            state = (answer.status, answer.response, answer.breaker)
            told = plan.operation.repeat.again(state, number, self.program.pooled)
            if plan.again is not None and len(plan.again) < AGAIN_KEPT_MAX:
                plan.again[asked] = told
        return told

    def _answer(self, plan: Plan, scope: Scope, found: Found) -> Answer:
        attempt, rung = self.answers.take(plan.name, found)
        if attempt is None:
            answer = self.answers.lend(plan.name, rung)
            if not _known(plan, answer):
                self.run.doubt(plan.name, [(f"{rung}_answer", answer.note or None)])
        else:
            answer = self.answers.answer_of(plan.name, attempt, rung)
        if plan.computes:
            return self._computed(plan, scope, answer, attempt is not None)
        return answer

    def _computed(self, plan: Plan, scope: Scope, answer: Answer, recorded: bool) -> Answer:
        """Let a local step compute what it returns; what was recorded is only compared."""
        response: dict[str, Scalar] = dict(answer.response)
        status = answer.status
        values: list[tuple[str, Scalar]] = [
            (bound[0], self.bound(plan.name, bound, scope)) for bound in plan.copied
        ]
        value_of = drawing_reader(self.run.view.value, plan.name, answer.draw)
        for path, tree in plan.operation.decided.items():
            label, doubts = tree.read(value_of)
            self.run.doubt(plan.name, doubts)
            values.append((path, None if label == "" else label))
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


def _known(plan: Plan, answer: Answer) -> bool:
    """Say whether an answer that nobody recorded is nevertheless known."""
    return plan.operation.local or answer.note == DECLARED


def _alike(recorded: Scalar, computed: Scalar) -> bool:
    if recorded is computed:
        return True
    if isinstance(recorded, float) and isinstance(computed, str):
        return repr(recorded) == computed
    return same(recorded, computed)
