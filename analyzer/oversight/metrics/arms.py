"""Arms of experiments against the control: split as planned first, then success, cost, guards.

The unit is the flow; one that was in two arms is in neither. A sample-ratio mismatch (p < 0.001
against `arm_shares`, where they are declared) makes every comparison worthless. The rule is fixed
beforehand: each difference with its interval once, over the whole window; looking again and again
needs another rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from analyzer.oversight.formulae import chi_squared_fit
from analyzer.oversight.joined import Gate, Joined
from analyzer.oversight.measure import Case, Measure, Metric, Status, mean, nothing, quantile, share
from analyzer.oversight.metrics.below_threshold_rate import unasked
from analyzer.oversight.metrics.decision_cost import cost_of
from analyzer.oversight.resampling import difference_of_means
from analyzer.statistics.intervals import Interval, difference
from analyzer.statistics.proportions import newcombe
from store.conclusions import FlowOutcome
from store.errors import UsageError
from store.model import JsonValue

NAME = "arms"
MISMATCH_P = 0.001
P95 = Fraction(19, 20)
UNFINISHED = frozenset({FlowOutcome.IN_PROGRESS, FlowOutcome.UNKNOWN})


def _failed(it: Joined) -> bool | None:
    outcome = None if it.flow is None else it.flow.outcome
    if outcome is None or outcome in UNFINISHED:
        return None
    return outcome is not FlowOutcome.SUCCEEDED


def _below_threshold(it: Joined) -> bool | None:
    return unasked(it) if it.acted is True else it.acted


def _no_gate_before(it: Joined) -> bool | None:
    return None if it.gate is Gate.UNTIMED else it.gate in (Gate.MISSING, Gate.AFTER)


GUARDS: Mapping[str, Callable[[Joined], bool | None]] = {
    "failed": _failed,
    "below_threshold": _below_threshold,
    "no_gate_before": _no_gate_before,
}
"""What an arm must not make worse; None where it is not known of a flow."""


def arms_of(it: Joined) -> Mapping[str, str]:
    """The variant of each feature flag: as the decision itself saw it, else as its flow did."""
    told = it.decision.record.get("feature_flags")
    own = {
        name: str(value) for name, value in (told if isinstance(told, dict) else {}).items()
        if isinstance(value, str | bool | int)
    }  # fmt: skip
    return {**it.flags, **own}


def _measure(case: Case) -> Sequence[Measure]:
    flags: dict[str, dict[str, tuple[Joined, set[str]]]] = {}
    for it in case.decisions:
        if it.flow is not None:
            for flag, variant in arms_of(it).items():
                units = flags.setdefault(flag, {})
                units.setdefault(it.flow.flow_id, (it, set()))[1].add(variant)
    found: list[Measure] = []
    for flag in sorted(flags):
        arms: dict[str, list[Joined]] = {}
        for it, seen in flags[flag].values():
            if len(seen) == 1:
                arms.setdefault(min(seen), []).append(it)
        mixed = sum(len(seen) > 1 for _, seen in flags[flag].values())
        found += _of_flag(case, flag, dict(sorted(arms.items())), mixed)
    return found or [nothing(f"{NAME}.ratio", "share", "no feature flag is recorded")]


def _of_flag(
    case: Case, flag: str, arms: Mapping[str, Sequence[Joined]], mixed: int
) -> list[Measure]:
    ratio, fits = _ratio(case, flag, arms, mixed)
    slowest = {arm: _slowest(case, flag, arm, units) for arm, units in arms.items()}
    found = [*ratio, *(it for arm in arms for it in slowest[arm])]
    named = [arm for arm in arms if arm.lower() in case.settings.control_arms]
    if len(named) != 1:
        said = f"{flag}: no single control arm"
        return [*found, nothing(f"{NAME}.difference", "share", said)]
    control = named[0]
    for arm, units in arms.items():
        if arm != control:
            about = f"{flag}: {arm} − {control}"
            compared = [
                *(_difference(case, about, it, units, arms[control]) for it in GUARDS),
                _cost(case, about, units, arms[control]),
                _slower(about, slowest[arm][0], slowest[control][0]),
            ]
            found += compared if fits else map(_worthless, compared)
    return found


def _worthless(it: Measure) -> Measure:
    """A comparison of arms that were not split as planned: who is in them may differ."""
    note = f"{it.note}; worthless, the split is not the planned one"
    return replace(it, status=Status.INSUFFICIENT, note=note)


def _ratio(
    case: Case, flag: str, arms: Mapping[str, Sequence[Joined]], mixed: int
) -> tuple[list[Measure], bool]:
    """The share of each arm beside the declared one, and whether the split is the planned one."""
    planned = _planned(case, flag)
    names = sorted(arms.keys() | (planned or {}).keys())
    counts = [len(arms.get(arm, ())) for arm in names]
    whole, p = sum(planned.values()) if planned else 0.0, None
    if planned is None:
        said = "no shares declared"
    elif unplanned := sorted(arms.keys() - planned.keys()):
        said, p = f"not the planned split: {', '.join(unplanned)} has no declared share", 0.0
    else:
        p = chi_squared_fit(counts, [planned[arm] / whole for arm in names])
        said = "the split is not the planned one" if p < MISMATCH_P else "split as planned"
        said += f", p {p:.3g}"
    found = []
    for arm, count in zip(names, counts, strict=True):
        plan = planned.get(arm, 0.0) / whole if planned else None
        wanted = "" if plan is None else f", planned {plan:.1%}"
        detail: dict[str, JsonValue] = {"planned": plan, "p_value": p}
        note = f"{flag}: {arm}{wanted}; {said}"
        found.append(share(f"{NAME}.ratio", count, sum(counts), mixed, note=note, detail=detail))
    return found, p is None or p >= MISMATCH_P


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
    case: Case, about: str, guard: str, units: Sequence[Joined], control: Sequence[Joined]
) -> Measure:
    least = max(1, case.settings.comparison_n_min)
    sides = [[known for it in side if (known := GUARDS[guard](it)) is not None]
             for side in (units, control)]  # fmt: skip
    n = sum(map(len, sides))
    unknown = len(units) + len(control) - n
    name = f"{NAME}.{guard}"
    if min(map(len, sides)) < least:
        return nothing(name, "share", f"{about}; needs {least} flows a side", n=n, unknown=unknown)
    hits, base = map(sum, sides)
    bounds = newcombe(hits, len(sides[0]), base, len(sides[1]))
    assert bounds is not None
    return Measure(
        metric=name, unit="share", value=hits / len(sides[0]) - base / len(sides[1]), n=n,
        unknown=unknown, low=bounds.low, high=bounds.high, note=about,
        detail={
            "hits": hits, "n_arm": len(sides[0]), "hits_control": base, "n_control": len(sides[1]),
        },
    )  # fmt: skip


def _slower(about: str, arm: Measure, control: Measure) -> Measure:
    """The difference of two 95th percentiles of how long flows took."""
    name, n, unknown = f"{NAME}.slower", arm.n + control.n, arm.unknown + control.unknown
    bounds = [
        Interval(low=it.low, high=it.high)
        for it in (arm, control) if it.low is not None and it.high is not None
    ]  # fmt: skip
    if len(bounds) < 2 or arm.value is None or control.value is None:
        said = f"{about}; too few for the interval of a 95th percentile"
        return nothing(name, "ns", said, n=n, unknown=unknown)
    found = difference(arm.value, bounds[0], control.value, bounds[1])
    return Measure(
        metric=name, unit="ns", value=arm.value - control.value, n=n, unknown=unknown,
        low=found.low, high=found.high, note=f"{about}, 95th percentiles of the flows' time",
    )  # fmt: skip


def _cost(case: Case, about: str, units: Sequence[Joined], control: Sequence[Joined]) -> Measure:
    """The difference of the mean costs of a decision, with a bootstrap interval."""
    name, least = f"{NAME}.cost", max(1, case.settings.comparison_n_min)
    sides = [_costs(case, units), _costs(case, control)]
    n = sum(map(len, sides))
    unknown = len(units) + len(control) - n
    if min(map(len, sides)) < least:
        return nothing(name, "usd", f"{about}; needs {least} a side", n=n, unknown=unknown)
    bounds = difference_of_means(sides[0], sides[1], case.settings.resamples)
    return Measure(
        metric=name, unit="usd", value=mean(sides[0]) - mean(sides[1]), n=n, unknown=unknown,
        low=bounds.low, high=bounds.high, note=f"{about}, mean per decision",
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
