"""Runs a program on a virtual clock against the answers of one flow.

The input holds no order, start times or parents of the flow: only its input, and answers by
request. Every start is an interval in whole nanoseconds.
"""

from collections.abc import Iterable, Sequence

from replay.calls import Caller
from replay.forward import Forward
from replay.infer.cancel import groups_of
from replay.infer.expression import Scope
from replay.infer.outcome import Ending, ending_of
from replay.infer.program import Program
from replay.infer.timing import Span3
from replay.infer.view import Node, View
from replay.layout import places_of
from replay.leaves import Leaves, is_number, lists_in
from replay.match import Answers
from replay.plan import bound_of, place_reader, plan_of
from replay.recover import Recovering
from replay.run import Run
from replay.times import START, Times

# How a flow ends that nothing aborted: there is nothing to undo.
_WENT_ON = Ending(aborted=False, to_undo=False, undone=False, undo_failed=False, undo_left=False)
_WENT_ON_TEXT = _WENT_ON.text()


class Machine:
    """A program made ready to run many flows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        order = program.order
        self.rank = {op: index for index, op in enumerate(order.sequence)}
        self.apart = {op: frozenset(others) for op, others in order.apart.items() if others}
        self.support = tuple((seen, place_reader(seen.ref)) for seen in program.support)
        self.plans = {name: plan_of(made) for name, made in program.operations.items()}
        self.output = tuple(bound_of(path, made) for path, made in program.output.bound.items())
        self.groups = groups_of(program.cancels, order.sequence)
        self.places = places_of(program, self.plans, self.groups)
        self.variants: dict[object, Machine] = {}

    def run(self, given: Leaves, answers: Answers, retry_unseen: bool | None = None) -> Run:
        """Execute the program; the flow's outcome and times follow from the answers alone.

        `retry_unseen` settles, where no recording does, whether an answer is retried.
        """
        run = Run(View(given, {}, lists_in(given)))
        caller = Caller(self.program, self.plans, answers, run, retry_unseen)
        forward = Forward(self.program, self.places, run, caller)
        forward.execute()
        quiet = _quiet(awaited(run.view.nodes.values(), self.program))
        if forward.aborted_ns is not None:
            quiet = Recovering(self.program, self.rank, run, caller).execute(quiet)
            run.ending = ending_of(run.view, True, self.program.recovery)
        else:
            run.ending = _WENT_ON
        self._finish(run, run.ending, quiet)
        run.counts = answers.counts
        return run

    def _finish(self, run: Run, ending: Ending, quiet: Times) -> None:
        program = self.program
        if (_WENT_ON_TEXT if ending is _WENT_ON else ending.text()) not in program.outcomes_seen:
            run.doubt("outcome", [("outcome_never_seen", None)])
        label, doubts = program.outcome.read(ending.reader(run.view))
        run.outcome = str(label)
        run.doubt("outcome", [doubt for doubt in doubts if doubt[0] != "rival_guard"])
        end = quiet.plus(self._end_gap(awaited(run.view.nodes.values(), program)))
        if program.lasts_for_callees:
            nodes = run.view.nodes.values()
            done = [Times(*item.outlived) for node in nodes for item in node.instances]
            end = Times.latest([end, *done])
        run.end, run.end_low, run.end_high = end.usual, end.low, end.high
        scope = Scope(run.view)
        if run.outcome == "succeeded":
            for path, read, _ in self.output:
                value = read(scope)
                if value is not None:
                    run.output[path] = value
        self._out_of_support(run, scope)
        self._never_together(run)

    def _end_gap(self, nodes: Sequence[Node]) -> Span3:
        """Give the wait from the last step to the flow's end."""
        gaps = self.program.end_gaps
        overall = gaps[""]
        if not nodes:
            return overall
        return gaps.get(max([(node.end, node.op) for node in nodes])[1], overall)

    def _out_of_support(self, run: Run, scope: Scope) -> None:
        for support, read in self.support:
            value = read(scope)
            if value is None:
                continue
            low, high = support.low, support.high
            if low is not None and high is not None:
                inside = is_number(value) and low <= value <= high  # type: ignore[operator]
            else:
                inside = value in support.values
            if not inside:
                run.doubt(".".join(support.ref), [("outside_support", repr(value))])

    def _never_together(self, run: Run) -> None:
        """Doubt what no recording shows in one flow."""
        if not self.apart:
            return
        present = [op for op in run.view.nodes if op in self.rank]
        for op in present:
            apart = self.apart.get(op)
            if apart is not None and not apart.isdisjoint(present):
                for other in present:
                    if op < other and other in apart:
                        run.doubt(op, [("pair_never_seen", other)])


def _quiet(nodes: Sequence[Node]) -> Times:
    """Give the time when nothing runs any more."""
    if not nodes:
        return START
    end, low, high = nodes[0].end, nodes[0].low, nodes[0].high
    for node in nodes:
        if node.end > end:
            end = node.end
        if node.low > low:
            low = node.low
        if node.high > high:
            high = node.high
    return Times(end, low, high)


def awaited(nodes: Iterable[Node], program: Program) -> Sequence[Node]:
    """Leave out the calls that a flow does not wait for, unless it made no others."""
    made = list(nodes)
    if not program.unawaited:
        return made
    return [node for node in made if node.op not in program.unawaited] or made
