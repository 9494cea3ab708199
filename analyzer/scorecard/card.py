"""The scorecard of a store: the same metrics for every scope.

A scope is all flows, the flows of one kind, those that passed through one service, or those started
by a service that one team owns. A flow can pass through several services, so those do not add up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzer.cost.prices import NO_PRICES, Prices
from analyzer.cost.spent import Spending, read_uses, spending
from analyzer.facts import FlowFacts
from analyzer.releases.report import rollbacks_in
from analyzer.releases.settings import ReleaseSettings
from analyzer.sagas.conservation import balances
from analyzer.sagas.measures import measure
from analyzer.scorecard.blast import Blast, blasts
from analyzer.scorecard.decided import FLOWS_PER_READ, counted
from analyzer.scorecard.governed import governance
from analyzer.scorecard.grouping import By
from analyzer.scorecard.metric import Metric
from analyzer.scorecard.scope import Scope, Undoing, World
from analyzer.scorecard.settings import Owners
from analyzer.scorecard.soundness import compensation, endings, integrity
from analyzer.scorecard.timing import latency, recovery, rollback_success
from analyzer.slo.evaluate import read_facts
from store import read
from store.conclusions import Flow, SagaVerdict
from store.query import ask
from store.session import Session

HERE: Final = Path(__file__).resolve().parent
UNDONE_CHECKS: Final = frozenset({"S1", "S2", "S8"})
"""They apply where a flow was given up with something to undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The metrics of one scope, and what its decisions cost. `open_flows` have not ended."""

    by: By
    name: str
    flows: int
    open_flows: int
    metrics: Sequence[Metric]
    spending: Spending


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """All cards, and how far the failures of each service reached."""

    since_ns: int
    until_ns: int
    cards: Sequence[Card]
    blasts: Sequence[Blast]


def scorecard(
    session: Session,
    by: By,
    since_ns: int,
    until_ns: int,
    owners: Owners,
    releases: ReleaseSettings,
    prices: Prices = NO_PRICES,
) -> Scorecard:
    """The scorecard of the flows that ended, or began and did not end, in [since, until)."""
    flows = [flow for flow in read_facts(session) if since_ns <= flow.at_ns < until_ns]
    kept = {flow.flow_id for flow in flows}
    verdicts: dict[str, dict[str, frozenset[str]]] = {}
    for flow_id, question, verdict in ask(session, HERE / "judged.sql", {}).iter_rows():
        if flow_id in kept:
            found = verdicts.setdefault(flow_id, {})
            found[question] = found.get(question, frozenset()) | {verdict}
    world = World(
        verdicts=verdicts,
        decisions=counted(session, flows),
        undoings=_undoings(
            session,
            sorted(one for one, said in verdicts.items() if not UNDONE_CHECKS.isdisjoint(said)),
        ),
        incidents=[
            one for one in read.read_incidents(session) if since_ns <= one.start_ns < until_ns
        ],
        rollbacks=rollbacks_in(session, since_ns, until_ns, releases),
        owners=owners,
    )
    grouped = _grouped(flows, by, owners)
    uses = read_uses(session, prices)
    return Scorecard(
        since_ns=since_ns,
        until_ns=until_ns,
        cards=[
            Card(
                by=scope[0],
                name=scope[1],
                flows=len(members),
                open_flows=sum(not flow.ended for flow in members),
                metrics=list(_metrics(scope, members, world)),
                spending=spending(members, uses),
            )
            for scope, members in grouped.items()
        ],
        blasts=blasts(flows, owners),
    )


def _scopes(flow: FlowFacts, by: By, owners: Owners) -> list[Scope]:
    found: list[Scope] = [(By.ALL, "")]
    if by is By.KIND:
        found.append((by, str(flow.values["name"])))
    elif by is By.SERVICE:
        services = flow.values["services"]
        found += [(by, str(name)) for name in (services if isinstance(services, list) else [])]
    elif by is By.TEAM:
        found.append((by, owners.of(flow.values["service"])))
    return found


def _grouped(flows: Sequence[FlowFacts], by: By, owners: Owners) -> dict[Scope, list[FlowFacts]]:
    grouped: dict[Scope, list[FlowFacts]] = {(By.ALL, ""): []}
    for flow in flows:
        for scope in _scopes(flow, by, owners):
            grouped.setdefault(scope, []).append(flow)
    return dict(sorted(grouped.items(), key=lambda it: (it[0][0] is not By.ALL, it[0][1])))


def _undoings(session: Session, flow_ids: Sequence[str]) -> dict[str, Undoing]:
    """How these flows were undone; they are read step by step, so many at a time."""
    found = {}
    for start in range(0, len(flow_ids), FLOWS_PER_READ):
        ids = tuple(flow_ids[start : start + FLOWS_PER_READ])
        sagas: dict[str, SagaVerdict] = {it.flow_id: it for it in read.read_sagas(session, ids)}
        for flow in read.read_flows(session, read.FlowSelection(flow_ids=ids)):
            found[flow.flow_id] = _undoing(flow, sagas[flow.flow_id])
    return found


def _undoing(flow: Flow, saga: SagaVerdict) -> Undoing:
    one = measure([(flow, saga)])
    left = [balance.left for balance in balances(flow)]
    balanced = None if None in left else True
    return Undoing(
        concerns=one.compensated.n + one.compensated.unknown > 0,
        compensated=one.compensated.hits > 0 if one.compensated.n else None,
        inconsistent_ns=one.inconsistent.values_ns[0] if one.inconsistent.values_ns else None,
        counted=bool(left),
        balanced=False if any(left) else balanced,
    )


def _metrics(scope: Scope, flows: Sequence[FlowFacts], world: World) -> Iterator[Metric]:
    yield from latency(flows)
    yield from endings(flows)
    yield from recovery(scope, flows, world)
    yield rollback_success(scope, world)
    yield from compensation(flows, world)
    yield from governance(flows, world)
    yield from integrity(flows, world)
