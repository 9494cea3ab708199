"""A version against the one before it: what got worse, by how much, how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from typing import Final

from analyzer.releases.arms import Arm, ArmCounts, Pair
from analyzer.releases.settings import ReleaseSettings
from analyzer.statistics.proportions import newcombe, wilson
from analyzer.statistics.quantiles import quantile_ranks
from analyzer.statistics.ranks import mann_whitney_counts
from analyzer.statistics.tables import benjamini_hochberg, fisher_exact

Q_MAX: Final = 0.05
VARIANTS_TOLD_MAX: Final = 10
QUANTILES: Final = (("latency_p95", Fraction(95, 100)), ("latency_p50", Fraction(1, 2)))


class ReleaseVerdict(StrEnum):
    """What a comparison says of a release."""

    FAIL = "fail"
    INSUFFICIENT = "insufficient"
    PASS = "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of both sides. Of a share: `baseline` and `candidate` are shares of `n` units,
    `low` and `high` bound their difference (Newcombe). Of a latency: nanoseconds, and `low` and
    `high` bound the quotient (from both order-statistic intervals). `p_value` is Fisher's or Mann
    and Whitney's, `q_value` controls the false discovery rate over the whole report."""

    metric: str
    verdict: ReleaseVerdict
    unit: str
    baseline: float | None
    baseline_n: int
    candidate: float | None
    candidate_n: int
    low: float | None
    high: float | None
    p_value: float | None
    q_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A structure of flows the baseline never had; `high` bounds its share there from above."""

    variant: str
    n: int
    total: int
    baseline_n: int
    high: float
    example_flow_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All measures of one pair. The verdict is the worst of them."""

    pair: Pair
    verdict: ReleaseVerdict
    reason: str
    measures: Sequence[Measure]
    new_variants: Sequence[NewVariant]


def compare_all(
    pairs: Sequence[Pair], counts: Mapping[Arm, ArmCounts], settings: ReleaseSettings
) -> list[Comparison]:
    """Each pair compared; what all tests together may claim is settled here."""
    nothing = ArmCounts()
    measured = [
        _measures(counts.get(pair.baseline, nothing), counts.get(pair.candidate, nothing), settings)
        for pair in pairs
    ]
    tested = [one.p_value for several in measured for one in several if one.p_value is not None]
    q_values = iter(benjamini_hochberg(tested))
    compared = []
    for pair, several in zip(pairs, measured, strict=True):
        settled = [one if one.p_value is None else _settled(one, next(q_values)) for one in several]
        base, mine = counts.get(pair.baseline, nothing), counts.get(pair.candidate, nothing)
        compared.append(_comparison(pair, base, mine, settled, settings))
    return compared


def _comparison(
    pair: Pair,
    base: ArmCounts,
    mine: ArmCounts,
    measures: list[Measure],
    settings: ReleaseSettings,
) -> Comparison:
    sampled = base.tally.unknown_sampling + mine.tally.unknown_sampling
    if sampled:
        measures = [replace(one, verdict=ReleaseVerdict.INSUFFICIENT) for one in measures]
    order = list(ReleaseVerdict)
    worst = min((one.verdict for one in measures), key=order.index, default=order[1])
    least = min(base.tally.n, mine.tally.n)
    if sampled:
        reason = f"{sampled} flows were sampled in an unknown way, so shares say nothing"
    elif least < settings.n_min:
        reason = f"{least} units on one side, at least {settings.n_min} are needed"
    else:
        told = [one for one in measures if one.verdict is worst]
        reason = "; ".join(map(_said, told)) or "nothing could be measured"
        if worst is ReleaseVerdict.INSUFFICIENT:
            reason += "; too few to rule out a difference that matters"
        if pair.design == "sequential" and worst is ReleaseVerdict.FAIL:
            reason += "; they ran one after the other, so other changes of that time count too"
    return Comparison(
        pair=pair,
        verdict=worst,
        reason=reason,
        measures=tuple(measures),
        new_variants=tuple(_new_variants(base, mine)),
    )


def _measures(base: ArmCounts, mine: ArmCounts, settings: ReleaseSettings) -> list[Measure]:
    found = [
        _share(
            "failed", base.tally.failed, base.tally.failed_known,
            mine.tally.failed, mine.tally.failed_known, settings,
        )
    ]  # fmt: skip
    if base.tally.unsound_known or mine.tally.unsound_known:
        found.append(
            _share(
                "unsound", base.tally.unsound, base.tally.unsound_known,
                mine.tally.unsound, mine.tally.unsound_known, settings,
            )
        )  # fmt: skip
    found.append(_latency(base.durations, mine.durations, settings))
    return found


