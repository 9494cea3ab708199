"""Lays out a program's operations in their order, with what is looked up for every flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from replay.infer.hedge import Hedge
from replay.infer.pace import Pace
from replay.infer.program import Program
from replay.infer.timing import ZERO
from replay.plan import Plan
from replay.run import Doubts
from replay.times import Lapse


class Wait(Struct, frozen=True):
    """How long an operation waits after the one before it that ended last.

    `pace` states it where it is no usual wait; the doubts arise before and after it is asked.
    `plain` says that there is nothing of this.
    """

    gap: Lapse
    before: Doubts = ()
    pace: Pace | None = None
    after: Doubts = ()
    plain: bool = True


@dataclass(slots=True)
class Place:
    """Where an operation stands in a program: what it waits for, and what waits for it.

    `rank` is its place in the program's order, `direct` the operations it waits for, `children` the
    ranks of what waits for it, `count` how many it waits for in all; `only` is the one it waits for
    where there are no others. Of the children, `followers` wait for nothing else, `joining` for
    more; `follower` is the only child, where it waits for nothing else. `firsts` are the operations
    of which it is the first end, where it is no call. `always` says that it runs whenever it is
    reached, `asked` that a good answer may end the flow.
    """

    op: str
    rank: int
    direct: tuple[str, ...]
    plan: Plan | None
    hedge: Hedge | None
    firsts: tuple[str, ...]
    group: frozenset[str] | None
    asked: bool
    always: bool
    children: list[int] = field(default_factory=list)
    count: int = 0
    only: str = ""
    followers: tuple[int, ...] = ()
    joining: tuple[int, ...] = ()
    follower: "Place | None" = None
    waits: dict[str, Wait] = field(default_factory=dict)

    def wait(self, last: str) -> Wait:
        """Work out the wait after an operation; "" where nothing was waited for."""
        wait = self.waits[last] = self._wait(last)
        return wait

    def _wait(self, last: str) -> Wait:
        assert self.plan is not None
        operation = self.plan.operation
        if self.hedge is not None:
            return Wait(Lapse.of(ZERO))
        gap = operation.gap
        before: list[tuple[str, Any]] = []
        if last:
            seen = operation.gaps.get(last)
            if seen is None or seen.count < 2:
                before.append(("unconfirmed_wait", last))
            gap = seen or gap
        pace = operation.paces.get(last)
        after = [("unexplained_wait", None)] if last in operation.loose else []
        plain = pace is None and not before and not after
        return Wait(Lapse.of(gap), before, pace, after, plain)


class Layout(Struct):
    """A program's operations in their order, `counts` of what each waits for, and `roots`, which
    wait for nothing."""

    places: list[Place]
    counts: list[int]
    roots: list[Place]


def layout_of(
    program: Program, plans: Mapping[str, Plan], groups: Mapping[str, frozenset[str]]
) -> Layout:
    """Lay out a program's operations in their order."""
    order, abort = program.order, program.abort
    places = [
        Place(
            op=op,
            rank=rank,
            direct=tuple(order.direct[op]),
            plan=plans.get(op),
            hedge=plans[op].operation.hedge if op in plans else None,
            firsts=program.firsts.get(op, ()),
            group=groups.get(op),
            asked=op in abort.refusals or op in abort.frontier,
            always=op in plans and plans[op].always,
        )
        for rank, op in enumerate(order.sequence)
    ]
    by_name = {place.op: place for place in places}
    for place in places:
        for ancestor in place.direct:
            by_name[ancestor].children.append(place.rank)
    for place in places:
        if place.hedge is not None:
            by_name[place.hedge.on].children.append(place.rank)
    for name, ops in program.firsts.items():
        for op in ops:
            by_name[op].children.append(by_name[name].rank)
    for place in places:
        place.count = len(place.direct) + (place.hedge is not None) + len(place.firsts)
        place.only = place.direct[0] if len(place.direct) == 1 else ""
    for place in places:
        alone = {
            child for child in place.children if places[child].direct and places[child].count == 1
        }
        place.followers = tuple(child for child in place.children if child in alone)
        place.joining = tuple(child for child in place.children if child not in alone)
        if place.group is None and len(place.followers) == 1 and not place.joining:
            place.follower = places[place.followers[0]]
    counts = [place.count for place in places]
    return Layout(places, counts, [place for place in places if not place.count])
