"""Arms of experiments against the control: split as planned first, then success, cost, guards.

The unit is the flow. A sample-ratio mismatch (p < 0.001 against `arm_shares`, where they are
declared) makes every comparison worthless. The rule is fixed beforehand: differences of shares by
Newcombe's interval, once, over the whole window; looking again and again needs another rule.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from analyzer.oversight.formulae import chi_squared_fit
from analyzer.oversight.joined import Gate, Joined
from analyzer.oversight.measure import Case, Measure, Metric, Status, mean, nothing, quantile
from analyzer.oversight.metrics.decision_cost import cost_of
from analyzer.oversight.resampling import bootstrap
from analyzer.statistics.proportions import newcombe
from store.conclusions import FlowOutcome
from store.errors import UsageError
from store.model import JsonValue

NAME = "arms"
MISMATCH_P = 0.001
P95 = Fraction(19, 20)
GUARDS = {
    "failed": lambda it: it.flow is not None and it.flow.outcome is not FlowOutcome.SUCCEEDED,
    "below_threshold": lambda it: bool(it.below_threshold) and it.acted is True and not it.reviewed,
    "no_gate_before": lambda it: it.gate in (Gate.MISSING, Gate.AFTER),
}


def arms_of(it: Joined) -> Mapping[str, str]:
    """The variant of each feature flag: as the decision itself saw it, else as its flow did."""
    told = it.decision.record.get("feature_flags")
    own = {
        name: str(value) for name, value in (told if isinstance(told, dict) else {}).items()
        if isinstance(value, str | bool | int)
    }  # fmt: skip
    return {**it.flags, **own}


def _measure(case: Case) -> Sequence[Measure]:
    by_flag: dict[str, dict[str, dict[str, Joined]]] = {}
    for it in case.decisions:
        if it.flow is not None:
            for flag, variant in arms_of(it).items():
                by_flag.setdefault(flag, {}).setdefault(variant, {}).setdefault(it.flow.flow_id, it)
    found: list[Measure] = []
    for flag in sorted(by_flag):
        arms = {variant: list(units.values()) for variant, units in sorted(by_flag[flag].items())}
        found += _of_flag(case, flag, arms)
    return found or [nothing(f"{NAME}.ratio", "score", "no feature flag is recorded")]


def _of_flag(case: Case, flag: str, arms: Mapping[str, Sequence[Joined]]) -> list[Measure]:
    ratio, fits = _ratio(case, flag, arms)
    slowest = [it for arm, units in arms.items() for it in _slowest(case, flag, arm, units)]
    named = [arm for arm in arms if arm.lower() in case.settings.control_arms]
    if len(named) != 1:
        told = nothing(f"{NAME}.difference", "share", f"{flag}: no single control arm")
        return [ratio, told, *slowest]
    control = arms[named[0]]
    found = [ratio, *slowest]
    for arm, units in arms.items():
        if arm != named[0]:
            found += [
                _difference(case, f"{flag}: {arm} − {named[0]}", guard, units, control, fits)
                for guard in GUARDS
            ]
            found.append(_cost(case, f"{flag}: {arm} − {named[0]}", units, control))
    return found


def _ratio(case: Case, flag: str, arms: Mapping[str, Sequence[Joined]]) -> tuple[Measure, bool]:
    """The p-value of the split against the declared shares, and whether it may be trusted."""
    counts: dict[str, JsonValue] = {arm: len(units) for arm, units in arms.items()}
    planned = _planned(case, flag)
    total = sum(len(units) for units in arms.values())
    if planned is None:
        return nothing(
            f"{NAME}.ratio", "score", f"{flag}: split {counts}; no shares declared", unknown=total
        ), True  # fmt: skip
    whole = sum(planned.values())
    observed = [len(arms.get(arm, ())) for arm in sorted(planned)]
    p = chi_squared_fit(observed, [planned[arm] / whole for arm in sorted(planned)])
    said = "the split is not the planned one" if p < MISMATCH_P else "split as planned"
    return Measure(
        metric=f"{NAME}.ratio", unit="score", value=p, n=sum(observed), note=f"{flag}: {said}",
        detail={"counts": counts},
    ), p >= MISMATCH_P  # fmt: skip


def _planned(case: Case, flag: str) -> dict[str, float] | None:
    """Declared shares: texts like `flag variant 0.25`."""
    found: dict[str, float] = {}
    for text in case.settings.arm_shares:
        parts = text.split()
        try:
            name, arm, value = parts
            number = float(value)
        except ValueError:
            raise UsageError(
                f"[governance] arm_shares: {text!r} is not `FLAG VARIANT SHARE`"
            ) from None
        if name == flag and number > 0:
            found[arm] = number
    return found if len(found) > 1 else None


def _difference(
    case: Case,
    about: str,
    guard: str,
    units: Sequence[Joined],
    control: Sequence[Joined],
    fits: bool,
) -> Measure:
    least = case.settings.comparison_n_min
    total = len(units) + len(control)
    name = f"{NAME}.{guard}"
    if min(len(units), len(control)) < least:
        return nothing(name, "share", f"{about}; needs {least} flows a side", n=total)
    holds = GUARDS[guard]
    hits, base = sum(map(holds, units)), sum(map(holds, control))
    bounds = newcombe(hits, len(units), base, len(control))
    assert bounds is not None
    return Measure(
        metric=name, unit="share", value=hits / len(units) - base / len(control), n=total,
        low=bounds.low, high=bounds.high,
        status=Status.MEASURED if fits else Status.INSUFFICIENT,
        note=about if fits else f"{about}; worthless, the split is not the planned one",
        detail={"hits": hits, "n_arm": len(units), "hits_control": base, "n_control": len(control)},
    )  # fmt: skip


def _cost(case: Case, about: str, units: Sequence[Joined], control: Sequence[Joined]) -> Measure:
    """The difference of the mean costs of a decision, with a bootstrap interval."""
    name, least = f"{NAME}.cost", case.settings.comparison_n_min
    sides = [_costs(case, units), _costs(case, control)]
    n = sum(map(len, sides))
    unknown = len(units) + len(control) - n
    if min(map(len, sides)) < least:
        return nothing(name, "usd", f"{about}; needs {least} a side", n=n, unknown=unknown)
    pooled = [(side, cost) for side, costs in enumerate(sides) for cost in costs]

    def estimate(chosen: Sequence[int]) -> float:
        parts: tuple[list[float], list[float]] = ([], [])
        for at in chosen:
            side, cost = pooled[at]
            parts[side].append(cost)
        first, second = (part or sides[side] for side, part in enumerate(parts))
        return mean(first) - mean(second)

    bounds = bootstrap(pooled, estimate, case.settings.resamples)
    return Measure(
        metric=name, unit="usd", value=estimate(range(n)), n=n, unknown=unknown, low=bounds.low,
        high=bounds.high, note=f"{about}, mean per decision",
    )  # fmt: skip


def _costs(case: Case, units: Sequence[Joined]) -> list[float]:
    found = (cost_of(it, case.prices) for it in units)
    return [float(cost) for cost in found if cost is not None]


def _slowest(case: Case, flag: str, arm: str, units: Sequence[Joined]) -> list[Measure]:
    """The 95th percentiles of an arm: how long its flows took, what its decisions cost."""
    about = f"{flag}: {arm}"
    times = [it.flow_ns for it in units if it.flow_ns is not None]
    costs = _costs(case, units)
    return [
        quantile(
            f"{NAME}.latency_p95", times, P95, unknown=len(units) - len(times),
            note=f"{about}, of its flows",
        ),
        quantile(
            f"{NAME}.cost_p95", costs, P95, unit="usd", unknown=len(units) - len(costs),
            note=f"{about}, per decision",
        ),
    ]  # fmt: skip


METRIC = Metric(name=NAME, title="arms of experiments against the control", measure=_measure)
