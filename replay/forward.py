"""Runs the way forward of a program: an operation is decided when all before it are resolved."""

from collections.abc import Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import TypeAlias

from msgspec import Struct

from replay.calls import Caller
from replay.infer.first_of import first_node
from replay.infer.hedge import Hedge
from replay.infer.program import Program
from replay.infer.tree import Tree
from replay.infer.view import Node
from replay.layout import Place, Wait
from replay.race import settle
from replay.run import Run
from replay.times import START, Lapse, Times

# When something ended, and its name.
Ended: TypeAlias = tuple[int, str]
_NOTHING: Ended = (-(2**63), "")


class Forward(Struct):
    """The way forward of one run; `waiting` counts for every place what it waits for."""

    program: Program
    places: Sequence[Place]
    waiting: list[int]
    run: Run
    nodes: dict[str, Node]
    caller: Caller
    resolved: dict[str, Times] = {}
    latest: dict[str, Ended] = {}
    dead: set[str] = set()
    aborted_ns: int | None = None
    heap: list[tuple[int, int, Times]] = []
    held: dict[frozenset[str], list[Place]] = {}

    def execute(self, roots: Sequence[Place]) -> None:
        """Resolve all operations, earliest first; `roots` wait for nothing."""
        places, heap, resolved, nodes = self.places, self.heap, self.resolved, self.nodes
        latest = self.latest
        for place in roots:
            self._ready(place)
        # What follows the one before, where nothing else is under way.
        follower: Place | None = None
        ready = START
        while heap or follower is not None:
            if follower is None:
                _, rank, ready = heappop(heap)
                place = places[rank]
            else:
                place, follower = follower, None
            op = place.op
            before = latest[place.only] if place.only else self._latest_before(place)
            if op in resolved:  # a step of the rounds of an earlier one
                pass
            elif place.firsts:
                self._first(place, ready)
            elif (place.always and not self.dead and self.aborted_ns is None) or self._runs(
                place, ready.usual
            ):
                self._execute(place, ready, before[1])
            else:
                resolved[op] = ready if place.hedge is None else self._direct(place)
            latest[op] = before
            if op in nodes:
                ended = nodes[op].end, op
                if ended > before:
                    latest[op] = ended
            if place.follower is not None and not heap and not self.held:
                follower, ready = place.follower, resolved[op]
            else:
                self._go_on(place)

    def _go_on(self, place: Place) -> None:
        """Let what waits for an operation go on."""
        if place.group is not None:
            self._hold(place, place.group)
        else:
            done = self.resolved[place.op]
            for child in place.followers:
                heappush(self.heap, (done.usual, child, done))
            self._release(place.joining)
        if self.held and not self.heap:
            self._settle(next(iter(self.held)))

    def _latest_before(self, place: Place) -> Ended:
        """Give the end of the one of all before an operation that ended last, and its name."""
        last = _NOTHING
        for one in place.direct:
            ended = self.latest[one]
            if ended > last:
                last = ended
        return last

    def _release(self, children: Sequence[int]) -> None:
        waiting = self.waiting
        for child in children:
            waiting[child] -= 1
            if not waiting[child]:
                self._ready(self.places[child])

    def _hold(self, place: Place, group: frozenset[str]) -> None:
        """Let nothing outside its group see an operation before the group has been settled."""
        held = self.held.setdefault(group, [])
        held.append(place)
        self._release([child for child in place.children if self.places[child].op in group])
        if all(member in self.resolved for member in group):
            self._settle(group)

    def _settle(self, group: frozenset[str]) -> None:
        """Call off what the ends of others end, then let the flow go on."""
        held = self.held.pop(group)
        nodes = [self.nodes[place.op] for place in held if place.op in self.nodes]
        settle(nodes, self.program.cancels, self.run, 3 * self.program.think_ns)
        for node in sorted(nodes, key=_ended):
            self.dead.discard(node.op)
            if node.op in self.nodes:
                self.resolved[node.op] = Times.end_of(node)
                self._judge(node)
        for place in sorted(held, key=attrgetter("rank")):
            before, cut = self._latest_before(place), self.nodes.get(place.op)
            self.latest[place.op] = before if cut is None else max(before, (cut.end, cut.op))
        for place in held:
            self._release([child for child in place.children if self.places[child].op not in group])

    def _direct(self, place: Place) -> Times:
        """Give the time when all that an operation directly waits for is resolved."""
        resolved, direct = self.resolved, place.direct
        if len(direct) == 1:
            return resolved[direct[0]]
        return Times.latest([resolved[one] for one in direct])

    def _ready(self, place: Place) -> None:
        if place.firsts:
            ready = Times.earliest([self.resolved[one] for one in place.firsts])
        else:
            ready = self._direct(place)
            if place.hedge is not None:
                ready = Times.latest([ready, *self._hedged(place.hedge)])
        heappush(self.heap, (ready.usual, place.rank, ready))

    def _runs(self, place: Place, ready_ns: int) -> bool:
        op = place.op
        abort = self.program.abort
        if self.dead and not self.dead.isdisjoint(place.direct):
            self.dead.add(op)
            return False
        if self.aborted_ns is not None and ready_ns >= self.aborted_ns and not abort.branch_only:
            self.dead.add(op)
            if not abort.scope_seen:
                self.run.doubt(op, [("abort_scope_unconfirmed", None)])
            return False
        assert place.plan is not None
        if place.always:
            return True
        if place.hedge is not None:
            return self._unanswered(op, place.hedge)
        guard = place.plan.operation.guard
        if guard is None:
            self.run.doubt(op, [("never_reached", None)])
            self.dead.add(op)
            return False
        label, doubts = guard.read(self.run.view.value)
        if doubts:
            self.run.doubt(op, doubts)
        if not guard.reliable:
            self.run.doubt(op, [("unreliable_guard", _score(guard))])
        return bool(label)

    def _hedged(self, hedge: Hedge) -> list[Times]:
        """Give the time at which the call that an operation hedges has taken too long."""
        first = next((call for call in self.run.calls if call.node == hedge.on), None)
        if first is None:
            return []
        return [Times(first.start, first.low, first.high).plus(Lapse.of(hedge.wait))]

    def _unanswered(self, op: str, hedge: Hedge) -> bool:
        node = self.nodes.get(hedge.on)
        if node is None:
            return False
        lasted = node.end - node.start
        if hedge.wait.low < lasted < hedge.wait.high:
            self.run.doubt(op, [("hedge_tie", hedge.on)])
        return lasted > hedge.wait.usual

    def _execute(self, place: Place, ready: Times, last: str) -> None:
        op, plan = place.op, place.plan
        assert plan is not None
        wait = place.waits.get(last) or place.wait(last)
        gap = wait.gap if wait.plain else self._waited(op, wait)
        chain = plan.operation.chain
        if chain is not None:
            for made in self.caller.chain(plan, chain, ready, gap, place.rank):
                self.nodes[made.op] = made
                self.resolved[made.op] = Times.end_of(made)
                self._judge(made)
            return
        node = self.caller.node(plan, ready, gap, place.rank)
        if node is None:
            self.resolved[op] = ready
            return
        self.nodes[op] = node
        self.resolved[op] = Times(node.end, node.low, node.high)
        if place.group is not None:
            if self.program.abort.ends(node, self.run.view)[0]:
                self.dead.add(op)
        elif place.asked or node.status != "ok":
            self._judge(node)

    def _waited(self, op: str, wait: Wait) -> Lapse:
        """Find a wait that is stated somewhere or doubted."""
        gap = wait.gap
        self.run.doubt(op, wait.before)
        if wait.pace is not None:
            stated, doubts = wait.pace.wait(self.run.view.value)
            self.run.doubt(op, doubts)
            gap = Lapse.of(stated)
        self.run.doubt(op, wait.after)
        return gap

    def _first(self, place: Place, ready: Times) -> None:
        """Find which of several calls ended first; doubt it where that is too close to call."""
        made = [self.nodes[one] for one in place.firsts if one in self.nodes]
        node = first_node(place.op, made)
        self.resolved[place.op] = ready if node is None else Times.end_of(node)
        if node is None:
            return
        self.nodes[place.op] = node
        near = sum(one.low <= node.high for one in made)
        if near > 1:
            self.run.doubt(place.op, [("first_tie", None)])
        self._judge(node)

    def _judge(self, node: Node) -> None:
        """Say whether a node's answers end the flow, and when."""
        op = node.op
        abort = self.program.abort
        ends, doubts = abort.ends(node, self.run.view)
        if doubts:
            self.run.doubt(op, doubts)
        if op in abort.frontier:
            self.run.doubt(op, [("unexplained_aborts", abort.unexplained)])
        if ends:
            self.dead.add(op)
            self.run.aborted_by = (*self.run.aborted_by, op)
            earlier = self.aborted_ns
            self.aborted_ns = node.end if earlier is None else min(earlier, node.end)


def _ended(node: Node) -> tuple[int, str]:
    return node.end, node.op


def _score(tree: Tree) -> str:
    return f"{tree.right or 0} of {tree.count} held-out"
