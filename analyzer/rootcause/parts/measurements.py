"""Which service's own measurements leave what they were."""

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import median
from typing import Final

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import Case, Measurement

BASE_MIN: Final = 3
HALF_AT: Final = 12.0
"""A shift of so many robust deviations counts half."""
RESOURCES: Final = ("cpu", "memory", "heap", "disk", "gc", "pool", "thread", "fd", "restart")
GOOD_SHARES: Final = ("availability", "success")
"""Shares of what went well: what is missing to the whole is what is looked at."""
SHARE_FLOOR: Final = 0.002
RELATIVE: Final = 0.1
DEVIATIONS_MIN: Final = 5.0


def find(case: Case) -> list[Clue] | None:
    """The strongest shift of each service; a resource counts in full, what callers see half."""
    before, during = _series(case.baseline.measurements), _series(case.incident.measurements)
    if not before or not during:
        return None
    clues = []
    for key, seen in sorted(during.items()):
        values, base = seen, before.get(key, [])
        if len(base) < BASE_MIN:
            continue
        floor = 0.0
        if any(word in key[1].lower() for word in GOOD_SHARES):
            whole = 100.0 if max(base) > 1.5 else 1.0
            values, base = [whole - it for it in values], [whole - it for it in base]
            floor = whole * SHARE_FLOOR
        middle, deviation = median(base), max(_deviation(base), floor)
        owned = any(word in key[1].lower() for word in RESOURCES)
        if owned:
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
                    detail=f"{key[1]} {worst:.4g}, {middle:.4g} before (z {z:.0f})",
                )
            )
    return clues


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
