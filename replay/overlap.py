"""What ran beside what, in a changed flow, as no recording shows it.

Whether the end of one call calls another off is known only where a recording has the one ending
while the other was under way. A change that makes a slow call quick brings about what none has.
And a call that was called off is known to have been silent until then, and not a moment longer.
"""

from replay.infer.cancel import CANCELLED, OK, ending
from replay.infer.program import Program
from replay.interpret import Machine
from replay.match import Answers
from replay.recording import Recording
from replay.run import Call, Run


def doubt_overlaps(run: Run, machine: Machine) -> None:
    """Doubt every call that was under way when another ended as never seen beside it.

    Good ends matter only among calls of which a good end calls others off.
    """
    program = machine.program
    nodes = [node for op, node in run.view.nodes.items() if op in machine.rank]
    for node in nodes:
        if node.status == CANCELLED:
            continue
        how = ending(node, ends=node.op in run.aborted_by)
        group = machine.groups.get(node.op, frozenset())
        if how == OK and not _races(program, group):
            continue
        for other in nodes:
            if other is node or not other.start < node.end < other.end:
                continue
            if node.op not in run.aborted_by and other.op not in group:
                continue
            if how not in program.outlasting.get(other.op, {}).get(node.op, ()):
                run.doubt(other.op, [("overlap_unseen", [node.op, how])])


def doubt_longer_silence(run: Run, machine: Machine, recording: Recording) -> None:
    """Doubt every call that is called off later in its course than it was by its recording.

    When that was, the unchanged program says: its clock and the recorded one differ by what nobody
    recorded, and of two runs on one clock the same end comes after the same time. Where another end
    calls off now, that holds no more, and the latest it may come counts.
    """
    off = [call for call in run.calls if call.status == CANCELLED]
    if not off:
        return
    control = machine.run(recording.input, Answers.of(recording))
    before = {_ident(call): call for call in control.calls if call.status == CANCELLED}
    for call in off:
        old = before.get(_ident(call))
        if old is None:
            continue  # it has an answer of its own, which comes later
        silent = old.end - old.start
        if _causes(run, call) & _causes(control, old):
            longer = call.end - call.start > silent
        else:
            longer = run.view.nodes[call.node].high - call.low > silent
        if longer:
            run.doubt(call.node, [("cancelled_answer", None)])


def _ident(call: Call) -> tuple[str, str, int]:
    return call.op, call.stream, call.attempt


def _causes(run: Run, call: Call) -> set[str]:
    """Name what ended when a call was called off."""
    nodes = run.view.nodes.items()
    return {op for op, node in nodes if node.end == call.end and node.status != CANCELLED}


def _races(program: Program, group: frozenset[str]) -> bool:
    rules = [program.cancels[op] for op in group if op in program.cancels]
    return any(OK in hows for rule in rules for hows in rule.by.values())
