"""How far confidence and choices moved from a model's first version to later ones, and in time.

PSI of confidence over the baseline's deciles, Jensen-Shannon divergence of what was chosen; each
with the p-value of a permutation test, because the usual limits of 0.1 and 0.25 are folklore.
"""

from collections import Counter
from collections.abc import Sequence

from analyzer.oversight.formulae import binned, decile_edges, jensen_shannon, psi
from analyzer.oversight.joined import Joined
from analyzer.oversight.measure import Case, Measure, Metric, nothing
from analyzer.oversight.resampling import permutation_p, seed_of

NAME = "drift"


def _measure(case: Case) -> Sequence[Measure]:
    models: dict[str, dict[str, list[Joined]]] = {}
    for it in case.decisions:
        if it.decision.model_name:
            versions = models.setdefault(it.decision.model_name, {})
            versions.setdefault(it.decision.model_version or "?", []).append(it)
    dated = [it for it in case.decisions if it.dated]
    half = len(dated) // 2
    found = _compared(case, "time", dated[:half], dated[half:], len(case.decisions) - len(dated))
    for model, versions in models.items():
        first, *later = versions
        for version in later:
            about = f"{model}@{first} → {model}@{version}"
            found += _compared(case, about, versions[first], versions[version])
    return found


def _compared(
    case: Case, name: str, base: Sequence[Joined], later: Sequence[Joined], undated: int = 0
) -> list[Measure]:
    least = case.settings.comparison_n_min
    note = "first half against second" if name == "time" else name
    before = [it.confidence for it in base if it.confidence is not None]
    after = [it.confidence for it in later if it.confidence is not None]
    unknown = undated + len(base) + len(later) - len(before) - len(after)
    if min(len(before), len(after)) < least:
        psi_measure = nothing(
            f"{NAME}.confidence", "score", f"{note}; needs {least} a side",
            n=len(before) + len(after), unknown=unknown,
        )  # fmt: skip
    else:
        psi_measure = _psi(case, note, before, after, unknown)
    chosen = [it.decision.chosen for it in (*base, *later)]
    if min(len(base), len(later)) < least:
        return [psi_measure, nothing(
            f"{NAME}.choice", "score", f"{note}; needs {least} a side", n=len(chosen),
            unknown=undated,
        )]  # fmt: skip
    return [psi_measure, _divergence(case, note, chosen, len(base), undated)]


def _psi(
    case: Case, note: str, before: Sequence[float], after: Sequence[float], unknown: int
) -> Measure:
    edges = decile_edges(before)
    places = [sum(value >= edge for edge in edges) for value in (*before, *after)]
    size = len(edges) + 1

    def statistic(order: Sequence[int]) -> float:
        base, later = [0] * size, [0] * size
        for rank, at in enumerate(order):
            (base if rank < len(before) else later)[places[at]] += 1
        return psi(later, base)

    p = permutation_p(statistic, len(places), seed_of([*before, *after]), case.settings.resamples)
    value = psi(binned(after, edges), binned(before, edges))
    return Measure(
        metric=f"{NAME}.confidence", unit="score", value=value,
        n=len(places), unknown=unknown, note=f"{note}: PSI, p {p:.3g}",
        detail={"p_value": p, "measure": "PSI"},
    )  # fmt: skip


def _divergence(case: Case, note: str, chosen: Sequence[str], first: int, undated: int) -> Measure:
    def statistic(order: Sequence[int]) -> float:
        return jensen_shannon(
            Counter(chosen[at] for at in order[first:]), Counter(chosen[at] for at in order[:first])
        )

    p = permutation_p(statistic, len(chosen), seed_of(chosen), case.settings.resamples)
    return Measure(
        metric=f"{NAME}.choice", unit="score", value=statistic(range(len(chosen))),
        n=len(chosen), unknown=undated, note=f"{note}: Jensen-Shannon, p {p:.3g}",
        detail={"p_value": p, "measure": "Jensen-Shannon, bits"},
    )  # fmt: skip


METRIC = Metric(name=NAME, title="how far confidence and choices moved", measure=_measure)
