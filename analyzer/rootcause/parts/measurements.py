"""Which service's own measurements leave what they were."""

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Final

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.parts.request_metrics import (
    counted_services,
    is_count,
    is_good_share,
    whole_of,
)
from analyzer.rootcause.telemetry import Case, Measurement

BASE_MIN: Final = 3
HALF_AT: Final = 12.0
"""A shift of so many robust deviations counts half."""
RESOURCES: Final = ("cpu", "memory", "heap", "disk", "gc", "pool", "thread", "fd", "restart")
SHARE_FLOOR: Final = 0.002
RELATIVE: Final = 0.1
DEVIATIONS_MIN: Final = 5.0
Z_TOLD_MAX: Final = 1_000


def find(case: Case) -> list[Clue] | None:
    """The strongest shift of each service; a resource counts in full, what callers see half.

    More traffic is no fault, so numbers of requests are left out; shares of what went well are
    left to `request_metrics` where the number of requests is known too.
    """
    before, during = _series(case.baseline.measurements), _series(case.incident.measurements)
    if not before or not during:
        return None
    counted = counted_services(case.baseline.measurements) & counted_services(
        case.incident.measurements
    )
    clues = []
    for key, seen in sorted(during.items()):
        values, base = seen, before.get(key, [])
        is_share = is_good_share(key[1])
        if len(base) < BASE_MIN or is_count(key[1]) or (is_share and key[0] in counted):
            continue
        floor = 0.0
        if is_share:  # what is missing to the whole is what is looked at
            whole = whole_of([*base, *values])
            values, base = [whole - it for it in values], [whole - it for it in base]
            floor = whole * SHARE_FLOOR
        middle, deviation = median(base), max(_deviation(base), floor)
        owned = any(word in key[1].lower() for word in RESOURCES)
        if is_share:
            worst = max(values)  # more of what went well than before is no fault
            z = (worst - middle) / deviation
        elif owned:
            worst = sorted(values)[-2:][0]  # only more is bad, and one sample may be chance
            z = (worst - middle) / deviation
        else:
            worst = max(values, key=lambda value: (abs(value - middle), value))
            z = abs(worst - middle) / deviation
        value = (1.0 if owned else 0.5) * z / (z + HALF_AT)
        if z >= DEVIATIONS_MIN:
            clues.append(
                Clue(
                    kind="service",
                    name=key[0],
                    service=key[0],
                    value=value,
                    n=len(values),
                    detail=f"{key[1]} {worst:.4g}, {middle:.4g} before ({_told(z)})",
                )
            )
    return clues


def _told(z: float) -> str:
    """A robust score in words; what never moved before has no honest number."""
    return f"z {z:.0f}" if z <= Z_TOLD_MAX else f"z over {Z_TOLD_MAX}"


def _deviation(base: Sequence[float]) -> float:
    """Median absolute deviation, but never less than a share of what is usual or of the range."""
    middle = median(base)
    return max(
        1.4826 * median(abs(value - middle) for value in base),
        RELATIVE * abs(middle),
        _range(base) / 2.56,
        1e-9,
    )


def _range(base: Sequence[float]) -> float:
    """From the first to the ninth tenth: 2.56 deviations of a normal distribution."""
    ordered = sorted(base)
    return ordered[(len(ordered) - 1) * 9 // 10] - ordered[(len(ordered) - 1) // 10]


def _series(measurements: Sequence[Measurement]) -> Mapping[tuple[str, str], list[float]]:
    series: dict[tuple[str, str], list[float]] = {}
    for one in measurements:
        if isfinite(one.value):
            series.setdefault((one.service, one.name), []).append(one.value)
    return series


PART = Part(
    name="measurements",
    weight=0.9,
    source="median and median absolute deviation as in BARO (FSE 2024), without its change point",
    find=find,
)
