"""A moment on the virtual clock: the usual one and its bounds."""

from collections.abc import Sequence
from math import isqrt

from msgspec import Struct

from replay.infer.timing import Span3
from replay.infer.view import Node


class Lapse(Struct, frozen=True, gc=False):
    """A wait ready to be added: what is usual, and the squares of how much less or more it may be,
    in whole nanoseconds."""

    usual: int
    less: int
    more: int

    @staticmethod
    def of(span: Span3) -> "Lapse":
        """Make a wait ready."""
        usual = span.usual
        return Lapse(usual, (usual - span.low) ** 2, (span.high - usual) ** 2)


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
        first = moments[0]
        if len(moments) == 1:
            return first
        usual, low, high = first.usual, first.low, first.high
        for moment in moments:
            if moment.usual > usual:
                usual = moment.usual
            if moment.low > low:
                low = moment.low
            if moment.high > high:
                high = moment.high
        return Times(usual, low, high)

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

    def plus(self, wait: Lapse) -> "Times":
        """Go on by a wait; waits of several steps are hardly ever all long, or all short."""
        now = self.usual
        usual = now + wait.usual
        below, above = now - self.low, self.high - now
        return Times(
            usual,
            usual - isqrt(below * below + wait.less),
            usual + isqrt(above * above + wait.more),
        )

    def later(self, usual: int, low: int, high: int) -> "Times":
        """Go on by a wait given in three numbers."""
        return Times(self.usual + usual, self.low + low, self.high + high)


START = Times(0, 0, 0)
