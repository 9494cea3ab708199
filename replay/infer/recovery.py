"""What runs after an abort: which compensations, in which order, and what stops them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from replay.infer.order import Order
from replay.infer.timing import Span3, spread
from replay.infer.undo_order import UndoOrder, learn_undo_order
from replay.infer.undo_rules import (
    UndoRule,
    learn_rule,
    pair,
    sources_of,
    targets_of,
    undo_failed,
    undoable,
    undone_reader,
)
from replay.infer.view import Observation, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The whole recovery. `stops` and `tail_stops` are None where no recording shows it.

    `done_before` lists operations that had succeeded in some aborted flow whose recovery ran to
    its end: only of those is it known what an abort does about them.
    """

    rules: tuple[UndoRule, ...]
    order: UndoOrder
    parallel: bool
    stops: bool | None
    tail_stops: bool | None
    first: Span3
    between: Span3
    aborted: int
    done_before: tuple[str, ...]


def learn_recovery(
    observations: Sequence[Observation],
    ops: Sequence[str],
    order: Order,
    table: Table,
    clock_tolerance_ns: int,
) -> Recovery:
    """Fit the recovery from the flows that did not succeed."""
    rows = [row for row, observation in enumerate(observations) if not observation.good]
    aborted = [observations[row] for row in rows]
    sources: dict[str, tuple[list[str], list[str], bool]] = {}
    for op in ops:
        sources[op] = sources_of(aborted, op, order)
        for source in sources[op][0]:
            pair(aborted, op, source)
    rules = []
    for op in ops:
        named, rivals, declared = sources[op]
        for source in named or [""]:
            rules.append(
                learn_rule(observations, rows, op, source, rivals, declared, order, table, ops)
            )
    stops, tail_stops = _stopping(aborted, rules, ops)
    parallel, first, between = _times(aborted, ops, order, clock_tolerance_ns)
    return Recovery(
        rules=tuple(rules),
        order=learn_undo_order(aborted, ops, order),
        parallel=parallel,
        stops=stops,
        tail_stops=tail_stops,
        first=first,
        between=between,
        aborted=len(aborted),
        done_before=tuple(
            op
            for op in order.sequence
            if any(undoable(o.nodes.get(op), False) and not undo_failed(o, ops) for o in aborted)
        ),
    )


def _stopping(
    aborted: Sequence[Observation], rules: Sequence[UndoRule], ops: Sequence[str]
) -> tuple[bool | None, bool | None]:
    """Look at flows in which a compensation failed: did the later ones run?"""
    stopped = went_on = tail_stopped = tail_ran = 0
    for observation in aborted:
        nodes = observation.nodes
        runs = [i for op in ops if op in nodes for i in nodes[op].instances]
        failed = [i for i in runs if i.status != "ok"]
        if not failed:
            continue
        end = min(i.end for i in failed)
        tail = {rule.op for rule in rules if not rule.source and rule.place == "last"}
        later = [i for i in runs if i.start >= end and i.op not in tail]
        missing = _unmade(observation, rules)
        went_on += bool(later)
        stopped += bool(missing) and not later
        for op in tail:
            tail_ran += op in nodes and nodes[op].start >= end
            tail_stopped += op not in nodes and _expected(observation, rules, op)
    return _majority(stopped, went_on), _majority(tail_stopped, tail_ran)


def _expected(observation: Observation, rules: Sequence[UndoRule], op: str) -> bool:
    """Say whether a compensation without a source should have run in this flow."""
    return any(bool(rule.when.read(observation.view.value)[0]) for rule in rules if rule.op == op)


def _unmade(observation: Observation, rules: Sequence[UndoRule]) -> int:
    missing = 0
    for rule in rules:
        if not rule.source:
            continue
        node = observation.nodes.get(rule.op)
        runs = node.instances if node is not None else []
        for target in targets_of(observation, rule.source):
            if target is None or any(i.undone is target for i in runs):
                continue
            missing += bool(rule.when.read(undone_reader(observation.view.value, target))[0])
    return missing


def _majority(yes: int, no: int) -> bool | None:
    if not yes and not no:
        return None
    return yes > no


def _times(
    aborted: Sequence[Observation], ops: Sequence[str], order: Order, tolerance: int
) -> tuple[bool, Span3, Span3]:
    firsts: list[int] = []
    gaps: list[int] = []
    offsets: list[int] = []
    overlapping = 0
    for observation in aborted:
        nodes = observation.nodes
        runs = sorted(
            (i for op in ops if op in nodes for i in nodes[op].instances),
            key=lambda i: (i.start, i.end, i.op, i.key),
        )
        ends = [node.end for op, node in nodes.items() if op in order.before]
        if not runs or not ends:
            continue
        quiet = max(ends)
        firsts.append(runs[0].start - quiet)
        offsets.extend(run.start - quiet for run in runs)
        for one, other in pairwise(runs):
            if other.start < one.end - tolerance:
                overlapping += 1
            else:
                gaps.append(other.start - one.end)
    parallel = overlapping > len(gaps)
    return parallel, spread(offsets if parallel else firsts), spread(gaps)
