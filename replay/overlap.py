"""What ran beside what, in a changed flow, as no recording shows it.

Whether the end of one call calls another off is known only where a recording has the one ending
while the other was under way. A change that makes a slow call quick brings about what none has.
"""

from replay.infer.cancel import CANCELLED, OK, ending
from replay.infer.program import Program
from replay.interpret import Machine
from replay.run import Run


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


def _races(program: Program, group: frozenset[str]) -> bool:
    rules = [program.cancels[op] for op in group if op in program.cancels]
    return any(OK in hows for rule in rules for hows in rule.by.values())
