"""Decisions out of the store, joined with their flows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from analyzer.oversight.flags import ID_BEGIN, read_flag, read_flags, variants
from analyzer.oversight.joined import PURGED, Joined, joined, without_flow
from store.conclusions import Flow
from store.errors import NotFoundError
from store.model import Decision
from store.query import ask
from store.read import FlowSelection, read_decisions, read_flows
from store.session import Session

OWNERS = Path(__file__).with_name("owners.sql")
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


def owners(session: Session) -> dict[str, str]:
    """The flow of each decision that is in one, whether or not its record names it."""
    return dict(ask(session, OWNERS, {}).iter_rows())


def read_one(session: Session, decision_id: str) -> Joined:
    """One decision or evaluation of a flag, joined. Raises NotFoundError with the nearest ids."""
    if decision_id.startswith(ID_BEGIN) and (flag := read_flag(session, decision_id)) is not None:
        flows = read_flows(session, FlowSelection(flow_ids=[flag.flow_id])) if flag.flow_id else []
        return replace(without_flow(flag), flow=next(iter(flows), None))
    wanted = next(iter(read_decisions(session, decision_ids=[decision_id])), None)
    if wanted is None:
        is_flag = decision_id.startswith(ID_BEGIN)
        every = read_flags(session) if is_flag else read_decisions(session)
        known = sorted(it.decision_id for it in every)
        near = get_close_matches(decision_id, known, n=NEAR_MAX)
        hint = f"; the nearest: {', '.join(near)}" if near else ""
        raise NotFoundError(f"no decision {decision_id}{hint}")
    if wanted.record.get(PURGED):
        raise NotFoundError(
            f"decision {decision_id} was purged; its proof is left: retrospan decisions prove"
        )
    ids = ask(session, FLOWS_OF_DECISION, {"decision_id": decision_id})["flow_id"].to_list()
    flows = read_flows(session, FlowSelection(flow_ids=ids)) if ids else []
    owned = [it for flow in flows for it in flow.decision_ids]
    among, _ = join(read_decisions(session, decision_ids=owned), flows)
    found = (it for it in among if it.decision.decision_id == decision_id and it.flow is not None)
    return next(found, without_flow(wanted))
