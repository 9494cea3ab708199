"""How an estimate is written: its value, its interval, how many it is of, what is unknown."""

from fractions import Fraction

from analyzer.sagas.measures import Share
from dashboards.wording import plural


def percent(value: float | Fraction | None, digits: int = 1) -> str:
    """`93.3 %`; never 100 % or 0 % unless it is, and a dash where nothing is known."""
    if value is None:
        return "–"
    exact = Fraction(value) * 100
    if exact in (0, 100):
        return f"{int(exact)} %"
    least = Fraction(1, 10**digits)
    shown = min(max(exact, least), 100 - least) if 0 < exact < 100 else exact
    return f"{'−' if shown < 0 else ''}{float(abs(shown)):,.{digits}f} %"


def interval(low: float | Fraction | None, high: float | Fraction | None) -> str:
    """`91.0 % to 95.2 %`, or "" where there is none."""
    return "" if low is None or high is None else f"{percent(low)} to {percent(high)}"


def share_scope(share: Share, noun: str) -> str:
    """What a share is of, with its interval: `12 of 40 flows, 95 %: 18.1 % to 45.4 %`."""
    bounds = share.interval
    parts = [f"{share.hits:,} of {plural(share.n, noun)}" if share.n else f"no {noun} to judge"]
    if bounds is not None and share.n:
        parts.append(f"95 %: {interval(bounds.low, bounds.high)}")
    parts.append(f"{share.unknown:,} unknown")
    return "; ".join(parts)
