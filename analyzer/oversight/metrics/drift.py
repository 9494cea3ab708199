"""How far each model's confidence and choices moved: from its first version on, and in time.

PSI of confidence over the baseline's deciles, Jensen-Shannon divergence of what was chosen. In time
each version is compared with itself, its first half with its second, so that a roll-out is no
drift. Both distances are above 0 by chance alone: value and interval have the part of chance taken
off, and the p-value is of a permutation test (the usual limits of 0.1 and 0.25 are folklore).
"""

from collections.abc import Sequence

from analyzer.oversight.formulae import bin_of, decile_edges, jensen_shannon, psi
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, nothing
from analyzer.oversight.resampling import Distance, distance_of_counts

NAME = "drift"
IN_TIME = "first half → second half"
UNNAMED = "?"


def _measure(case: Case) -> Sequence[Measure]:
    models: dict[str, dict[str, list[Joined]]] = {}
    for it in case.decisions:
        versions = models.setdefault(it.decision.model_name or UNNAMED, {})
        versions.setdefault(it.decision.model_version or UNNAMED, []).append(it)
    found: list[Measure] = []
    for model, versions in models.items():
        first, *later = versions
        for version, among in versions.items():
            dated = [it for it in among if it.dated]
            half = len(dated) // 2
            named = "of no named model" if model == UNNAMED else f"{model}@{version}"
            about = f"{named}, {IN_TIME}"
            undated = len(among) - len(dated)
            found += _compared(case, about, dated[:half], dated[half:], undated)
        if model != UNNAMED:
            for version in later:
                about = f"{model}@{first} → {model}@{version}"
                found += _compared(case, about, versions[first], versions[version], 0)
    return found or [nothing(f"{NAME}.confidence", "score", "no decision")]


def _compared(
    case: Case, about: str, base: Sequence[Joined], later: Sequence[Joined], undated: int
) -> list[Measure]:
    before = [it.confidence for it in base if it.confidence is not None]
    after = [it.confidence for it in later if it.confidence is not None]
    edges = decile_edges(before) if before else []
    sure = [bin_of(value, edges) for value in (*before, *after)]
    lacking = len(base) + len(later) - len(sure)
    chosen = [it.decision.chosen for it in (*base, *later)]
    kinds = sorted(set(chosen))
    place = {kind: at for at, kind in enumerate(kinds)}
    picked = [place[one] for one in chosen]
    return [
        _distance(
            case, "confidence", about, "PSI", psi, sure, len(before), len(edges) + 1,
            undated + lacking,
        ),
        _distance(
            case, "choice", about, "Jensen-Shannon, bits", jensen_shannon, picked, len(base),
            len(kinds), undated,
        ),
    ]  # fmt: skip


def _distance(
    case: Case, what: str, compared: str, measure: str, distance: Distance, bins: Sequence[int],
    first: int, kinds: int, unknown: int,
) -> Measure:  # fmt: skip
    about = f"{compared}: {measure}"
    name, least = f"{NAME}.{what}", max(1, case.settings.comparison_n_min)
    n = len(bins)
    if min(first, n - first) < least:
        return nothing(name, "score", f"{about}; needs {least} a side", n=n, unknown=unknown)
    found = distance_of_counts(bins, first, kinds, distance, case.settings.resamples)
    return Measure(
        metric=name, unit="score", value=found.value, n=n, unknown=unknown,
        low=found.low, high=found.high,
        note=f"{about}; {found.as_counted:.2g} as counted, chance alone gives "
        f"{found.by_chance:.2g}, p {found.p_value:.3g}",
        detail={
            "p_value": found.p_value, "as_counted": found.as_counted,
            "by_chance": found.by_chance,
            "compared": compared, "measure": measure,
        },
    )  # fmt: skip


METRIC = Metric(name=NAME, title="how far confidence and choices moved", measure=_measure)
