"""Whether confidence is what it claims: Brier score, and calibration error over equal-mass bins.

Needs labels learned later; `n` counts decisions with confidence and label. Below the least number
of them it is insufficient: the error of few is mostly chance. Even of many, perfect confidence has
an error above 0: value and interval have the part of chance taken off (the debiased estimate of A.
Kumar, P. Liang, T. Ma 2019), and the p-value is of labels drawn from the confidences (J. Bröcker,
L. A. Smith 2007).
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import fsum

import numpy as np

from analyzer.oversight.formulae import (
    Bin,
    brier,
    brier_skill,
    calibration_error,
    debiased_squared_error,
    equal_mass_bins,
)
from analyzer.oversight.labels import was_right
from analyzer.oversight.measure import Case, Measure, Metric, nothing
from analyzer.oversight.resampling import (
    Sureness,
    bootstrap,
    seed_of,
    sureness,
    with_replacement,
    within_reach,
    words,
)
from store.model import JsonValue

NAME = "calibration"
DRAW_BITS = 53
"""Of 64 drawn bits as many as a double has: so a share is compared with a draw exactly."""


def _measure(case: Case) -> Sequence[Measure]:
    settings = case.settings
    pairs: list[tuple[float, bool]] = []
    for it in case.decisions:
        right = was_right(it, settings)
        if it.confidence is not None and 0 <= it.confidence <= 1 and right is not None:
            pairs.append((it.confidence, right))
    unknown = len(case.decisions) - len(pairs)
    least = max(1, settings.calibration_n_min)
    if len(pairs) < least:
        need = f"needs {least} decisions with confidence and a label"
        return [
            nothing(f"{NAME}.{name}", "score", need, n=len(pairs), unknown=unknown)
            for name in ("brier", "error")
        ]
    pairs.sort()
    bins = equal_mass_bins(pairs, settings.calibration_bins)
    squares = np.array([(confidence - right) ** 2 for confidence, right in pairs])
    of_score = bootstrap(
        pairs, lambda places: fsum(squares[places]) / len(squares), settings.resamples
    )
    of_error = _sureness(pairs, bins, settings.resamples)
    skill = brier_skill(pairs)
    told: list[JsonValue] = [_row(it) for it in bins]
    return [
        Measure(
            metric=f"{NAME}.brier", unit="score", value=brier(pairs), n=len(pairs),
            unknown=unknown, low=of_score.low, high=of_score.high,
            note=f"0 is best; {_skilled(skill)}",
            detail={"skill": skill},
        ),
        Measure(
            metric=f"{NAME}.error", unit="score", value=of_error.value, n=len(pairs),
            unknown=unknown, low=of_error.low, high=of_error.high,
            note=f"{of_error.as_counted:.2g} as counted, perfect confidence would show "
            f"{of_error.by_chance:.2g}, p {of_error.p_value:.3g}",
            detail={
                "bins": told,
                "largest_gap": max(abs(it.accuracy - it.confidence) for it in bins),
                "squared_debiased": debiased_squared_error(bins),
                "as_counted": of_error.as_counted,
                "by_chance": of_error.by_chance,
                "p_value": of_error.p_value,
            },
        ),
    ]  # fmt: skip


def _sureness(pairs: Sequence[tuple[float, bool]], bins: Sequence[Bin], wanted: int) -> Sureness:
    """How sure the error is, over these bins: labels drawn from confidences, and decisions drawn.

    In a bin the error is |Σ right - Σ confidence|, over all decisions together divided by n.
    """
    n = len(pairs)
    seed, rows = seed_of(pairs), within_reach(wanted, n)
    edges = [0, *accumulate(it.n for it in bins)]
    place = np.repeat(np.arange(len(bins)), [it.n for it in bins])
    sure = np.array([confidence for confidence, _ in pairs])
    right = np.array([right for _, right in pairs])

    def error(hits: Sequence[float], sums: Sequence[float]) -> float:
        return fsum(abs(hit - total) for hit, total in zip(hits, sums, strict=True)) / n

    limits = np.array([int(confidence * 2**DRAW_BITS) for confidence, _ in pairs], dtype=np.uint64)
    labels = words(seed + b"labels", rows, n) >> np.uint64(64 - DRAW_BITS) < limits
    hits = np.add.reduceat(labels.astype(np.int64), edges[:-1], axis=1)
    expected = [fsum(sure[start:end]) for start, end in pairwise(edges)]
    by_chance = [error(row, expected) for row in hits.tolist()]
    drawn = []
    for row in with_replacement(seed, rows, n):
        among = place[row]
        drawn.append(
            error(
                np.bincount(among, weights=right[row], minlength=len(bins)).tolist(),
                np.bincount(among, weights=sure[row], minlength=len(bins)).tolist(),
            )
        )
    return sureness(calibration_error(bins), by_chance, drawn)


def _skilled(skill: float | None) -> str:
    if skill is None:
        return "all labels are alike, so the base rate says nothing"
    word = "more" if skill >= 0 else "less"
    return f"tells {abs(skill):.0%} {word} than the base rate alone"


def _row(it: Bin) -> dict[str, JsonValue]:
    return {
        "n": it.n, "confidence": it.confidence, "accuracy": it.accuracy, "low": it.low,
        "high": it.high,
    }  # fmt: skip


METRIC = Metric(name=NAME, title="whether confidence is what it claims", measure=_measure)