def _share(
    metric: str, base: int, base_n: int, mine: int, n: int, settings: ReleaseSettings
) -> Measure:
    interval = newcombe(mine, n, base, base_n)
    verdict = ReleaseVerdict.INSUFFICIENT
    if interval is not None and min(n, base_n) >= settings.n_min:
        worse = Fraction(mine, n) - Fraction(base, base_n)
        if interval.low > 0 and worse >= Fraction(str(settings.share_worse_min)):
            verdict = ReleaseVerdict.FAIL
        elif interval.high <= settings.share_margin:
            verdict = ReleaseVerdict.PASS
    return Measure(
        metric=metric,
        verdict=verdict,
        unit="share",
        baseline=base / base_n if base_n else None,
        baseline_n=base_n,
        candidate=mine / n if n else None,
        candidate_n=n,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        # Without a bad unit on either side there is nothing to test, so nothing to correct for.
        p_value=fisher_exact(mine, n - mine, base, base_n - base)
        if interval is not None and mine + base
        else None,
    )


def _latency(
    base: Mapping[int, int], mine: Mapping[int, int], settings: ReleaseSettings
) -> Measure:
    """The highest quantile both sides bound on both ends: 95 % from 72 units, else the median."""
    base_n, n = sum(base.values()), sum(mine.values())
    tested = mann_whitney_counts(mine, base)
    for metric, quantile in QUANTILES:
        bounds = [_quantile(values, quantile) for values in (base, mine)]
        (was, was_low, was_high), (now, now_low, now_high) = bounds
        if was_low and was_high and now_low and now_high and was and now:
            least, most = now_low / was_high, now_high / was_low
            verdict = ReleaseVerdict.INSUFFICIENT
            if min(n, base_n) >= settings.n_min:
                if least > 1 and now / was >= settings.latency_worse_min:
                    verdict = ReleaseVerdict.FAIL
                elif most <= settings.latency_margin:
                    verdict = ReleaseVerdict.PASS
            return Measure(
                metric=metric, verdict=verdict, unit="ns", baseline=was, baseline_n=base_n,
                candidate=now, candidate_n=n, low=least, high=most,
                p_value=None if tested is None else tested.p_value,
            )  # fmt: skip
    return Measure(
        metric=QUANTILES[-1][0], verdict=ReleaseVerdict.INSUFFICIENT, unit="ns", baseline=None,
        baseline_n=base_n, candidate=None, candidate_n=n, low=None, high=None, p_value=None,
    )  # fmt: skip


def _quantile(
    durations: Mapping[int, int], quantile: Fraction
) -> tuple[int | None, int | None, int | None]:
    """The quantile and the bounds of its interval, None where so few values give none."""
    values = sorted(durations)
    reached = list(accumulate(durations[value] for value in values))
    if not reached:
        return None, None, None
    ranks = quantile_ranks(reached[-1], quantile)

    def at(rank: int | None) -> int | None:
        if rank is None:
            return None
        return next(value for value, upto in zip(values, reached, strict=True) if rank <= upto)

    return at(ranks.rank), at(ranks.low), at(ranks.high)


def _settled(measure: Measure, q_value: float) -> Measure:
    """A failed share must stand against the other tests of the report too. A latency fails by two
    intervals that do not meet, which is stricter than its test."""
    unproven = measure.verdict is ReleaseVerdict.FAIL and q_value > Q_MAX
    verdict = (
        ReleaseVerdict.INSUFFICIENT if unproven and measure.unit == "share" else measure.verdict
    )
    return replace(measure, q_value=q_value, verdict=verdict)


def _new_variants(base: ArmCounts, mine: ArmCounts) -> list[NewVariant]:
    base_n, total = sum(base.variants.values()), sum(mine.variants.values())
    none_of_base = wilson(0, base_n)
    if none_of_base is None:
        return []
    new = [
        NewVariant(
            variant=variant,
            n=n,
            total=total,
            baseline_n=base_n,
            high=none_of_base.high,
            example_flow_id=mine.examples[variant],
        )
        for variant, n in mine.variants.items()
        if variant not in base.variants
    ]
    return sorted(new, key=lambda one: (-one.n, one.variant))[:VARIANTS_TOLD_MAX]


def _said(measure: Measure) -> str:
    """`unsound 0.0 % of 160 → 19.4 % of 170`."""
    if measure.baseline is None or measure.candidate is None:
        return f"{measure.metric}: too few values"
    if measure.unit == "share":
        return (
            f"{measure.metric} {measure.baseline:.1%} of {measure.baseline_n} → "
            f"{measure.candidate:.1%} of {measure.candidate_n}"
        )
    return (
        f"{measure.metric} {measure.baseline / 1e6:.4g} ms (n={measure.baseline_n}) → "
        f"{measure.candidate / 1e6:.4g} ms (n={measure.candidate_n})"
    )
