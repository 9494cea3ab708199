"""Which facts set the selected flows apart from the baseline.

A value is borne or not; each is tested by Fisher's exact test, or Pearson's where counts are large
enough for it; a number by the test of Kolmogorov and Smirnov. All tests count towards the false
discovery rate (Benjamini and Hochberg), facts that are too rare or too common to ever tell are
left out before, by their margins alone. What is left is ranked by its contribution to the
Jensen-Shannon divergence of the groups. Facts that say the same of the same flows (Cramer's
V > 0.95) are one difference with twins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import log2
from typing import Final

from analyzer.contrast.difference import Contrast, Difference, Term
from analyzer.contrast.facts import Attribute, Facts
from analyzer.contrast.kolmogorov import kolmogorov_smirnov
from analyzer.statistics.intervals import Interval
from analyzer.statistics.proportions import newcombe
from analyzer.statistics.tables import benjamini_hochberg, chi_squared, fisher_exact

CONJUNCTIONS_OF: Final = 20
TWIN_V: Final = (19, 20)
"""Cramer's V above which two facts count as one, as a ratio."""
EXPECTED_MIN: Final = 5
"""Cochran's rule: below this expected count in a cell the exact test is made."""
BEARERS_MIN: Final = 2
P_MIN: Final = 1e-20
"""Smaller p-values are not told apart: the tests do not compute them to the end."""
DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastSettings:
    """`q_max` is the false discovery rate that is accepted."""

    q_max: float = 0.05
    compared_max: int = 500
    """Differences beyond this rank are not looked at for twins, and not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """How many flows, and which bits are the selected."""

    selected: int
    baseline: int

    @property
    def mask(self) -> int:
        return (1 << self.selected) - 1

    @property
    def total(self) -> int:
        return self.selected + self.baseline

    def counts(self, mask: int) -> tuple[int, int]:
        """Bits among the selected and among the others."""
        selected = (mask & self.mask).bit_count()
        return selected, mask.bit_count() - selected


def contrast(facts: Facts, n_selected: int, settings: ContrastSettings | None = None) -> Contrast:
    """Compare the first `n_selected` flows of the facts with the others."""
    settings = settings or ContrastSettings()
    sizes = _Sizes(selected=n_selected, baseline=facts.flows - n_selected)
    if not sizes.selected or not sizes.baseline:
        return Contrast(n_selected=sizes.selected, n_baseline=sizes.baseline, ids=facts.ids)
    tested, too_rare = _tested(facts, sizes)
    graded = _with_q(tested)
    found = sorted((one for one in graded if one.q_value <= settings.q_max), key=_rank)
    told = found[: settings.compared_max]
    merged = _merged(told, sizes)
    pairs = _conjunctions(merged, facts.known, sizes, settings)
    return Contrast(
        n_selected=sizes.selected,
        n_baseline=sizes.baseline,
        differences=[
            replace(one, difference=_interval(one)) for one in sorted([*merged, *pairs], key=_rank)
        ],
        tested=len(tested),
        too_rare=too_rare,
        ids=facts.ids,
        not_told=len(found) - len(told),
    )


def _rank(one: Difference) -> tuple[object, ...]:
    """Strongest first; of equals the one that is more frequent, then by name."""
    return (-round(one.score, DIGITS), not one.more, [term.sort_key for term in one.terms])


def _tested(facts: Facts, sizes: _Sizes) -> tuple[list[Difference], int]:
    tested = []
    too_rare = 0
    for (attribute, value), mask in sorted(facts.values.items()):
        bearers = mask.bit_count()
        if not BEARERS_MIN <= bearers <= sizes.total - BEARERS_MIN:
            too_rare += 1
            continue
        term = Term(attribute=attribute, value=value)
        p_value = _p_value(*sizes.counts(mask), sizes.selected, sizes.baseline)
        tested.append(_difference([term], mask, p_value, facts.known, sizes))
    for attribute, numbers in sorted(facts.numbers.items()):
        gap = kolmogorov_smirnov(
            [number for place, number in sorted(numbers.items()) if place < sizes.selected],
            [number for place, number in sorted(numbers.items()) if place >= sizes.selected],
        )
        if gap is None:
            too_rare += 1
            continue
        term = Term(attribute=attribute, value=f"> {gap.threshold:.12g}", above=gap.threshold)
        mask = sum(1 << place for place, number in numbers.items() if number > gap.threshold)
        tested.append(_difference([term], mask, max(P_MIN, gap.p_value), facts.known, sizes))
    return tested, too_rare


def _p_value(selected: int, baseline: int, n_selected: int, n_baseline: int) -> float:
    a, b, c, d = selected, n_selected - selected, baseline, n_baseline - baseline
    smallest = min(n_selected, n_baseline) * min(a + c, b + d)
    if smallest >= EXPECTED_MIN * (n_selected + n_baseline):
        p_value = chi_squared(a, b, c, d)
        assert p_value is not None, "no margin is empty where all expected counts are large"
        return max(P_MIN, p_value)
    return max(P_MIN, fisher_exact(a, b, c, d))


def _difference(
    terms: Sequence[Term],
    mask: int,
    p_value: float,
    known: Mapping[Attribute, int],
    sizes: _Sizes,
) -> Difference:
    selected, baseline = sizes.counts(mask)
    recorded = (1 << sizes.total) - 1
    for term in terms:
        recorded &= known.get(term.attribute, 0)
    known_selected, known_baseline = sizes.counts(recorded)
    return Difference(
        terms=terms,
        selected=selected,
        baseline=baseline,
        n_selected=sizes.selected,
        n_baseline=sizes.baseline,
        known_selected=known_selected,
        known_baseline=known_baseline,
        p_value=p_value,
        q_value=p_value,
        score=_divergence(selected / sizes.selected, baseline / sizes.baseline),
        mask=mask,
    )


def _interval(one: Difference) -> Interval | None:
    return newcombe(one.selected, one.n_selected, one.baseline, one.n_baseline)


def _with_q(tested: Sequence[Difference]) -> list[Difference]:
    q_values = benjamini_hochberg([one.p_value for one in tested])
    return [replace(one, q_value=q) for one, q in zip(tested, q_values, strict=True)]


def _divergence(share: float, base: float) -> float:
    """Jensen-Shannon divergence of two shares, 0 to 1 bit (J. Lin 1991)."""
    return _entropy((share + base) / 2) - (_entropy(share) + _entropy(base)) / 2


def _entropy(share: float) -> float:
    return -sum(part * log2(part) for part in (share, 1 - share) if part > 0)


def _merged(ranked: Sequence[Difference], sizes: _Sizes) -> list[Difference]:
    """One difference for all that hold in nearly the same flows, or in nearly all others."""
    kept: list[Difference] = []
    twins: list[list[tuple[bool, Term]]] = []
    for one in ranked:
        for place, other in enumerate(kept):
            same = _twins(one.mask, other.mask, sizes.total)
            if same is not None:
                twins[place].extend((same, term) for term in one.terms)
                break
        else:
            kept.append(one)
            twins.append([])
    return [replace(one, twins=tuple(found)) for one, found in zip(kept, twins, strict=True)]


def _twins(mask: int, other: int, total: int) -> bool | None:
    """Whether two facts are one: True when they hold together, False when one excludes the other,
    None when they are two. Exact: V^2 is a ratio of integers."""
    both, one, two = (mask & other).bit_count(), mask.bit_count(), other.bit_count()
    covariance = total * both - one * two
    spread = one * (total - one) * two * (total - two)
    above, below = TWIN_V
    if covariance * covariance * below * below <= above * above * spread:
        return None
    return covariance > 0


def _conjunctions(
    ranked: Sequence[Difference],
    known: Mapping[Attribute, int],
    sizes: _Sizes,
    settings: ContrastSettings,
) -> list[Difference]:
    """Pairs of the strongest differences that say more together than each alone.

    Each part must still tell among the flows that bear the other one: the larger of the two
    p-values counts.
    """
    strongest = [one for one in ranked if one.more][:CONJUNCTIONS_OF]
    pairs = []
    for first, second in combinations(strongest, 2):
        if first.terms[0].attribute == second.terms[0].attribute:
            continue
        p_value = max(_within(first, second, sizes), _within(second, first, sizes))
        terms = sorted([*first.terms, *second.terms], key=lambda term: term.sort_key)
        pairs.append(_difference(terms, first.mask & second.mask, p_value, known, sizes))
    alone = {tuple(one.terms): one.score for one in strongest}
    return [
        pair
        for pair in _with_q(pairs)
        if pair.q_value <= settings.q_max
        and pair.more
        and pair.score > max(alone[(term,)] for term in pair.terms)
    ]


def _within(part: Difference, other: Difference, sizes: _Sizes) -> float:
    """The p-value of a part among the flows that bear the other, 1 where it is no more frequent."""
    n_selected, n_baseline = sizes.counts(other.mask)
    selected, baseline = sizes.counts(part.mask & other.mask)
    if selected * n_baseline <= baseline * n_selected:
        return 1.0
    return _p_value(selected, baseline, n_selected, n_baseline)
