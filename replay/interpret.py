"""Runs a program on a virtual clock against the answers of one flow.

The input holds no order, start times or parents of the flow: only its input, and answers by
request. Every start is an interval in whole nanoseconds.
"""

from collections.abc import Collection, Mapping

from replay.attempts import Attempts
from replay.calls import Caller
from replay.forward import Forward
from replay.infer.cancel import groups_of
from replay.infer.expression import Scope
from replay.infer.outcome import Ending, ending_of
from replay.infer.program import Program
from replay.infer.view import Node, View
from replay.layout import layout_of
from replay.leaves import Leaves, is_number, lists_in
from replay.match import Answers
from replay.plan import asks_only, bound_of, place_reader, plan_of
from replay.recover import Recovering, Undoing
from replay.run import Doubts, Run
from replay.times import START, Lapse, Times

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
        self.end_gaps = {op: Lapse.of(gap) for op, gap in program.end_gaps.items()}
        self.support = tuple(
            (seen, frozenset(seen.values), place_reader(seen.ref)) for seen in program.support
        )
        self.plans = {name: plan_of(made) for name, made in program.operations.items()}
        self.output = tuple(bound_of(path, made) for path, made in program.output.bound.items())
        self.undoing = Undoing.of(program, self.rank)
        self.groups = groups_of(program.cancels, order.sequence)
        self.layout = layout_of(program, self.plans, self.groups)
        self.by_ending = asks_only("own", program.outcome)
        self.outcomes: dict[Ending, tuple[str, Doubts]] = {}
        self.variants: dict[object, Machine] = {}

    def run(self, given: Leaves, answers: Answers, retry_unseen: bool | None = None) -> Run:
        """Execute the program; the flow's outcome and times follow from the answers alone.

        `retry_unseen` settles, where no recording does, whether an answer is retried.
        """
        run = Run(View(given, {}, lists_in(given)))
        program, layout = self.program, self.layout
        attempts = Attempts(program, answers, run, retry_unseen)
        caller = Caller(program, self.plans, answers, run, attempts)
        waiting = layout.counts.copy()
        forward = Forward(program, layout.places, waiting, run, run.view.nodes, caller)
        forward.execute(layout.roots)
        quiet, last = _quiet(awaited(run.view.nodes, program))
        if forward.aborted_ns is not None:
            recovering = Recovering(program, program.recovery, self.undoing, run, caller)
            quiet = recovering.execute(quiet)
            last = _quiet(awaited(run.view.nodes, program))[1]
            run.ending = ending_of(run.view, True, self.program.recovery)
        else:
            run.ending = _WENT_ON
        self._finish(run, run.ending, quiet.plus(self.end_gaps.get(last, self.end_gaps[""])))
        run.counts = answers.counts
        return run

    def _finish(self, run: Run, ending: Ending, end: Times) -> None:
        program = self.program
        if (_WENT_ON_TEXT if ending is _WENT_ON else ending.text()) not in program.outcomes_seen:
            run.doubt("outcome", [("outcome_never_seen", None)])
        self._outcome(run, ending)
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

    def _outcome(self, run: Run, ending: Ending) -> None:
        """Name the outcome; where it asks for the ending alone, it is asked for once."""
        told = self.outcomes.get(ending)
        if told is None:
            label, doubts = self.program.outcome.read(ending.reader(run.view))
            told = str(label), [doubt for doubt in doubts if doubt[0] != "rival_guard"]
            if self.by_ending:
                self.outcomes[ending] = told
        run.outcome, doubted = told
        if doubted:
            run.doubt("outcome", doubted)

    def _out_of_support(self, run: Run, scope: Scope) -> None:
        for support, values, read in self.support:
            value = read(scope)
            if value is None:
                continue
            low, high = support.low, support.high
            if low is not None and high is not None:
                inside = is_number(value) and low <= value <= high  # type: ignore[operator]
            else:
                inside = value in values
            if not inside:
                run.doubt(".".join(support.ref), [("outside_support", repr(value))])

    def _never_together(self, run: Run) -> None:
        """Doubt what no recording shows in one flow."""
        if not self.apart:
            return
        nodes = run.view.nodes
        for op in nodes:
            if op in self.apart and not self.apart[op].isdisjoint(nodes):
                for other in nodes:
                    if op < other and other in self.apart[op]:
                        run.doubt(op, [("pair_never_seen", other)])


def _quiet(nodes: Collection[Node]) -> tuple[Times, str]:
    """Give the time when nothing runs any more, and what ran last."""
    if not nodes:
        return START, ""
    end = low = high = -(2**63)
    last = ""
    for node in nodes:
        if node.end > end or (node.end == end and node.op > last):
            end, last = node.end, node.op
        if node.low > low:
            low = node.low
        if node.high > high:
            high = node.high
    return Times(end, low, high), last


def awaited(nodes: Mapping[str, Node], program: Program) -> Collection[Node]:
    """Leave out the calls that a flow does not wait for, unless it made no others."""
    made = nodes.values()
    if not program.unawaited:
        return made
    return [node for node in made if node.op not in program.unawaited] or made
