"""How the decisions of each flow were governed, counted (notes 4.2).

Each decision is judged by the functions behind `governance report`, so both say the same of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analyzer.facts import FlowFacts
from analyzer.oversight.joined import Joined
from analyzer.oversight.metrics.audit_completeness import complete
from analyzer.oversight.metrics.below_threshold_rate import unasked
from analyzer.oversight.metrics.gate_coverage import let_pass
from analyzer.oversight.read import join
from store import read
from store.session import Session

FLOWS_PER_READ: Final = 2_000


@dataclass(slots=True)
class Counts:
    """How many decisions of one flow, and of those carried out, are what is asked of them.

    `ungated` and `unscored` are carried out, and what is asked is not known of them.
    """

    decisions: int = 0
    complete: int = 0
    timed: int = 0
    gated: int = 0
    ungated: int = 0
    scored: int = 0
    below: int = 0
    unscored: int = 0

    def add(self, it: Joined) -> None:
        self.decisions += 1
        self.complete += complete(it)
        if it.first_action is not None:
            passed = let_pass(it)
            self.timed += passed is not None
            self.gated += bool(passed)
            self.ungated += passed is None
        if it.acted is True:
            below = unasked(it)
            self.scored += below is not None
            self.below += bool(below)
            self.unscored += below is None


def counted(session: Session, flows: Sequence[FlowFacts]) -> dict[str, Counts]:
    """The counts of those flows that have decisions; they are read many at a time."""
    deciding = sorted(flow.flow_id for flow in flows if flow.values["decision_count"])
    if not deciding:
        return {}
    by_id = {it.decision_id: it for it in read.read_decisions(session)}
    found: dict[str, Counts] = {}
    for start in range(0, len(deciding), FLOWS_PER_READ):
        ids = tuple(deciding[start : start + FLOWS_PER_READ])
        some = read.read_flows(session, read.FlowSelection(flow_ids=ids))
        named = {one for flow in some for one in flow.decision_ids}
        among, _ = join([by_id[one] for one in sorted(named & by_id.keys())], some)
        for it in among:
            if it.flow is not None:
                found.setdefault(it.flow.flow_id, Counts()).add(it)
    return found
