"""Runs a program on a virtual clock against the answers of one flow.

The input holds no order, start times or parents of the flow: only its input, and answers by
request. Every start is an interval in whole nanoseconds.
"""

from collections.abc import Iterable, Sequence

from replay.calls import Caller
from replay.forward import Forward, places_of
from replay.infer.cancel import groups_of
from replay.infer.expression import Scope
from replay.infer.outcome import ending_of
from replay.infer.program import Program
from replay.infer.view import Node, View
from replay.leaves import Leaves, is_number, lists_in
from replay.match import Answers
from replay.plan import bound_of, plan_of
from replay.recover import Recovering
from replay.run import Run
from replay.times import Times


class Machine:
    """A program made ready to run many flows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        order = program.order
        self.rank = {op: index for index, op in enumerate(order.sequence)}
        self.apart = {op: frozenset(others) for op, others in order.apart.items() if others}
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
        quiet = _quiet(run, self.program)
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
            for path, read, _ in self.output:
                value = read(scope)
                if value is not None:
                    run.output[path] = value
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


def _quiet(run: Run, program: Program) -> Times:
    """Give the time when nothing runs any more."""
    return Times.latest([Times.end_of(node) for node in awaited(run.view.nodes.values(), program)])


def awaited(nodes: Iterable[Node], program: Program) -> Sequence[Node]:
    """Leave out the calls that a flow does not wait for, unless it made no others."""
    made = list(nodes)
    if not program.unawaited:
        return made
    return [node for node in made if node.op not in program.unawaited] or made


def _ended(node: Node) -> tuple[int, str]:
    return node.end, node.op
