"""Calls off, on the virtual clock, what the end of another call ends."""

from collections.abc import Mapping, Sequence

from replay.infer.cancel import CANCELLED, Cancel, ending
from replay.infer.view import Instance, Node
from replay.run import Run


def settle(nodes: Sequence[Node], cancels: Mapping[str, Cancel], run: Run, slack_ns: int) -> None:
    """Cut the nodes of one group where the earliest of them ends the others.

    A call that was called off in the recording has no other answer: where now nothing ends it in
    time, the run doubts what it would have said. It also doubts what comes too close to an end
    that calls off to say which of them comes first.
    """
    pending = list(nodes)
    over: list[Node] = []
    while pending:
        first = min(pending, key=lambda node: (node.end, node.op))
        pending.remove(first)
        mine = cancels.get(first.op)
        if mine is not None and mine.unexplained:
            run.doubt(first.op, [("unexplained_cancel", f"{mine.unexplained} of {mine.seen}")])
        if any(item.status == CANCELLED for item in first.instances):
            _called_off(first, pending, cancels, run, slack_ns)
            continue
        how = ending(first)
        for other in [*over, *pending]:
            rule = cancels.get(other.op)
            if rule is None or how not in rule.by.get(first.op, ()):
                continue
            if _tied(other, first, run):
                run.doubt(other.op, [("cancel_tie", first.op)])
            if other in pending:
                pending.remove(other)
                cut(other, first, run)
        over.append(first)


def _tied(node: Node, cause: Node, run: Run) -> bool:
    """Whether a node may as well have ended, or called again, before another ended as after."""
    moments = [(call.low, call.high) for call in run.calls if call.node == node.op]
    if node.status != CANCELLED:  # else it was under way for at least as long as recorded
        moments.append((node.low, node.high))
    return any(low <= cause.high and cause.low <= high for low, high in moments)


def _called_off(
    node: Node,
    pending: Sequence[Node],
    cancels: Mapping[str, Cancel],
    run: Run,
    slack_ns: int,
) -> None:
    """Tie a recorded calling-off to the end that causes it now; doubt it where there is none."""
    rule = cancels.get(node.op)
    causes = [
        other
        for other in pending
        if rule is not None
        and ending(other) in rule.by.get(other.op, ())
        and other.end - node.end <= slack_ns + other.high - other.low + node.high - node.low
    ]
    if not causes:
        run.doubt(node.op, [("cancelled_answer", None)])
        return
    cause = min(causes, key=lambda other: (other.end, other.op))
    if cause.end - node.end > slack_ns:
        # What ends it now comes noticeably later than what did: it may have answered before.
        run.doubt(node.op, [("cancelled_answer", None)])
    cut(node, cause, run)


def cut(node: Node, cause: Node, run: Run) -> None:
    """End all calls of a node when `cause` ends; those not begun by then are not made."""
    at = cause.end
    run.calls = [call for call in run.calls if call.node != node.op or call.start < at]
    open_keys = set()
    for call in run.calls:
        if call.node == node.op and (call.end > at or call.status == CANCELLED):
            call.end, call.status, call.response = at, CANCELLED, {}
            open_keys.add(call.key)
    left = [item for item in node.instances if item.start < at]
    if not left:
        run.view.nodes.pop(node.op, None)
        return
    for item in left:
        if item.end > at or item.status == CANCELLED:
            _end(item, cause, item.key in open_keys, run)
    node.instances = left
    node.settle()


def _end(item: Instance, cause: Node, running: bool, run: Run) -> None:
    calls = [call for call in run.calls if call.node == item.op and call.key == item.key]
    last = max(calls, key=lambda call: (call.start, call.attempt))
    item.end, item.low, item.high = cause.end, cause.low, cause.high
    item.status = CANCELLED if running else last.status
    item.response = {} if running else last.response
    item.tries = tuple(call.status for call in sorted(calls, key=lambda call: call.attempt))
