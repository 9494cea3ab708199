"""Calls called off by their caller: in a race by the winner, in a group by the first that fails.

A call that was called off has no answer of its own: how long it would have taken, and what it
would have said, was never recorded. And where no recording shows a call under way when another
ends in some way, nobody knows whether that end calls it off.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from replay.infer.view import Node, Observation

CANCELLED = "cancelled"
OK = "ok"
FAILED = "failed"
REFUSED = "refused"
SETTLED_NS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Which ends call an operation off.

    `by` holds, per other operation, the endings ("ok", "failed") at which this one is called off
    if it still runs; `seen` counts the recordings, `unexplained` those in which nothing ended when
    it was called off.
    """

    by: Mapping[str, tuple[str, ...]]
    seen: int
    unexplained: int


def ending(node: Node, *, ends: bool = False) -> str:
    """Say how a node ended, in the words of a rule; `ends` that its answer ended the flow."""
    if node.status != OK:
        return FAILED
    return REFUSED if ends else OK


def learn_cancels(observations: Sequence[Observation], tolerance_ns: int) -> dict[str, Cancel]:
    """Find for every operation that was called off whose ends do so, by counter-example."""
    off = sorted(
        {op for o in observations for op, node in o.nodes.items() if _called_off(node)}
    )  # fmt: skip
    pauses = _pauses(observations)
    return {op: _learn(observations, op, pauses, tolerance_ns) for op in off}


def _called_off(node: Node) -> bool:
    return any(item.status == CANCELLED for item in node.instances)


def _pauses(observations: Sequence[Observation]) -> dict[str, int]:
    """Give the longest wait seen before each operation was tried again."""
    longest: dict[str, int] = {}
    for observation in observations:
        for op, node in observation.nodes.items():
            for item in node.instances:
                for one, two in pairwise(item.attempts):
                    longest[op] = max(longest.get(op, 0), two.start_ns - one.end_ns)
    return longest


def _learn(
    observations: Sequence[Observation], op: str, pauses: Mapping[str, int], tolerance_ns: int
) -> Cancel:
    did: dict[tuple[str, str], int] = {}
    did_not: set[tuple[str, str]] = set()
    cases: list[set[tuple[str, str]]] = []
    for observation in observations:
        mine = observation.nodes.get(op)
        if mine is None:
            continue
        off = _called_off(mine)
        causes = set()
        for other, node in observation.nodes.items():
            if other == op or _called_off(node):
                continue
            case = (other, ending(node))
            if off and abs(node.end - mine.end) <= tolerance_ns:
                causes.add(case)
                did[case] = did.get(case, 0) + 1
            elif _outlasts(mine, node, pauses, tolerance_ns):
                did_not.add(case)
        if off:
            cases.append(causes)
    rules = {case for case in did if case not in did_not}
    by: dict[str, list[str]] = {}
    for other, how in sorted(rules):
        by.setdefault(other, []).append(how)
    return Cancel(
        by={other: tuple(hows) for other, hows in by.items()},
        seen=len(cases),
        unexplained=sum(not causes & rules for causes in cases),
    )


def _outlasts(mine: Node, node: Node, pauses: Mapping[str, int], tolerance_ns: int) -> bool:
    """Whether a run was under way when another ended, and went on."""
    return mine.start < node.end - tolerance_ns and _surely_over(node, pauses) < mine.end


def learn_outlasting(
    observations: Sequence[Observation], ended: Sequence[Collection[str]], tolerance_ns: int
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Give, per operation, the others that it was seen to outlast, by how these ended: "ok",
    "failed", or "refused" where a good answer ended the flow. `ended` says which ends did so."""
    pauses = _pauses(observations)
    seen: dict[str, dict[str, set[str]]] = {}
    for observation, ends in zip(observations, ended, strict=True):
        nodes = observation.nodes
        for op, mine in nodes.items():
            if _called_off(mine):
                continue
            for other, node in nodes.items():
                if other != op and _outlasts(mine, node, pauses, tolerance_ns):
                    how = ending(node, ends=other in ends)
                    seen.setdefault(op, {}).setdefault(other, set()).add(how)
    return {
        op: {other: tuple(sorted(hows)) for other, hows in sorted(others.items())}
        for op, others in sorted(seen.items())
    }


def _surely_over(node: Node, pauses: Mapping[str, int]) -> int:
    """When a node that failed would have been tried again, had it not been over."""
    pause = 0 if node.status == OK else pauses.get(node.op, 0)
    return node.end + max(2 * pause, SETTLED_NS)


def cut_short(observations: Sequence[Observation], cancels: Mapping[str, Cancel]) -> set[int]:
    """Give the ids of runs whose last failing attempt may have been the last by a calling-off."""
    found: set[int] = set()
    for observation in observations:
        for op, cancel in cancels.items():
            node = observation.nodes.get(op)
            if node is None:
                continue
            ends = [
                other.end
                for name, hows in cancel.by.items()
                if (other := observation.nodes.get(name)) is not None and ending(other) in hows
            ]
            found.update(
                id(item)
                for item in node.instances
                if item.status not in (OK, CANCELLED) and any(end >= item.end for end in ends)
            )
    return found


def groups_of(cancels: Mapping[str, Cancel], ops: Iterable[str]) -> dict[str, frozenset[str]]:
    """Give, per operation, all that its end depends on or that depends on its end."""
    home = {op: {op} for op in ops}
    for op, cancel in cancels.items():
        for other in cancel.by:
            if op not in home or other not in home or home[op] is home[other]:
                continue
            home[op] |= home[other]
            for member in home[other]:
                home[member] = home[op]
    return {op: frozenset(group) for op, group in home.items() if len(group) > 1}
