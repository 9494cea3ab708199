"""Makes the calls of one operation: keys, requests, attempts and their answers."""

from collections.abc import Mapping

from replay.choreography import REDELIVERED
from replay.infer.chain import ROUND_KEY, Chain
from replay.infer.each import Each, elements_of
from replay.infer.expression import Scope, evaluate
from replay.infer.guards import STATUS_LEAF
from replay.infer.program import Operation, Program
from replay.infer.timing import Span3
from replay.infer.view import Instance, Node, Ref, base_name, drawing_reader
from replay.leaves import Scalar, same
from replay.match import BOUND, Answer, Answers, Found
from replay.plan import Again, Plan, Source
from replay.run import Call, Run
from replay.times import START, Times

# A loop that has no end in sight is cut here and flagged.
ATTEMPTS_MAX = 200
UNKNOWN_KEY = "?"
# The note of an answer that a scenario declares wholly.
DECLARED = "declared"
UNSEEN = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts")
UNSEEN_ATTEMPTS_MAX = 3
AGAIN_KEPT_MAX = 1_000


class Caller:
    """Runs operations against the answers of one flow and writes the calls into the run."""

    def __init__(
        self,
        program: Program,
        plans: Mapping[str, Plan],
        answers: Answers,
        run: Run,
        retry_unseen: bool | None = None,
    ) -> None:
        self.program = program
        self.plans = plans
        self.answers = answers
        self.run = run
        self.retry_unseen = retry_unseen
        self.attempts: dict[tuple[str, str], int] = {}

    def node(
        self, operation: Operation, ready: Times, gap: Span3, place: tuple[int, int]
    ) -> Node | None:
        """Run an operation once, or once per element of its list."""
        each = operation.each
        if each is not None:
            return self._each(operation, each, ready, gap, place)
        begin = ready.plus(gap)
        scope = Scope(self.run.view)
        key = self._key(operation, scope)
        if key != UNKNOWN_KEY and not operation.several:
            scope.own_key = key
            only = self._instance(operation, scope, begin, place)
            return Node(operation.name, [only], only.start, only.end, only.status, only.low,
                        only.high)  # fmt: skip
        # The keys come from the recording, but neither their order nor their times.
        self.run.doubt(operation.name, [("unbound_key", None)])
        keys = self.answers.keys(operation.name) or [key]
        runs = []
        for key in keys if operation.several else keys[:1]:
            scope = Scope(self.run.view, own_key=key)
            runs.append(self._instance(operation, scope, begin, place))
        return Node(operation.name, runs).settle()

    def undo(
        self,
        operation: Operation,
        undone: Instance | None,
        ready: Times,
        gap: Span3,
        place: tuple[int, int],
    ) -> Instance | None:
        """Run one compensation; None where what it would undo failed and left nothing to name."""
        scope = Scope(self.run.view, undone=undone, item=None if undone is None else undone.item)
        key = self._key(operation, scope)
        if key == UNKNOWN_KEY:
            self.run.doubt(operation.name, [("unbound_key", None)])
            unused = [k for k in self.answers.keys(operation.name) if not self._used(operation, k)]
            if not unused and undone is not None and undone.status != "ok":
                return None
            key = unused[0] if unused else key
        scope.own_key = key
        instance = self._instance(operation, scope, ready.plus(gap), place, recovery=True)
        instance.undone = undone
        return instance

    def _used(self, operation: Operation, key: str) -> bool:
        return (base_name(operation.name), key) in self.attempts

    def _key(self, operation: Operation, scope: Scope) -> str:
        source = self.plans[operation.name].key
        if source is None:
            return UNKNOWN_KEY
        value = self._bound(operation.name, source, scope)
        return UNKNOWN_KEY if value is None else str(value)

    def _bound(self, op: str, source: Source, scope: Scope) -> Scalar:
        value = source.read(scope)
        if source.rivals:
            self._rivals(op, source, scope, value)
        return value

    def _rivals(self, op: str, source: Source, scope: Scope, value: Scalar) -> None:
        for rival in source.rivals:
            other = rival(scope)
            if other is not None and other is not value and not same(other, value):
                self.run.doubt(op, [("rival_binding", None)])

    def _each(
        self,
        operation: Operation,
        each: Each,
        ready: Times,
        gap: Span3,
        place: tuple[int, int],
    ) -> Node | None:
        scope = Scope(self.run.view)
        elements = elements_of(each.source, scope)
        if not elements:
            return None
        first = started = ready.plus(gap)
        free: list[Times] = []
        runs: list[Instance] = []
        for index, item in enumerate(elements):
            begin = first
            if each.workers and len(free) >= each.workers:
                free.sort(key=lambda moment: moment.usual)
                begin = free.pop(0).plus(each.between)
            elif index and not each.workers:
                begin = started.plus(each.between)
            scope = Scope(self.run.view, item=item)
            scope.own_key = self._key(operation, scope)
            started = begin
            run = self._instance(operation, scope, begin, place, index=index)
            runs.append(run)
            free.append(Times(run.end, run.low, run.high))
            if run.status != "ok" and index < len(elements) - 1 and self._stops(operation, each):
                break
        return Node(operation.name, runs).settle()

    def chain(
        self, operation: Operation, chain: Chain, ready: Times, gap: Span3, place: tuple[int, int]
    ) -> list[Node]:
        """Run the rounds of a loop in which each answer names the next call."""
        members = [self.program.operations[name] for name in chain.members]
        runs: dict[str, list[Instance]] = {one.name: [] for one in (operation, *members)}
        key: str | None = self._chained(operation, chain)
        now = ready.plus(gap)
        for index in range(ATTEMPTS_MAX):
            scope = Scope(self.run.view, own_key=key or "")
            head = self._instance(operation, scope, now, place, index=index)
            runs[operation.name].append(head)
            now = Times(head.end, head.low, head.high)
            key = chain.next_key(head.response) if head.status == "ok" else None
            item = {ROUND_KEY: head.key, **head.response}
            for number, member in enumerate(members if head.status == "ok" else (), 1):
                scope = Scope(self.run.view, item=item)
                scope.own_key = self._key(member, scope)
                begin = now.plus(member.gap)
                at = (place[0], place[1] + number)
                run = self._instance(member, scope, begin, at, index=index)
                runs[member.name].append(run)
                now = Times(run.end, run.low, run.high)
                alone = Node(member.name, [run]).settle()
                if self.program.abort.ends(alone, self.run.view)[0]:
                    key = None
                    break
            if key is None:
                break
            now = now.plus(chain.between)
        else:
            self.run.doubt(operation.name, [("endless_loop", ATTEMPTS_MAX)])
        if len(runs[operation.name]) > chain.most:
            self.run.doubt(operation.name, [("beyond_seen_rounds", chain.most)])
        return [Node(name, items).settle() for name, items in runs.items() if items]

    def _chained(self, operation: Operation, chain: Chain) -> str:
        """Give the key of the first round."""
        value = evaluate(chain.first.expression, Scope(self.run.view))
        if value is None:
            self.run.doubt(operation.name, [("unbound_key", None)])
        return UNKNOWN_KEY if value is None else str(value)

    def _stops(self, operation: Operation, each: Each) -> bool:
        if each.workers != 1:
            return False
        if each.stops is None:
            self.run.doubt(operation.name, [("loop_after_failure_unseen", None)])
            return True
        return each.stops

    def _instance(
        self,
        operation: Operation,
        scope: Scope,
        begin: Times,
        place: tuple[int, int],
        *,
        index: int = 0,
        recovery: bool = False,
    ) -> Instance:
        name = operation.name
        plan = self.plans[name]
        op = plan.base
        key = scope.own_key
        request: dict[str, Scalar] = {}
        for path, source in plan.request:
            value = source.read(scope)
            if source.rivals:
                self._rivals(name, source, scope, value)
            if value is not None:
                request[path] = value
        found = self.answers.find(op, key, request, operation.request)
        if found.ambiguous:
            self.run.doubt(name, [("ambiguous_match", None)])
        stream = key if found.stream is None else found.stream.key
        if stream not in ("", key) and found.rung != BOUND:
            self.run.doubt(name, [("answer_of_another_key", stream)])
        at = (place[0] * 10_000 + place[1], index)
        now = begin
        tries: list[str] = []
        outlived = START
        number = 0
        while True:
            number += 1
            answer = self._answer(operation, plan, scope, found)
            tries.append(answer.status)
            if answer.response.get(REDELIVERED):
                self.run.doubt(name, [("redelivered", None)])
            end = now.later(answer.latency, answer.low, answer.high)
            if answer.beyond:
                outlived = Times.latest([outlived, end.later(*(answer.beyond,) * 3)])
            counted = self.attempts.get((op, stream), 0) + 1
            self.attempts[op, stream] = counted
            self.run.calls.append(
                Call(
                    op, key, counted, number == 1, now.usual, now.low, now.high,
                    end.usual, answer.status, request, answer.response, answer.rung,
                    at, recovery, name, stream,
                )
            )  # fmt: skip
            # Nothing is known of an answer that is missing, so nothing is repeated because of it.
            missing = answer.rung == "missing" and not operation.local and answer.note != DECLARED
            pause = None if missing else self._pause(operation, plan, answer, number)
            if pause is None:
                break
            now = end.later(*pause)
        return Instance(
            op=name, key=key, start=begin.usual, end=end.usual, low=end.low,
            high=end.high, status=answer.status, response=answer.response, request=request,
            breaker=answer.breaker, effect=answer.effect, index=index, item=scope.item,
            tries=tuple(tries), draw=answer.draw, outlived=outlived,
        )  # fmt: skip

    def _pause(
        self, operation: Operation, plan: Plan, answer: Answer, number: int
    ) -> tuple[int, int, int] | None:
        """Give the wait before the next attempt; None when this was the last."""
        if answer.status == "ok" and plan.attempts_once:
            return None
        repeat = operation.repeat
        again, doubts = self._again(operation, plan, answer, number)
        if doubts:
            self.run.doubt(operation.name, doubts)
        if self.retry_unseen is not None and any(word in UNSEEN for word, _ in doubts):
            again = self.retry_unseen and number < UNSEEN_ATTEMPTS_MAX
        if not again:
            return None
        if number >= ATTEMPTS_MAX:
            self.run.doubt(operation.name, [("endless_loop", number)])
            return None
        delay = repeat.delay
        if delay is None:
            self.run.doubt(operation.name, [("delay_unseen", None)])
            think = self.program.think_ns
            return think, 0, 10 * think
        if number > delay.longest_seen:
            self.run.doubt(operation.name, [("extrapolated_delay", number)])
        if delay.loose:
            self.run.doubt(operation.name, [("unexplained_delay", None)])
        if delay.unlike:
            self.run.doubt(operation.name, [("backoff_unlike_declared", None)])

        def read(ref: Ref) -> Scalar:
            if ref[0] == "own":
                return answer.response.get(ref[1])
            return self.run.view.value(ref)

        return delay.after(number, read, answer.draw)

    def _again(self, operation: Operation, plan: Plan, answer: Answer, number: int) -> Again:
        state = (answer.status, answer.response, answer.breaker)
        if plan.again is None:
            return operation.repeat.again(state, number, self.program.pooled)
        asked = (answer.status, number, answer.breaker)
        told = plan.again.get(asked)
        if told is None:
            told = operation.repeat.again(state, number, self.program.pooled)
            if len(plan.again) < AGAIN_KEPT_MAX:
                plan.again[asked] = told
        return told

    def _answer(self, operation: Operation, plan: Plan, scope: Scope, found: Found) -> Answer:
        attempt, rung = self.answers.take(operation.name, found)
        if attempt is None:
            answer = self.answers.lend(operation.name, rung)
            if not operation.local and answer.note != DECLARED:
                self.run.doubt(operation.name, [(f"{rung}_answer", answer.note or None)])
        else:
            answer = self.answers.answer_of(operation.name, attempt, rung)
        if operation.copied or operation.decided:
            return self._computed(operation, plan, scope, answer, attempt is not None)
        return answer

    def _computed(
        self, operation: Operation, plan: Plan, scope: Scope, answer: Answer, recorded: bool
    ) -> Answer:
        """Let a local step compute what it returns; what was recorded is only compared."""
        response: dict[str, Scalar] = dict(answer.response)
        status = answer.status
        values: list[tuple[str, Scalar]] = [
            (path, self._bound(operation.name, source, scope)) for path, source in plan.copied
        ]
        value_of = drawing_reader(self.run.view.value, operation.name, answer.draw)
        for path, tree in operation.decided.items():
            label, doubts = tree.read(value_of)
            self.run.doubt(operation.name, doubts)
            values.append((path, None if label == "" else label))
        for path, value in values:
            old = answer.status if path == STATUS_LEAF else answer.response.get(path)
            if recorded and not _alike(old, value):
                self.run.computed.append((operation.name, scope.own_key, path, old, value))
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


def _alike(recorded: Scalar, computed: Scalar) -> bool:
    if isinstance(recorded, float) and isinstance(computed, str):
        return repr(recorded) == computed
    return same(recorded, computed)
