"""The variant of a flow: its structure, without how often and in which parallel order.

What counts: which steps ran under which, each with its kind, services, name, role and outcome, one
after the other or side by side. What does not: ids, keys, times, how many attempts or items, the
order of steps that overlap. So two orders of one and of five articles are one variant, and a
charge that was refused makes another. Variants of activity sequences are those of process mining
(van der Aalst, Process Mining, 2016, section 5.2), here over a partial order.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from store.conclusions import Flow, Step

Node: TypeAlias = "tuple[str, tuple[tuple[Node, ...], ...]]"
"""What a step is, and below it the groups of steps that ran one after the other."""

DEPTH_MAX = 64
"""Steps nested deeper count as their outermost shown one."""
PERIOD_MAX = 16
"""Repeats of longer sequences than this many groups are not looked for."""


def shape(flow: Flow) -> str:
    """The id of the flow's variant: `sh_` and 16 hex digits of the SHA-256 of its structure."""
    written = repr((flow.name, structure_of(flow.steps)))
    return f"sh_{hashlib.sha256(written.encode()).hexdigest()[:16]}"


def structure_of(steps: Sequence[Step]) -> tuple[tuple[Node, ...], ...]:
    """Groups of parallel steps in order; within a group sorted, repeats of both collapsed."""
    known = {step.step_id for step in steps}
    below: dict[str | None, list[Step]] = defaultdict(list)
    for step in steps:
        below[step.parent_step_id if step.parent_step_id in known else None].append(step)
    return _groups(None, below, 0)


def label_of(step: Step) -> str:
    """What a step is, whichever flow it is in."""
    return "\x1f".join(
        (step.kind, step.service, step.callee, step.name, step.role or "", step.outcome.value)
    )


def outline(flow: Flow) -> str:
    """The structure in one line: `a → b ∥ c → d(e)`; what did not end well says how."""
    return _line(structure_of(flow.steps)) or "no step"


def _line(groups: tuple[tuple[Node, ...], ...]) -> str:
    return " → ".join(" ∥ ".join(map(_said, group)) for group in groups)


def _said(node: Node) -> str:
    _, _, _, name, _, outcome = node[0].split("\x1f")
    ended = "" if outcome == "ok" else f" [{outcome}]"
    return f"{name}{ended}({_line(node[1])})" if node[1] else f"{name}{ended}"


def _groups(
    parent: str | None, below: dict[str | None, list[Step]], depth: int
) -> tuple[tuple[Node, ...], ...]:
    if depth > DEPTH_MAX:
        return ()
    groups = [
        tuple(sorted({(label_of(step), _groups(step.step_id, below, depth + 1)) for step in group}))
        for group in _overlapping(below.get(parent, ()))
    ]
    return tuple(_collapsed(groups))


def _overlapping(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Runs of steps in start order in which each began before all earlier ones had ended."""
    group: list[Step] = []
    until = 0
    for step in sorted(steps, key=lambda it: (it.start_ns, it.step_id)):
        if group and step.start_ns >= until:
            yield group
            group = []
        group.append(step)
        until = max(until, step.start_ns if step.end_ns is None else step.end_ns)
    if group:
        yield group


def _collapsed(groups: Sequence[tuple[Node, ...]]) -> list[tuple[Node, ...]]:
    """A sequence that comes again right after itself counts once, shorter ones first."""
    kept: list[tuple[Node, ...]] = []
    for group in groups:
        kept.append(group)
        again = True
        while again:
            again = False
            for period in range(1, min(PERIOD_MAX, len(kept) // 2) + 1):
                if kept[-period:] == kept[-2 * period : -period]:
                    del kept[-period:]
                    again = True
                    break
    return kept
