"""A moment on the virtual clock: the usual one and its bounds."""

from collections.abc import Sequence
from math import isqrt

from msgspec import Struct

from replay.infer.timing import Span3
from replay.infer.view import Node


class Times(Struct, frozen=True, gc=False):
    """Whole nanoseconds since the flow's start."""

    usual: int
    low: int
    high: int

    @staticmethod
    def latest(moments: Sequence["Times"]) -> "Times":
        """Give the moment when all have come; the flow's start if there are none."""
        if not moments:
            return START
        if len(moments) == 1:
            return moments[0]
        return Times(
            max([moment.usual for moment in moments]),
            max([moment.low for moment in moments]),
            max([moment.high for moment in moments]),
        )

    @staticmethod
    def earliest(moments: Sequence["Times"]) -> "Times":
        """Give the moment when one of several has come."""
        return Times(
            min([moment.usual for moment in moments]),
            min([moment.low for moment in moments]),
            min([moment.high for moment in moments]),
        )

    @staticmethod
    def end_of(node: Node) -> "Times":
        """Give the end of a node that has run."""
        return Times(node.end, node.low, node.high)

    def plus(self, span: Span3) -> "Times":
        """Go on by a wait; waits of several steps are hardly ever all long, or all short."""
        now = self.usual
        usual = now + span.usual
        below, more_below = now - self.low, span.usual - span.low
        above, more_above = self.high - now, span.high - span.usual
        if below and more_below:
            below = isqrt(below * below + more_below * more_below)
        else:
            below = abs(below + more_below)
        if above and more_above:
            above = isqrt(above * above + more_above * more_above)
        else:
            above = abs(above + more_above)
        return Times(usual, usual - below, usual + above)

    def later(self, usual: int, low: int, high: int) -> "Times":
        """Go on by a wait given in three numbers."""
        return Times(self.usual + usual, self.low + low, self.high + high)


START = Times(0, 0, 0)
