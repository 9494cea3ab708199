"""How far the failures of each service reached.

Containment ratio: of the flows that failed while a service was failing, the share that depended
on it; the rest failed elsewhere in that time, because of it or not. Blast radius: the distinct
flows in which a step at that service failed, with their kinds, teams and regions (notes 4.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.facts import FlowFacts
from analyzer.scorecard.metric import Metric, answered, share
from analyzer.scorecard.settings import Owners
from store.conclusions import FlowOutcome

FAILED = frozenset(
    {FlowOutcome.FAILED, FlowOutcome.COMPENSATION_FAILED, FlowOutcome.PARTIALLY_COMPENSATED}
)
"""As in `releases report`: a flow undone in full is no failed flow."""
NOT_KNOWN = frozenset({FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """One service's failures: `reached` is the share of flows met, `containment` as above."""

    service: str
    since_ns: int
    until_ns: int
    reached: Metric
    containment: Metric
    kinds: Sequence[str]
    teams: Sequence[str]
    regions: Sequence[str]


def failed(flow: FlowFacts) -> bool | None:
    """Whether the flow failed; None where that is not known."""
    outcome = flow.values["outcome"]
    return None if not flow.ended or outcome in NOT_KNOWN else outcome in FAILED


def blasts(flows: Sequence[FlowFacts], owners: Owners) -> list[Blast]:
    """The services at which a step failed, those that reached most flows first."""
    met: dict[str, list[FlowFacts]] = {}
    for flow in flows:
        for service in _names(flow, "failing_services"):
            met.setdefault(service, []).append(flow)
    found = [_blast(service, hit, flows, owners) for service, hit in met.items()]
    return sorted(found, key=lambda it: (-it.reached.flow_count, it.service))


def _blast(
    service: str, hit: Sequence[FlowFacts], flows: Sequence[FlowFacts], owners: Owners
) -> Blast:
    since_ns = min(flow.start_ns for flow in hit)
    until_ns = max(flow.at_ns for flow in hit)
    ids = {flow.flow_id for flow in hit}
    meanwhile = [
        flow
        for flow in flows
        if failed(flow) and flow.start_ns <= until_ns and flow.at_ns >= since_ns
    ]
    dependent = [service in _names(flow, "services") for flow in meanwhile]
    return Blast(
        service=service,
        since_ns=since_ns,
        until_ns=until_ns,
        reached=share("reached", (answered(flow, flow.flow_id in ids) for flow in flows)),
        containment=share(
            "containment",
            (
                answered(flow, depends, shown=not depends)
                for flow, depends in zip(meanwhile, dependent, strict=True)
            ),
        ),
        kinds=sorted({str(flow.values["name"]) for flow in hit}),
        teams=sorted({owners.of(flow.values["service"]) for flow in hit}),
        regions=sorted({region for flow in hit for region in _names(flow, "regions")}),
    )


def _names(flow: FlowFacts, fact: str) -> list[str]:
    found = flow.values.get(fact)
    return [str(name) for name in found] if isinstance(found, list) else []
