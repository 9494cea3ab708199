"""Counters that never fall, out of counts that can.

What a store holds can shrink (purge) or be judged anew (late data). A counter rises by what the
count rose since it was last looked at, and stays where the count fell. So after a purge it goes on,
and a flow that was good and turned bad adds to bad without leaving good: rates are of what was said
when it was said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """`total` is what is told, `seen` the count it was last brought up to."""

    total: Fraction = Fraction(0)
    seen: Fraction = Fraction(0)

    def up_to(self, count: Fraction) -> "Counter":
        """The counter after one more look."""
        return Counter(total=self.total + max(Fraction(0), count - self.seen), seen=count)


Key = tuple[str, str, str]
"""SLO, service, result."""


def advanced(counters: Mapping[Key, Counter], counts: Mapping[Key, Fraction]) -> dict[Key, Counter]:
    """The counters brought up to these counts; those of an SLO that is gone are kept."""
    return dict(
        sorted(
            {
                **counters,
                **{key: counters.get(key, Counter()).up_to(it) for key, it in counts.items()},
            }.items()
        )
    )
