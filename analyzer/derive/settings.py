"""What derivation can be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveSettings:
    """How a flow's spans become steps.

    `compensated_by` declares pairs: name of a compensation step to the name of the step it undoes
    (role grade 3). `success_words` and `abort_words` are the values of `status` in a flow's output
    that tell how it ended for the business.
    """

    compensated_by: Mapping[str, str] = field(default_factory=dict)
    success_words: frozenset[str] = frozenset(
        {
            "accepted", "approved", "captured", "complete", "completed", "confirmed", "created",
            "done", "fulfilled", "ok", "paid", "processed", "settled", "success", "succeeded",
        }
    )  # fmt: skip
    abort_words: frozenset[str] = frozenset(
        {
            "aborted", "canceled", "cancelled", "compensated", "compensation_failed", "declined",
            "denied", "error", "expired", "failed", "failure", "invalid", "partially_compensated",
            "refused", "rejected", "reversed", "rolled_back", "timeout", "undone",
        }
    )  # fmt: skip
