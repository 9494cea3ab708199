"""A run of agents out of the store, with those that succeeded at the same task."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.agents.run import Run, run_of
from analyzer.events import read_with_events
from store.conclusions import Flow, FlowOutcome
from store.query import ask
from store.read import read_flow
from store.session import Session

PEERS = Path(__file__).with_name("peers.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A flow as a run; `succeeded` are other runs of its task that did, at most 50."""

    flow: Flow
    run: Run
    succeeded: Sequence[Run]

    @property
    def failed(self) -> bool:
        """Whether the flow is known to have failed; a judgement passed later counts."""
        known = (FlowOutcome.SUCCEEDED, FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS)
        return self.flow.outcome not in known or self.run.judged is not None


def read_run(session: Session, flow_id: str) -> Recorded:
    """The run that a flow is. Raises NotFoundError with the nearest ids."""
    flow = read_flow(session, flow_id)
    run = run_of(read_with_events(session, flow.trace_ids))
    peers: list[Run] = []
    if run.task:
        found = ask(session, PEERS, {"task": run.task, "flow_id": flow.flow_id})
        peers = [run_of(read_with_events(session, ids)) for ids in found["trace_ids"].to_list()]
    return Recorded(flow=flow, run=run, succeeded=peers)
