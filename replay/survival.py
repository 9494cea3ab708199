"""How long answers take when some were never waited for: the Kaplan-Meier estimate.

E. L. Kaplan, P. Meier, "Nonparametric Estimation from Incomplete Observations", JASA 53 (1958);
the variance is Greenwood's. A call its caller gave up on is censored at the time of giving up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from analyzer.statistics.proportions import wilson

PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """The share of calls answered by a limit, of those not answered after some time.

    In millionths, with a 95 % interval; `at_risk` calls were known to last longer than that time,
    `answered` of them within the limit. `beyond` says that nobody waited as long as the limit, so
    that the share may be higher.
    """

    share_ppm: int
    low_ppm: int
    high_ppm: int
    at_risk: int
    answered: int
    beyond: bool


def answered_by(
    answered_ns: Sequence[int], censored_ns: Sequence[int], after_ns: int, limit_ns: int
) -> Waited | None:
    """Estimate the share answered in (after, limit] of those unanswered after `after_ns`; None
    when no call is known to have lasted longer."""
    events = sorted(value for value in answered_ns if value > after_ns)
    lost = sorted(value for value in censored_ns if value > after_ns)
    at_risk = len(events) + len(lost)
    if not at_risk:
        return None
    left = Fraction(1)
    variance = Fraction(0)
    for moment in sorted({value for value in events if value <= limit_ns}):
        risk = sum(value >= moment for value in events) + sum(value >= moment for value in lost)
        died = events.count(moment)
        left *= Fraction(risk - died, risk)
        if risk > died:
            variance += Fraction(died, risk * (risk - died))
    share = 1 - left
    # Greenwood's variance is that of a plain share among so many calls.
    effective = at_risk
    if variance and 0 < left < 1:
        effective = max(1, int(share * left / (left * left * variance)))
    interval = wilson(round(share * effective), effective)
    low, high = (0.0, 1.0) if interval is None else (interval.low, interval.high)
    beyond = max([*events, *lost]) < limit_ns and left > 0
    return Waited(
        share_ppm=int(share * PPM),
        low_ppm=int(low * PPM),
        high_ppm=PPM if beyond else min(PPM, int(high * PPM) + 1),
        at_risk=at_risk,
        answered=sum(value <= limit_ns for value in events),
        beyond=beyond,
    )
