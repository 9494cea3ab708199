"""The undoing of a payment: the refund comes before the stock, or should."""

from __future__ import annotations

from dataclasses import dataclass

from sample_traces.services.payment.versions import Behaviour
from sample_traces.services.saga import Compensator, Undo


@dataclass(slots=True, kw_only=True)
class PaymentCompensator(Compensator):
    """Knows which of the compensations is the refund."""

    behaviour: Behaviour
    refund: Undo | None = None

    def plan(self) -> list[Undo]:
        """The refund first; the stock's releases from the newest to the oldest."""
        newest_first = sorted(self.undos, key=lambda undo: undo.completed_ns, reverse=True)
        if self.refund is None:
            return newest_first
        if (
            self.behaviour.releases_before_refund_after_failover
            and self.refund.operation.callee == "gateway-us"
        ):
            return [*newest_first, self.refund]
        return [self.refund, *newest_first]
