"""Decisions out of the store, joined with their flows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from analyzer.oversight.flags import read_flags, variants
from analyzer.oversight.joined import PURGED, Joined, joined, without_flow
from store.conclusions import Flow
from store.errors import NotFoundError
from store.model import Decision
from store.query import ask
from store.read import FlowSelection, read_decisions, read_flows
from store.session import Session

FLOWS_OF_DECISION = Path(__file__).with_name("flows_of_decision.sql")
NEAR_MAX = 3
NO_FLAGS: Mapping[str, Mapping[str, str]] = {}


def read_joined(session: Session) -> tuple[list[Joined], list[Flow]]:
    """All decisions by time and id, joined; all flows. Purged decisions are left out."""
    return join(read_decisions(session), read_flows(session), variants(read_flags(session)))


def join(
    decisions: Sequence[Decision],
    flows: Sequence[Flow],
    flags: Mapping[str, Mapping[str, str]] = NO_FLAGS,
) -> tuple[list[Joined], list[Flow]]:
    """Each decision with the flow that counts it among its own; the flows as they are.

    `flags` are the variants of feature flags by flow.
    """
    by_id = {it.decision_id: it for it in decisions if not it.record.get(PURGED)}
    owned: defaultdict[str, list[Decision]] = defaultdict(list)
    left = dict(by_id)
    for flow in flows:
        for decision_id in flow.decision_ids:
            if decision_id in by_id:
                owned[flow.flow_id].append(by_id[decision_id])
                left.pop(decision_id, None)
    found = [
        replace(it, flags=flags.get(flow.flow_id, {}))
        for flow in flows
        for it in joined(flow, owned[flow.flow_id])
    ]
    found += [without_flow(decision) for decision in left.values()]
    found.sort(key=lambda it: (it.decision.time_ns, it.decision.decision_id))
    return found, list(flows)


def read_one(session: Session, decision_id: str) -> Joined:
    """One decision, joined. Raises NotFoundError with the nearest ids."""
    decisions = read_decisions(session)
    known = {it.decision_id: it for it in decisions}
    wanted = known.get(decision_id)
    if wanted is None:
        near = get_close_matches(decision_id, sorted(known), n=NEAR_MAX)
        hint = f"; the nearest: {', '.join(near)}" if near else ""
        raise NotFoundError(f"no decision {decision_id}{hint}")
    if wanted.record.get(PURGED):
        raise NotFoundError(
            f"decision {decision_id} was purged; its proof is left: retrospan decisions prove"
        )
    ids = ask(session, FLOWS_OF_DECISION, {"decision_id": decision_id})["flow_id"].to_list()
    flows = read_flows(session, FlowSelection(flow_ids=ids)) if ids else []
    among, _ = join([known[it] for flow in flows for it in flow.decision_ids if it in known], flows)
    return next((it for it in among if it.decision is wanted), without_flow(wanted))
