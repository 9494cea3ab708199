"""How often people decided otherwise than the model, and whether they were right.

A reviewer approves or refuses the request; that overrides the model when it had chosen otherwise:
approved what it rejected, refused what it approved.
"""

from collections.abc import Sequence

from analyzer.oversight.joined import APPROVED, Joined
from analyzer.oversight.labels import was_right
from analyzer.oversight.measure import Case, Measure, Metric, share

NAME = "override_rate"
REFUSALS = frozenset({"reject", "refuse", "deny", "decline", "block"})
REVIEWS_MIN = 30
BIAS_SHARE = 0.01


def overridden(it: Joined) -> bool:
    """Whether the person's word differs from what was chosen."""
    approved = str(it.review.get("outcome")).lower() in APPROVED
    return approved == (it.decision.chosen.lower() in REFUSALS)


def _measure(case: Case) -> Sequence[Measure]:
    reviewed = [it for it in case.decisions if it.reviewed]
    over = [it for it in reviewed if overridden(it)]
    labelled = [(it, right) for it in over if (right := was_right(it, case.settings)) is not None]
    harmful = sum(right for _, right in labelled)
    few = len(over) <= BIAS_SHARE * len(reviewed)
    hint = "; hardly ever: do reviewers look?" if few and len(reviewed) >= REVIEWS_MIN else ""
    unknown = len(over) - len(labelled)
    escalated = sum(it.outcome.startswith("escalat") for it in case.decisions)
    return [
        share(
            NAME, len(over), len(reviewed), note=f"of the reviewed{hint}",
            detail={"escalated": escalated},
        ),
        share(
            f"{NAME}.harmful", harmful, len(labelled), unknown,
            note="of the overridden, the choice had been right",
        ),
        share(
            f"{NAME}.saved", len(labelled) - harmful, len(labelled), unknown,
            note="of the overridden, the choice would have been wrong",
        ),
    ]  # fmt: skip


METRIC = Metric(
    name=NAME, title="reviews that ended otherwise than the model chose", measure=_measure
)
