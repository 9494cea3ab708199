"""What the loaded decisions say of how they were governed (notes 4.2)."""

from collections.abc import Iterator, Sequence

from analyzer.facts import FlowFacts
from analyzer.scorecard.metric import Metric, Part, share
from analyzer.scorecard.scope import World


def governance(flows: Sequence[FlowFacts], world: World) -> Iterator[Metric]:
    """Gates before actions, actions below the threshold, records that an audit can use."""
    told = [(flow, found) for flow in flows if (found := world.decisions.get(flow.flow_id))]
    yield share(
        "gate_coverage",
        (
            Part(
                flow=flow, hits=it.gated, n=it.timed, unknown=it.ungated,
                shown=it.gated < it.timed,
            )
            for flow, it in told
        ),
    )  # fmt: skip
    yield share(
        "below_threshold_actions",
        (
            Part(flow=flow, hits=it.below, n=it.scored, unknown=it.unscored, shown=it.below > 0)
            for flow, it in told
        ),
    )
    yield share(
        "audit_completeness",
        (
            Part(
                flow=flow, hits=it.complete, n=it.decisions, unknown=0,
                shown=it.complete < it.decisions,
            )
            for flow, it in told
        ),
    )  # fmt: skip
