"""A moment on the virtual clock: the usual one and its bounds."""

from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple

from replay.infer.timing import Span3
from replay.infer.view import Node


class Times(NamedTuple):
    """Whole nanoseconds since the flow's start."""

    usual: int
    low: int
    high: int

    @classmethod
    def latest(cls, moments: Sequence["Times"]) -> "Times":
        """Give the moment when all have come; the flow's start if there are none."""
        if not moments:
            return _START
        if len(moments) == 1:
            return moments[0]
        usual, low, high = moments[0]
        for moment in moments:
            if moment.usual > usual:
                usual = moment.usual
            if moment.low > low:
                low = moment.low
            if moment.high > high:
                high = moment.high
        return cls(usual, low, high)

    @classmethod
    def earliest(cls, moments: Sequence["Times"]) -> "Times":
        """Give the moment when one of several has come."""
        return cls(*map(min, zip(*moments, strict=True)))

    @classmethod
    def end_of(cls, node: Node) -> "Times":
        """Give the end of a node that has run."""
        return cls(node.end, node.low, node.high)

    def plus(self, span: Span3) -> "Times":
        """Go on by a wait; waits of several steps are hardly ever all long, or all short."""
        usual = self.usual + span.usual
        below = isqrt((self.usual - self.low) ** 2 + (span.usual - span.low) ** 2)
        above = isqrt((self.high - self.usual) ** 2 + (span.high - span.usual) ** 2)
        return Times(usual, usual - below, usual + above)

    def later(self, usual: int, low: int, high: int) -> "Times":
        """Go on by a wait given in three numbers."""
        return Times(self.usual + usual, self.low + low, self.high + high)


_START = Times(0, 0, 0)
