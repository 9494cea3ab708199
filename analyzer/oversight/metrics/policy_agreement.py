"""Whether recorded gates recompute: asked again, does the policy's file give the recorded answer.

Only the file of the very policy and version that a decision names is asked (`[governance]
policies`). Where no file is at hand, or the policy needs what was not recorded, it is unknown.
"""

from collections.abc import Sequence

from analyzer.oversight.measure import Case, Measure, Metric, nothing, share
from analyzer.oversight.policy import OUTCOMES, facts_of
from store.errors import UsageError

NAME = "policy_agreement"
TOLD_MAX = 20
WORDS = {
    "allowed": "allow", "denied": "deny", "block": "deny", "escalated": "escalate",
    "review": "escalate", "defer": "escalate", "modified": "modify",
}  # fmt: skip
"""Words of other systems for the four outcomes that a policy can have."""


def _measure(case: Case) -> Sequence[Measure]:
    judged = [it for it in case.decisions if it.outcome]
    if not case.policies:
        note = "no policy file is named: [governance] policies"
        return [nothing(NAME, "share", note, unknown=len(judged))]
    files = {(it.policy_id, it.version): it for it in case.policies}
    if len(files) < len(case.policies):
        raise UsageError("[governance] policies names two files of one policy and version")
    hits = n = unfiled = 0
    otherwise: list[str] = []
    for it in judged:
        decision = it.decision
        policy = files.get((decision.policy_id or "", decision.policy_version or ""))
        unfiled += policy is None
        recorded = WORDS.get(it.outcome, it.outcome)
        answered = policy.outcome(facts_of(it)) if policy is not None else None
        if answered is None or recorded not in OUTCOMES:
            continue
        n += 1
        hits += answered == recorded
        if answered != recorded:
            otherwise.append(decision.decision_id)
    return [
        share(
            NAME, hits, n, len(judged) - n,
            note=f"gates that their policy's file answers alike; {unfiled} name a policy or "
            "version without a file here",
            detail={"without_file": unfiled, "otherwise": list(otherwise[:TOLD_MAX])},
        )
    ]  # fmt: skip


METRIC = Metric(name=NAME, title="recorded gates that their policy's file gives", measure=_measure)
