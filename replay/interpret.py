"""Runs a program on a virtual clock against the answers of one flow.

The input holds no order, start times or parents of the flow: only its input, and answers by
request. Every start is an interval in whole nanoseconds.
"""

import heapq
from collections.abc import Iterable, Sequence

from replay.calls import Caller
from replay.infer.cancel import groups_of
from replay.infer.expression import Scope
from replay.infer.first_of import first_node
from replay.infer.hedge import Hedge
from replay.infer.outcome import ending_of
from replay.infer.program import Program
from replay.infer.timing import ZERO
from replay.infer.tree import Tree
from replay.infer.view import Node, View
from replay.leaves import Leaves, is_number, lists_in
from replay.match import Answers
from replay.plan import plan_of, source_of
from replay.race import settle
from replay.recover import Recovering
from replay.run import Run
from replay.times import Times


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
        self.apart = {op: frozenset(others) for op, others in order.apart.items() if others}
        self.plans = {name: plan_of(made) for name, made in program.operations.items()}
        self.output = tuple(
            (path, source_of(binding)) for path, binding in program.output.bound.items()
        )
        self.hedges = {
            name: made.hedge for name, made in program.operations.items() if made.hedge is not None
        }
        for op, hedge in self.hedges.items():
            self.children[hedge.on].append(op)
        for name, ops in program.firsts.items():
            for op in ops:
                self.children[op].append(name)
        self.groups = groups_of(program.cancels, order.sequence)
        self.variants: dict[object, Machine] = {}

    def run(self, given: Leaves, answers: Answers, retry_unseen: bool | None = None) -> Run:
        """Execute the program; the flow's outcome and times follow from the answers alone.

        `retry_unseen` settles, where no recording does, whether an answer is retried.
        """
        run = Run(View(given, {}, lists_in(given)))
        caller = Caller(self.program, self.plans, answers, run, retry_unseen)
        forward = _Forward(self, run, caller)
        forward.execute()
        quiet = forward.quiet()
        aborted = forward.aborted_ns is not None
        if aborted:
            quiet = Recovering(self.program, self.rank, run, caller).execute(quiet)
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
        last = max(awaited(run.view.nodes.values(), program), key=_ended, default=None)
        overall = program.end_gaps[""]
        end = quiet.plus(overall if last is None else program.end_gaps.get(last.op, overall))
        if program.lasts_for_callees:
            nodes = run.view.nodes.values()
            done = [Times(*item.outlived) for node in nodes for item in node.instances]
            end = Times.latest([end, *done])
        run.end, run.end_low, run.end_high = end.usual, end.low, end.high
        if run.outcome == "succeeded":
            scope = Scope(run.view)
            run.output = {
                path: value
                for path, source in self.output
                if (value := source.read(scope)) is not None
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
        for op in present:
            apart = self.apart.get(op)
            if apart is not None and not apart.isdisjoint(present):
                for other in present:
                    if op < other and other in apart:
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
        self.waiting = {
            op: len(self.program.order.direct[op])
            + (op in machine.hedges)
            + len(self.program.firsts.get(op, ()))
            for op in machine.rank
        }
        self.heap: list[tuple[int, int, str, Times]] = []
        self.held: dict[frozenset[str], list[str]] = {}

    def execute(self) -> None:
        """Resolve all operations, earliest first."""
        for op, count in self.waiting.items():
            if not count:
                self._ready(op)
        while self.heap:
            ready_ns, _, op, ready = heapq.heappop(self.heap)
            if op in self.resolved:  # a step of the rounds of an earlier one
                pass
            elif op in self.program.firsts:
                self._first(op, ready)
            elif self._runs(op, ready_ns):
                self._execute(op, ready)
            else:
                self.resolved[op] = self._passed(op, ready)
            group = self.machine.groups.get(op)
            if group is None:
                self._release(self.machine.children[op])
            else:
                self._hold(op, group)
            if not self.heap and self.held:
                self._settle(next(iter(self.held)))

    def _release(self, children: Sequence[str]) -> None:
        for child in children:
            self.waiting[child] -= 1
            if not self.waiting[child]:
                self._ready(child)

    def _hold(self, op: str, group: frozenset[str]) -> None:
        """Let nothing outside its group see an operation before the group has been settled."""
        children = self.machine.children[op]
        held = self.held.setdefault(group, [])
        held.append(op)
        self._release([child for child in children if child in group])
        if all(member in self.resolved for member in group):
            self._settle(group)

    def _settle(self, group: frozenset[str]) -> None:
        """Call off what the ends of others end, then let the flow go on."""
        ops = self.held.pop(group)
        nodes = [self.run.view.nodes[op] for op in ops if op in self.run.view.nodes]
        settle(nodes, self.program.cancels, self.run, 3 * self.program.think_ns)
        for node in sorted(nodes, key=_ended):
            self.dead.discard(node.op)
            if node.op in self.run.view.nodes:
                self.resolved[node.op] = Times.end_of(node)
                self._judge(node)
        for op in ops:
            children = self.machine.children[op]
            self._release([child for child in children if child not in group])

    def quiet(self) -> Times:
        """Give the time when nothing runs any more."""
        return Times.latest(
            [Times.end_of(node) for node in awaited(self.run.view.nodes.values(), self.program)]
        )

    def _ready(self, op: str) -> None:
        ready = Times.latest([self.resolved[a] for a in self.program.order.direct[op]])
        if op in self.machine.hedges:
            ready = Times.latest([ready, *self._hedged(op)])
        if op in self.program.firsts:
            ready = Times.earliest([self.resolved[one] for one in self.program.firsts[op]])
        heapq.heappush(self.heap, (ready.usual, self.machine.rank[op], op, ready))

    def _runs(self, op: str, ready_ns: int) -> bool:
        direct = self.program.order.direct[op]
        abort = self.program.abort
        if self.dead and not self.dead.isdisjoint(direct):
            self.dead.add(op)
            return False
        if not abort.branch_only and self.aborted_ns is not None and ready_ns >= self.aborted_ns:
            self.dead.add(op)
            if not abort.scope_seen:
                self.run.doubt(op, [("abort_scope_unconfirmed", None)])
            return False
        if self.machine.plans[op].always:
            return True
        hedge = self.machine.hedges.get(op)
        if hedge is not None:
            return self._unanswered(op, hedge)
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

    def _hedged(self, op: str) -> list[Times]:
        """Give the time at which the call that an operation hedges has taken too long."""
        hedge = self.machine.hedges[op]
        first = next((call for call in self.run.calls if call.node == hedge.on), None)
        if first is None:
            return []
        return [Times(first.start, first.low, first.high).plus(hedge.wait)]

    def _passed(self, op: str, ready: Times) -> Times:
        """Give the time at which an operation that does not run holds nothing up any more."""
        if op not in self.machine.hedges:
            return ready
        return Times.latest([self.resolved[a] for a in self.program.order.direct[op]])

    def _unanswered(self, op: str, hedge: Hedge) -> bool:
        node = self.run.view.nodes.get(hedge.on)
        if node is None:
            return False
        lasted = node.end - node.start
        if hedge.wait.low < lasted < hedge.wait.high:
            self.run.doubt(op, [("hedge_tie", hedge.on)])
        return lasted > hedge.wait.usual

    def _execute(self, op: str, ready: Times) -> None:
        operation = self.program.operations[op]
        gap = ZERO if operation.hedge is not None else operation.gap
        last = None if operation.hedge is not None else self._last(op)
        if last is not None:
            seen = operation.gaps.get(last)
            if seen is None or seen.count < 2:
                self.run.doubt(op, [("unconfirmed_wait", last)])
            gap = seen or gap
        pace = operation.paces.get("" if last is None else last)
        if pace is not None and operation.hedge is None:
            gap, doubts = pace.wait(self.run.view.value)
            self.run.doubt(op, doubts)
        if (last or "") in operation.loose and operation.hedge is None:
            self.run.doubt(op, [("unexplained_wait", None)])
        if operation.chain is not None:
            for made in self.caller.chain(
                operation, operation.chain, ready, gap, (0, self.machine.rank[op])
            ):
                self.run.view.nodes[made.op] = made
                self.resolved[made.op] = Times.end_of(made)
                self._judge(made)
            return
        node = self.caller.node(operation, ready, gap, (0, self.machine.rank[op]))
        if node is None:
            self.resolved[op] = ready
            return
        self.run.view.nodes[op] = node
        self.resolved[op] = Times.end_of(node)
        if op not in self.machine.groups:
            self._judge(node)
        elif self.program.abort.ends(node, self.run.view)[0]:
            self.dead.add(op)

    def _first(self, op: str, ready: Times) -> None:
        """Find which of several calls ended first; doubt it where that is too close to call."""
        nodes = self.run.view.nodes
        made = [nodes[one] for one in self.program.firsts[op] if one in nodes]
        node = first_node(op, made)
        self.resolved[op] = ready if node is None else Times.end_of(node)
        if node is None:
            return
        nodes[op] = node
        near = sum(one.low <= node.high for one in made)
        if near > 1:
            self.run.doubt(op, [("first_tie", None)])
        self._judge(node)

    def _judge(self, node: Node) -> None:
        """Say whether a node's answers end the flow, and when."""
        op = node.op
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
        last: Node | None = None
        for ancestor in self.program.order.before[op]:
            node = nodes.get(ancestor)
            if node is None:
                continue
            if last is None or node.end > last.end or (node.end == last.end and node.op > last.op):
                last = node
        return None if last is None else last.op


def awaited(nodes: Iterable[Node], program: Program) -> Sequence[Node]:
    """Leave out the calls that a flow does not wait for, unless it made no others."""
    made = list(nodes)
    if not program.unawaited:
        return made
    return [node for node in made if node.op not in program.unawaited] or made


def _ended(node: Node) -> tuple[int, str]:
    return node.end, node.op


def _score(tree: Tree) -> str:
    return f"{tree.right or 0} of {tree.count} held-out"
