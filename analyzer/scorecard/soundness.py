"""How flows ended, whether what they did was undone, and whether effects were right."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from analyzer.facts import FlowFacts
from analyzer.scorecard.blast import failed
from analyzer.scorecard.metric import Metric, answered, quantile, share
from analyzer.scorecard.scope import Undoing, World
from store.conclusions import FlowOutcome, Verdict

TWICE: Final = ("duplicate_effect", "S4")
MUST_SUCCEED: Final = "S12"
P95: Final = Fraction(95, 100)
DOUBTS: Final = frozenset({Verdict.SUSPECTED, Verdict.UNKNOWN, Verdict.OPEN})


def endings(flows: Sequence[FlowFacts]) -> Iterator[Metric]:
    """Flows that failed, flows that were given up and undone, flows that were seen whole."""
    yield share("error_rate", (answered(flow, failed(flow)) for flow in flows))
    yield share("undone_rate", (answered(flow, _undone(flow)) for flow in flows))
    yield share(
        "seen_whole",
        (answered(flow, _whole(flow), shown=not _whole(flow)) for flow in flows),
    )


def _undone(flow: FlowFacts) -> bool | None:
    known = failed(flow) is not None
    return flow.values["outcome"] == FlowOutcome.COMPENSATED if known else None


def _whole(flow: FlowFacts) -> bool:
    return bool(flow.values["complete"])


def compensation(flows: Sequence[FlowFacts], world: World) -> Iterator[Metric]:
    """Whether given-up flows were undone, and how long that left things half done."""
    undone = [(flow, it) for flow, it in _given_up(flows, world) if it.concerns]
    yield share(
        "compensation_success",
        (answered(flow, it.compensated, shown=it.compensated is False) for flow, it in undone),
    )
    timed = [(it.inconsistent_ns, flow) for flow, it in undone if it.inconsistent_ns is not None]
    unknown = sum(it.compensated is not False and it.inconsistent_ns is None for _, it in undone)
    yield quantile("time_inconsistent_p95", P95, timed, unknown)


def integrity(flows: Sequence[FlowFacts], world: World) -> Iterator[Metric]:
    """Accounts that come to zero, effects that took place twice or never."""
    yield share(
        "conservation",
        (
            answered(flow, it.balanced, shown=it.balanced is False)
            for flow, it in _given_up(flows, world)
            if it.counted
        ),
    )
    yield share("duplicate_effects", (answered(it, _twice(it, world)) for it in flows))
    yield share(
        "lost_effects",
        (
            answered(flow, _worst(said, whole=True))
            for flow in flows
            if (said := _said(flow, world, (MUST_SUCCEED,)))
        ),
    )


def _given_up(flows: Sequence[FlowFacts], world: World) -> list[tuple[FlowFacts, Undoing]]:
    found = ((flow, world.undoings.get(flow.flow_id)) for flow in flows)
    return [(flow, it) for flow, it in found if it is not None]


def _twice(flow: FlowFacts, world: World) -> bool | None:
    return _worst(_said(flow, world, TWICE), whole=_whole(flow) and flow.ended)


def _said(flow: FlowFacts, world: World, questions: Sequence[str]) -> frozenset[str]:
    found = world.verdicts.get(flow.flow_id, {})
    return frozenset().union(*(found.get(question, ()) for question in questions))


def _worst(said: frozenset[str], *, whole: bool) -> bool | None:
    """A violation is one; without one, doubt and a flow that was not seen whole are unknown."""
    if Verdict.VIOLATION in said:
        return True
    return None if said & DOUBTS or not whole else False
