"""Runs one operation of a program: once, once per element of a list, or round by round."""

from collections.abc import Mapping

from msgspec import Struct

from replay.attempts import ATTEMPTS_MAX, Attempts
from replay.infer.chain import ROUND_KEY, Chain
from replay.infer.each import Each, elements_of
from replay.infer.expression import Scope, evaluate
from replay.infer.program import Operation, Program
from replay.infer.view import Instance, Node
from replay.match import Answers
from replay.plan import Plan
from replay.run import Run
from replay.times import Lapse, Times

UNKNOWN_KEY = "?"


class Caller(Struct):
    """Runs operations against the answers of one flow."""

    program: Program
    plans: Mapping[str, Plan]
    answers: Answers
    run: Run
    attempts: Attempts

    def node(self, plan: Plan, ready: Times, gap: Lapse, place: int) -> Node | None:
        """Run an operation once, or once per element of its list."""
        operation = plan.operation
        each = operation.each
        if each is not None:
            return self._each(plan, each, ready, gap, place)
        begin = ready.plus(gap)
        scope = Scope(self.run.view)
        key = self._key(plan, scope)
        if key != UNKNOWN_KEY and not operation.several:
            scope.own_key = key
            only = self.attempts.make(plan, scope, begin, place)
            return Node(plan.name, [only], only.start, only.end, only.status, only.low, only.high)
        # The keys come from the recording, but neither their order nor their times.
        self.run.doubt(plan.name, [("unbound_key", None)])
        keys = self.answers.keys(plan.name) or [key]
        runs = []
        for key in keys if operation.several else keys[:1]:
            scope = Scope(self.run.view, own_key=key)
            runs.append(self.attempts.make(plan, scope, begin, place))
        return Node(plan.name, runs).settle()

    def undo(
        self,
        operation: Operation,
        undone: Instance | None,
        ready: Times,
        gap: Lapse,
        place: int,
    ) -> Instance | None:
        """Run one compensation; None where what it would undo failed and left nothing to name."""
        plan = self.plans[operation.name]
        scope = Scope(self.run.view, undone=undone, item=None if undone is None else undone.item)
        key = self._key(plan, scope)
        if key == UNKNOWN_KEY:
            self.run.doubt(plan.name, [("unbound_key", None)])
            unused = self.answers.unused(plan.name)
            if not unused and undone is not None and undone.status != "ok":
                return None
            key = unused[0] if unused else key
        scope.own_key = key
        instance = self.attempts.make(plan, scope, ready.plus(gap), place, recovery=True)
        instance.undone = undone
        return instance

    def _key(self, plan: Plan, scope: Scope) -> str:
        value = plan.key(scope)
        for rival in plan.key_rivals:
            self.attempts.contest(plan.name, value, rival(scope))
        return UNKNOWN_KEY if value is None else str(value)

    def _each(self, plan: Plan, each: Each, ready: Times, gap: Lapse, place: int) -> Node | None:
        view = self.run.view
        elements = elements_of(each.source, Scope(view))
        if not elements:
            return None
        first = started = ready.plus(gap)
        between = Lapse.of(each.between)
        free: list[Times] = []
        runs: list[Instance] = []
        for index, item in enumerate(elements):
            begin = first
            if each.workers and len(free) >= each.workers:
                free.sort(key=lambda moment: moment.usual)
                begin = free.pop(0).plus(between)
            elif index and not each.workers:
                begin = started.plus(between)
            scope = Scope(view, item=item)
            scope.own_key = self._key(plan, scope)
            started = begin
            run = self.attempts.make(plan, scope, begin, place, index=index)
            runs.append(run)
            free.append(Times(run.end, run.low, run.high))
            if run.status != "ok" and index < len(elements) - 1 and self._stops(plan, each):
                break
        return Node(plan.name, runs).settle()

    def _stops(self, plan: Plan, each: Each) -> bool:
        if each.workers != 1:
            return False
        if each.stops is None:
            self.run.doubt(plan.name, [("loop_after_failure_unseen", None)])
            return True
        return each.stops

    def chain(self, plan: Plan, chain: Chain, ready: Times, gap: Lapse, place: int) -> list[Node]:
        """Run the rounds of a loop in which each answer names the next call."""
        view = self.run.view
        members = [self.plans[name] for name in chain.members]
        runs: dict[str, list[Instance]] = {one.name: [] for one in (plan, *members)}
        key: str | None = self._chained(plan, chain)
        now = ready.plus(gap)
        for index in range(ATTEMPTS_MAX):
            scope = Scope(view, own_key=key or "")
            head = self.attempts.make(plan, scope, now, place, index=index)
            runs[plan.name].append(head)
            now = Times(head.end, head.low, head.high)
            key = chain.next_key(head.response) if head.status == "ok" else None
            item = {ROUND_KEY: head.key, **head.response}
            for number, member in enumerate(members if head.status == "ok" else (), 1):
                scope = Scope(view, item=item)
                scope.own_key = self._key(member, scope)
                begin = now.plus(Lapse.of(member.operation.gap))
                at = place + number
                run = self.attempts.make(member, scope, begin, at, index=index)
                runs[member.name].append(run)
                now = Times(run.end, run.low, run.high)
                alone = Node(member.name, [run]).settle()
                if self.program.abort.ends(alone, view)[0]:
                    key = None
                    break
            if key is None:
                break
            now = now.plus(Lapse.of(chain.between))
        else:
            self.run.doubt(plan.name, [("endless_loop", ATTEMPTS_MAX)])
        if len(runs[plan.name]) > chain.most:
            self.run.doubt(plan.name, [("beyond_seen_rounds", chain.most)])
        return [Node(name, items).settle() for name, items in runs.items() if items]

    def _chained(self, plan: Plan, chain: Chain) -> str:
        """Give the key of the first round."""
        value = evaluate(chain.first.expression, Scope(self.run.view))
        if value is None:
            self.run.doubt(plan.name, [("unbound_key", None)])
        return UNKNOWN_KEY if value is None else str(value)
