"""Whether confidence is what it claims: Brier score, and calibration error over equal-mass bins.

Needs labels learned later; `n` counts decisions with confidence and label. Below the least number
of them it is insufficient: the error of few is mostly chance.
"""

from collections.abc import Sequence

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
from analyzer.oversight.resampling import bootstrap
from store.model import JsonValue

NAME = "calibration"


def _measure(case: Case) -> Sequence[Measure]:
    settings = case.settings
    pairs: list[tuple[float, bool]] = []
    for it in case.decisions:
        right = was_right(it, settings)
        if it.confidence is not None and 0 <= it.confidence <= 1 and right is not None:
            pairs.append((it.confidence, right))
    unknown = len(case.decisions) - len(pairs)
    need = f"needs {settings.calibration_n_min} decisions with confidence and a label"
    if len(pairs) < settings.calibration_n_min:
        return [
            nothing(f"{NAME}.{name}", "score", need, n=len(pairs), unknown=unknown)
            for name in ("brier", "error")
        ]
    bins = equal_mass_bins(pairs, settings.calibration_bins)

    def error(chosen: Sequence[int]) -> float:
        drawn = [pairs[at] for at in chosen]
        return calibration_error(equal_mass_bins(drawn, settings.calibration_bins))

    def score(chosen: Sequence[int]) -> float:
        return brier([pairs[at] for at in chosen])

    told: list[JsonValue] = [_row(it) for it in bins]
    of_error = bootstrap(pairs, error, settings.resamples)
    of_score = bootstrap(pairs, score, settings.resamples)
    gap = max(abs(it.accuracy - it.confidence) for it in bins)
    return [
        Measure(
            metric=f"{NAME}.brier", unit="score", value=brier(pairs), n=len(pairs),
            unknown=unknown, low=of_score.low, high=of_score.high,
            note="0 is best; skill 0 is as good as the base rate",
            detail={"skill": brier_skill(pairs)},
        ),
        Measure(
            metric=f"{NAME}.error", unit="score", value=calibration_error(bins), n=len(pairs),
            unknown=unknown, low=of_error.low, high=of_error.high,
            note="resampling adds to it; squared_debiased at or below 0 is no miscalibration seen",
            detail={
                "bins": told,
                "largest_gap": gap,
                "squared_debiased": debiased_squared_error(bins),
            },
        ),
    ]  # fmt: skip


def _row(it: Bin) -> dict[str, JsonValue]:
    return {
        "n": it.n, "confidence": it.confidence, "accuracy": it.accuracy, "low": it.low,
        "high": it.high,
    }  # fmt: skip


METRIC = Metric(name=NAME, title="whether confidence is what it claims", measure=_measure)
