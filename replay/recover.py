"""Runs what follows an abort on the virtual clock."""

from collections.abc import Mapping
from itertools import pairwise

from msgspec import Struct

from replay.calls import Caller
from replay.infer.program import Operation, Program
from replay.infer.recovery import Recovery
from replay.infer.undo_order import TIMED, Undo
from replay.infer.undo_rules import undone_reader
from replay.infer.view import Instance, Node
from replay.run import Run
from replay.times import Lapse, Times

# Calls of the recovery come after those of the way forward that start at the same time.
_PLACE_MIN = 10_000


class _Todo(Struct):
    undo: Undo
    op: str


class Undoing(Struct, frozen=True):
    """What is looked up for every recovery, once: the places of operations in their order, those of
    which it is known what an abort does about them, the waits."""

    rank: Mapping[str, int]
    done_before: frozenset[str]
    first: Lapse
    between: Lapse

    @staticmethod
    def of(program: Program, rank: Mapping[str, int]) -> "Undoing":
        """Make the recovery of a program ready."""
        recovery = program.recovery
        return Undoing(
            rank,
            frozenset(recovery.done_before),
            Lapse.of(recovery.first),
            Lapse.of(recovery.between),
        )


class Recovering(Struct):
    """What follows an abort."""

    program: Program
    recovery: Recovery
    undoing: Undoing
    run: Run
    caller: Caller
    started: bool = False

    def execute(self, quiet: Times) -> Times:
        """Run the compensations one after the other, or all at once."""
        if not self.recovery.aborted:
            self.run.doubt("recovery", [("no_failure_seen", None)])
        for op, node in self.run.view.nodes.items():
            if op in self.undoing.done_before:
                continue
            if any(item.status == "ok" for item in node.instances):
                self.run.doubt("recovery", [("undo_unseen", op)])
        first, middle, last = self._plan()
        now = quiet
        stopped = False
        for place, todo in enumerate([*first, *middle]):
            now, failed = self._one(todo, quiet, now, place)
            if failed and place < len(first) + len(middle) - 1:
                if self.recovery.stops is None:
                    self.run.doubt("recovery", [("undo_after_failure_unseen", todo.op)])
                if self.recovery.stops:
                    stopped = True
                    break
        if not (stopped and self.recovery.tail_stops):
            for place, todo in enumerate(last):
                now, _ = self._one(todo, quiet, now, 1000 + place)
        return now

    def _plan(self) -> tuple[list[_Todo], list[_Todo], list[_Todo]]:
        first: list[_Todo] = []
        middle: list[_Todo] = []
        last: list[_Todo] = []
        nodes = self.run.view.nodes
        nothing = Instance("", "", 0, 0, "", {}, {})
        for rule in self.recovery.rules:
            if not rule.source:
                label, doubts = rule.when.read(self.run.view.value)
                if doubts:
                    self.run.doubt(rule.op, doubts)
                if label:
                    (first if rule.place == "first" else last).append(
                        _Todo((rule.op, nothing, 0), rule.op)
                    )
                continue
            source = nodes.get(rule.source)
            for rival in rule.rivals:
                if (rival in nodes) != (source is not None):
                    self.run.doubt(rule.op, [("rival_compensation", [rule.source, rival])])
            for target in source.instances if source is not None else ():
                label, doubts = rule.when.read(undone_reader(self.run.view.value, target))
                if doubts:
                    self.run.doubt(rule.op, doubts)
                if label:
                    middle.append(_Todo((rule.op, target, self.undoing.rank[rule.source]), rule.op))
                if label and rule.seen < 2:
                    self.run.doubt(rule.op, [("low_support", rule.seen)])
        self._sort(middle)
        return first, middle, last

    def _sort(self, todos: list[_Todo]) -> None:
        if len(todos) < 2:
            return
        order = self.recovery.order
        todos.sort(key=lambda t: (order.key(order.name, t.undo), t.op, t.undo[1].key))
        if self.recovery.parallel:
            return
        chosen = [id(todo) for todo in todos]
        for rival in order.rivals:
            other = sorted(
                todos, key=lambda t: (order.key(rival, t.undo), order.key(order.name, t.undo))
            )
            if [id(todo) for todo in other] != chosen:
                self.run.doubt("recovery", [("rival_undo_order", [order.name, rival])])
        if order.name in TIMED:
            for one, two in pairwise(todos):
                near, far = (order.key(order.name, todo.undo) for todo in (one, two))
                tied = abs(near[-1] - far[-1]) < self._doubt_ns(one, two)
                if tied and near[:-1] == far[:-1]:
                    self.run.doubt("recovery", [("order_tie", None)])

    def _doubt_ns(self, one: _Todo, two: _Todo) -> int:
        """How far two undone runs may have ended otherwise than computed, seen from each other."""
        near = 4 * self.program.think_ns
        first, second = one.undo[1], two.undo[1]
        if first.op != second.op:
            return near
        each = self.program.operations[first.op].each
        steps = abs(first.index - second.index)
        if each is None or each.workers:
            return near
        return near + steps * (each.between.high - each.between.usual)

    def _one(self, todo: _Todo, quiet: Times, now: Times, place: int) -> tuple[Times, bool]:
        operation: Operation = self.program.operations[todo.op]
        undone = todo.undo[1] if todo.undo[1].op else None
        begin, gap = now, self.undoing.between
        if self.recovery.parallel:
            begin = quiet
        if self.recovery.parallel or not self.started:
            gap = self.undoing.first
        instance = self.caller.undo(operation, undone, begin, gap, _PLACE_MIN + place)
        if instance is None:
            return now, False
        self.started = True
        nodes = self.run.view.nodes
        nodes.setdefault(todo.op, Node(todo.op, [])).instances.append(instance)
        nodes[todo.op].settle()
        self.run.undone.append((todo.op, instance.key))
        end = Times(instance.end, instance.low, instance.high)
        return Times.latest([now, end]), instance.status != "ok"
