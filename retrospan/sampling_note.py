"""What is told beside counts of stored flows where sampling left some out."""

from collections.abc import Sequence
from fractions import Fraction

from retrospan.edge import tell
from store.lease import Session
from store.read import read_sampling


def tell_sampling(session: Session, flow_ids: Sequence[str] | None = None) -> None:
    """Say how many of these flows (None: all) stand for others too, and of how many nobody knows.

    For answers that count flows as they are stored.
    """
    counted = read_sampling(session, flow_ids)
    kept = sum(n for _, weight, n in counted if weight is not None and weight != 1)
    stands_for = sum((n * weight for _, weight, n in counted if weight), start=Fraction(0))
    unknown = sum(n for sampling, _, n in counted if sampling == "unknown")
    flows = sum(n for _, _, n in counted)
    if kept:
        tell(
            f"counted as stored: sampling kept {kept} of {flows} flows, and those with a weight "
            f"stand for about {round(stands_for)}; scorecard and slo report weigh them"
        )
    if unknown:
        tell(
            f"counted as stored: {unknown} of {flows} flows were sampled in a way not told; "
            "what shares they would make of all flows is unknown"
        )
