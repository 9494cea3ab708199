"""How often gates denied, escalated or modified, by policy and version."""

from collections import defaultdict
from collections.abc import Sequence

from analyzer.oversight.joined import ESCALATED, STOPPED, Joined
from analyzer.oversight.measure import Case, Measure, Metric, share
from store.model import JsonValue

NAME = "gate_outcomes"
KINDS = {
    "deny": STOPPED,
    "escalate": ESCALATED,
    "modify": frozenset({"modify", "modified"}),
}


def _measure(case: Case) -> Sequence[Measure]:
    judged = [it for it in case.decisions if it.outcome]
    by_policy: defaultdict[str, list[Joined]] = defaultdict(list)
    for it in judged:
        policy = f"{it.decision.policy_id or '?'} {it.decision.policy_version or '?'}"
        by_policy[policy].append(it)
    found = []
    for kind, words in KINDS.items():
        parts: dict[str, JsonValue] = {
            policy: {"hits": sum(it.outcome in words for it in among), "n": len(among)}
            for policy, among in sorted(by_policy.items())
        }
        found.append(
            share(
                f"{NAME}.{kind}", sum(it.outcome in words for it in judged), len(judged),
                len(case.decisions) - len(judged), detail={"by_policy": parts},
                note="unknown: no gate is recorded",
            )
        )  # fmt: skip
    return found


METRIC = Metric(
    name=NAME, title="decisions that gates denied, escalated, modified", measure=_measure
)
