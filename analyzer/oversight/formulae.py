"""The formulae behind the metrics, over plain numbers."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, fsum, lgamma, log, log2

TERMS_MAX = 65_536
"""Terms that are kept: resamples of the same data ask for the same few again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A bin of a reliability table: how sure the decisions were, and how often they were right."""

    n: int
    confidence: float
    accuracy: float
    low: float
    high: float


def brier(pairs: Sequence[tuple[float, bool]]) -> float:
    """The mean squared difference of confidence and outcome (G. W. Brier 1950)."""
    return fsum((confidence - right) ** 2 for confidence, right in pairs) / len(pairs)


def brier_skill(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """1 - Brier / (ȳ(1-ȳ)): 0 is as good as the base rate. None when all are alike."""
    share = sum(right for _, right in pairs) / len(pairs)
    base = share * (1 - share)
    return 1 - brier(pairs) / base if base else None


def equal_mass_bins(pairs: Sequence[tuple[float, bool]], bins: int) -> list[Bin]:
    """Bins of as many decisions each, by confidence; equal confidences stay in one bin."""
    ordered = sorted(pairs)
    found: list[Bin] = []
    start = 0
    for number in range(1, bins + 1):
        end = len(ordered) * number // bins
        if end <= start:
            continue
        while end < len(ordered) and ordered[end][0] == ordered[end - 1][0]:
            end += 1
        part = ordered[start:end]
        found.append(
            Bin(
                n=len(part),
                confidence=fsum(confidence for confidence, _ in part) / len(part),
                accuracy=sum(right for _, right in part) / len(part),
                low=part[0][0],
                high=part[-1][0],
            )
        )
        start = end
    return found


def calibration_error(bins: Sequence[Bin]) -> float:
    """Σ n_b/n · |accuracy - confidence| (M. P. Naeini and others 2015)."""
    total = sum(it.n for it in bins)
    return fsum(it.n / total * abs(it.accuracy - it.confidence) for it in bins)


def debiased_squared_error(bins: Sequence[Bin]) -> float:
    """Σ n_b/n · ((accuracy - confidence)² - accuracy(1-accuracy)/(n_b-1)).

    The plug-in estimate of the squared error is too large by the variance of the accuracies
    (A. Kumar, P. Liang, T. Ma 2019, section 5). It may be below 0. Bins of one are left out.
    """
    several = [it for it in bins if it.n > 1]
    total = sum(it.n for it in several)
    return fsum(
        it.n / total
        * ((it.accuracy - it.confidence) ** 2 - it.accuracy * (1 - it.accuracy) / (it.n - 1))
        for it in several
    )  # fmt: skip


def psi(counts: Sequence[int], base: Sequence[int]) -> float:
    """Σ (a_i - e_i) ln(a_i / e_i), each count with 0.5 added, so that no bin is empty."""
    n = 2 * sum(counts) + len(counts)
    m = 2 * sum(base) + len(base)
    return fsum(
        _moved(2 * count + 1, n, 2 * other + 1, m)
        for count, other in zip(counts, base, strict=True)
    )


@lru_cache(maxsize=TERMS_MAX)
def _moved(count: int, n: int, other: int, m: int) -> float:
    share, expected = count / n, other / m
    return (share - expected) * log(share / expected)


def jensen_shannon(counts: Sequence[int], base: Sequence[int]) -> float:
    """½ KL(P, M) + ½ KL(Q, M) with M = (P + Q)/2, in bits: 0 is alike, 1 has nothing in common.

    Counts of the same kinds in the same order.
    """
    n, m = sum(counts), sum(base)
    found = (_apart(count, n, other, m) for count, other in zip(counts, base, strict=True))
    return max(0.0, fsum(found))


@lru_cache(maxsize=TERMS_MAX)
def _apart(count: int, n: int, other: int, m: int) -> float:
    p, q = count / n, other / m
    middle = (p + q) / 2
    return fsum(part * log2(part / middle) / 2 for part in (p, q) if part)


def decile_edges(values: Sequence[float], bins: int = 10) -> list[float]:
    """The values that part a sample into as many equal parts; equal edges fall together."""
    ordered = sorted(values)
    return sorted({ordered[len(ordered) * number // bins] for number in range(1, bins)})


def bin_of(value: float, edges: Sequence[float]) -> int:
    """Which bin a value lies in: 0 before the first edge, the last one from the last edge on."""
    return bisect_right(edges, value)


def chi_squared_fit(observed: Sequence[int], shares: Sequence[float]) -> float:
    """The p-value of Pearson's test that counts follow these shares, which sum to 1."""
    total = sum(observed)
    statistic = fsum(
        (count - total * share) ** 2 / (total * share)
        for count, share in zip(observed, shares, strict=True)
    )
    return chi_squared_tail(statistic, len(observed) - 1)


def chi_squared_tail(statistic: float, freedom: int) -> float:
    """P(X² ≥ statistic), by the series of the lower incomplete gamma function (NIST DLMF 8.7.1)."""
    half, shape = statistic / 2, freedom / 2
    if half <= 0:
        return 1.0
    if half > 500 + shape:
        return 0.0
    term = total = 1 / shape
    place = shape
    while term > total * 1e-17:
        place += 1
        term *= half / place
        total += term
    lower = total * exp(-half + shape * log(half) - lgamma(shape))
    return min(1.0, max(0.0, 1 - lower))
