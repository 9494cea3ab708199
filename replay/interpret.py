"""Runs a program on a virtual clock against the answers of one flow.

The input holds no order, start times or parents of the flow: only its input, and answers by
request. Every start is an interval in whole nanoseconds.
"""

import heapq
from dataclasses import dataclass
from itertools import pairwise

from replay.calls import Caller
from replay.infer.binding import Scope, evaluate
from replay.infer.outcome import ending_of
from replay.infer.program import Operation, Program
from replay.infer.recovery import undone_reader
from replay.infer.tree import Tree
from replay.infer.undo_order import TIMED, Undo
from replay.infer.view import Instance, Node, View
from replay.leaves import Leaves, is_number, lists_in
from replay.match import Answers
from replay.run import Run
from replay.times import Times


@dataclass(slots=True)
class _Todo:
    undo: Undo
    op: str


class Machine:
    """A program made ready to run many flows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        order = program.order
        self.rank = {op: index for index, op in enumerate(order.sequence)}
        self.children: dict[str, list[str]] = {op: [] for op in order.sequence}
        for op in order.sequence:
            for ancestor in order.direct[op]:
                self.children[ancestor].append(op)
        self.variants: dict[object, Machine] = {}

    def run(self, given: Leaves, answers: Answers, retry_unseen: bool | None = None) -> Run:
        """Execute the program; the flow's outcome and times follow from the answers alone.

        `retry_unseen` settles, where no recording does, whether an answer is retried.
        """
        run = Run(View(given, {}, lists_in(given)))
        caller = Caller(self.program, answers, run, retry_unseen)
        forward = _Forward(self, run, caller)
        forward.execute()
        quiet = forward.quiet()
        aborted = forward.aborted_ns is not None
        if aborted:
            quiet = _Recovering(self, run, caller).execute(quiet)
        self._finish(run, aborted, quiet)
        run.counts = answers.counts
        return run

    def _finish(self, run: Run, aborted: bool, quiet: Times) -> None:
        program = self.program
        ending = ending_of(run.view, aborted, program.recovery)
        run.ending = ending
        if ending.text() not in program.outcomes_seen:
            run.doubt("outcome", [("outcome_never_seen", None)])
        label, doubts = program.outcome.read(ending.reader(run.view))
        run.outcome = str(label)
        run.doubt("outcome", [doubt for doubt in doubts if doubt[0] != "rival_guard"])
        end = quiet.plus(program.end_gap)
        run.end, run.end_low, run.end_high = end.usual, end.low, end.high
        if run.outcome == "succeeded":
            scope = Scope(run.view)
            run.output = {
                path: value
                for path, binding in program.output.bound.items()
                if (value := evaluate(binding.expression, scope)) is not None
            }
        self._out_of_support(run)
        self._never_together(run)

    def _out_of_support(self, run: Run) -> None:
        for support in self.program.support:
            value = run.view.value(support.ref)
            if value is None:
                continue
            if support.low is not None and support.high is not None:
                inside = is_number(value) and support.low <= value <= support.high  # type: ignore[operator]
            else:
                inside = value in support.values
            if not inside:
                run.doubt(".".join(support.ref), [("outside_support", repr(value))])

    def _never_together(self, run: Run) -> None:
        present = [op for op in run.view.nodes if op in self.rank]
        apart = self.program.order.apart
        for op in present:
            for other in present:
                if op < other and other in apart[op]:
                    run.doubt(op, [("pair_never_seen", other)])


class _Forward:
    """The way forward: a node is decided when all its direct ancestors are resolved."""

    def __init__(self, machine: Machine, run: Run, caller: Caller) -> None:
        self.machine = machine
        self.program = machine.program
        self.run = run
        self.caller = caller
        self.resolved: dict[str, Times] = {}
        self.dead: set[str] = set()
        self.aborted_ns: int | None = None
        self.waiting = {op: len(self.program.order.direct[op]) for op in machine.rank}
        self.heap: list[tuple[int, int, str, Times]] = []

    def execute(self) -> None:
        """Resolve all operations, earliest first."""
        for op, count in self.waiting.items():
            if not count:
                self._ready(op)
        while self.heap:
            ready_ns, _, op, ready = heapq.heappop(self.heap)
            if self._runs(op, ready_ns):
                self._execute(op, ready)
            else:
                self.resolved[op] = ready
            for child in self.machine.children[op]:
                self.waiting[child] -= 1
                if not self.waiting[child]:
                    self._ready(child)

    def quiet(self) -> Times:
        """Give the time when nothing runs any more."""
        return Times.latest([Times.end_of(node) for node in self.run.view.nodes.values()])

    def _ready(self, op: str) -> None:
        ready = Times.latest([self.resolved[a] for a in self.program.order.direct[op]])
        heapq.heappush(self.heap, (ready.usual, self.machine.rank[op], op, ready))

    def _runs(self, op: str, ready_ns: int) -> bool:
        direct = self.program.order.direct[op]
        abort = self.program.abort
        if any(ancestor in self.dead for ancestor in direct):
            self.dead.add(op)
            return False
        if not abort.branch_only and self.aborted_ns is not None and ready_ns >= self.aborted_ns:
            self.dead.add(op)
            if not abort.scope_seen:
                self.run.doubt(op, [("abort_scope_unconfirmed", None)])
            return False
        guard = self.program.operations[op].guard
        if guard is None:
            self.run.doubt(op, [("never_reached", None)])
            self.dead.add(op)
            return False
        label, doubts = guard.read(self.run.view.value)
        self.run.doubt(op, doubts)
        if not guard.reliable:
            self.run.doubt(op, [("unreliable_guard", _score(guard))])
        return bool(label)

    def _execute(self, op: str, ready: Times) -> None:
        operation = self.program.operations[op]
        gap = operation.gap
        last = self._last(op)
        if last is not None:
            seen = operation.gaps.get(last)
            if seen is None or seen.count < 2:
                self.run.doubt(op, [("unconfirmed_wait", last)])
            gap = seen or gap
        if operation.loose:
            self.run.doubt(op, [("unexplained_wait", None)])
        node = self.caller.node(operation, ready, gap, (0, self.machine.rank[op]))
        if node is None:
            self.resolved[op] = ready
            return
        self.run.view.nodes[op] = node
        self.resolved[op] = Times.end_of(node)
        ends, doubts = self.program.abort.ends(node, self.run.view)
        self.run.doubt(op, doubts)
        if op in self.program.abort.frontier:
            self.run.doubt(op, [("unexplained_aborts", self.program.abort.unexplained)])
        if ends:
            self.dead.add(op)
            self.run.aborted_by = (*self.run.aborted_by, op)
            earlier = self.aborted_ns
            self.aborted_ns = node.end if earlier is None else min(earlier, node.end)

    def _last(self, op: str) -> str | None:
        nodes = self.run.view.nodes
        done = [nodes[a] for a in self.program.order.before[op] if a in nodes]
        return max(done, key=lambda node: (node.end, node.op)).op if done else None


def _score(tree: Tree) -> str:
    return f"{tree.right or 0} of {tree.count} held-out"


class _Recovering:
    """What follows an abort."""

    def __init__(self, machine: Machine, run: Run, caller: Caller) -> None:
        self.machine = machine
        self.recovery = machine.program.recovery
        self.operations = machine.program.operations
        self.run = run
        self.caller = caller
        self.started = False

    def execute(self, quiet: Times) -> Times:
        """Run the compensations one after the other, or all at once."""
        if not self.recovery.aborted:
            self.run.doubt("recovery", [("no_failure_seen", None)])
        for op, node in self.run.view.nodes.items():
            done = any(item.status == "ok" for item in node.instances)
            if done and op not in self.recovery.done_before:
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
                self.run.doubt(rule.op, doubts)
                if label:
                    middle.append(_Todo((rule.op, target, self.machine.rank[rule.source]), rule.op))
                if label and rule.seen < 2:
                    self.run.doubt(rule.op, [("low_support", rule.seen)])
        self._sort(middle)
        return first, middle, last

    def _sort(self, todos: list[_Todo]) -> None:
        order = self.recovery.order
        todos.sort(key=lambda t: (order.key(order.name, t.undo), t.op, t.undo[1].key))
        if self.recovery.parallel or len(todos) < 2:
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
        near = 4 * self.machine.program.think_ns
        first, second = one.undo[1], two.undo[1]
        if first.op != second.op:
            return near
        each = self.operations[first.op].each
        steps = abs(first.index - second.index)
        if each is None or each.workers:
            return near
        return near + steps * (each.between.high - each.between.usual)

    def _one(self, todo: _Todo, quiet: Times, now: Times, place: int) -> tuple[Times, bool]:
        operation: Operation = self.operations[todo.op]
        undone = todo.undo[1] if todo.undo[1].op else None
        begin = quiet if self.recovery.parallel else now
        gap = self.recovery.between if self.started and not self.recovery.parallel else None
        self.started = True
        instance = self.caller.undo(
            operation, undone, begin, gap or self.recovery.first, (1, place)
        )
        nodes = self.run.view.nodes
        nodes.setdefault(todo.op, Node(todo.op, [])).instances.append(instance)
        nodes[todo.op].settle()
        self.run.undone.append((todo.op, instance.key))
        end = Times(instance.end, instance.low, instance.high)
        return Times.latest([now, end]), instance.status != "ok"
