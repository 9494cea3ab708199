"""How long flows take, how long incidents last, whether taking back helped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from analyzer.facts import FlowFacts
from analyzer.releases.rollbacks import Rollback
from analyzer.scorecard.grouping import By
from analyzer.scorecard.metric import Listed, Metric, counted, median_of_cases, quantile
from analyzer.scorecard.scope import Scope, World
from analyzer.scorecard.settings import Owners
from store.conclusions import Incident

QUANTILES: Final = {
    "latency_p50": Fraction(1, 2),
    "latency_p95": Fraction(95, 100),
    "latency_p99": Fraction(99, 100),
}
MOMENTS: Final[Mapping[str, Callable[[Incident], int | None]]] = {
    "time_to_detect": lambda one: one.detected_ns,
    "time_to_mitigate": lambda one: one.mitigated_ns,
    "time_to_recover": lambda one: one.recovered_ns,
}


def latency(flows: Sequence[FlowFacts]) -> Iterator[Metric]:
    """End to end, of flows that ended."""
    ended = [(flow.at_ns - flow.start_ns, flow) for flow in flows if flow.ended]
    for name, at in QUANTILES.items():
        yield quantile(name, at, ended, len(flows) - len(ended))


def recovery(scope: Scope, flows: Sequence[FlowFacts], world: World) -> Iterator[Metric]:
    """Behavioural times of the incidents that met flows of the scope: each, and the median.

    No mean: means of such times say nothing (Davidovic 2021; notes 4.3).
    """
    ids = {flow.flow_id for flow in flows}
    mine = [
        one for one in world.incidents if scope[0] is By.ALL or not ids.isdisjoint(one.flow_ids)
    ]
    for name, moment in MOMENTS.items():
        cases = []
        for one in mine:
            at_ns = moment(one)
            took = None if at_ns is None else at_ns - one.start_ns
            cases.append(Listed(name=one.incident_id, value=took))
        yield median_of_cases(name, cases)


def rollback_success(scope: Scope, world: World) -> Metric:
    """Of the scope's own releases: of its flow kind, its service, its team's services.

    Models, policies and flags belong to no service: they count for all flows only.
    """
    mine = [one for one in world.rollbacks if _concerns(one, scope, world.owners)]
    examples = [one.example_flow_id for one in mine if one.example_flow_id is not None]
    return counted(
        "rollback_success",
        hits=sum(one.successful == "yes" for one in mine),
        n=sum(one.successful in ("yes", "no") for one in mine),
        unknown=sum(one.successful not in ("yes", "no") for one in mine),
        flow_ids=examples,
        flow_count=sum(one.left_open for one in mine),
        cases=[
            Listed(
                name=f"{one.withdrawn.kind} {one.withdrawn.subject} {one.withdrawn.version} → "
                f"{one.back_to} ({one.sort.replace('_', ' ')})",
                value=one.successful,
            )
            for one in mine
        ],
    )


def _concerns(one: Rollback, scope: Scope, owners: Owners) -> bool:
    by, name = scope
    kind, subject = one.withdrawn.kind, one.withdrawn.subject
    if by is By.ALL:
        return True
    if by is By.KIND:
        return kind == "flow" and subject == name
    if by is By.SERVICE:
        return kind == "service" and subject == name
    return kind == "service" and owners.of(subject) == name
