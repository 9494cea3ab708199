"""When a symptom began: the first measurement of the alert's metric that leaves its usual range."""

from collections.abc import Sequence
from statistics import median

from analyzer.rootcause.telemetry import Measurement

FIRST = 5


def onset_of(measured: Sequence[Measurement], service: str, metric: str, fired_ns: int) -> int:
    """The first of the values before the alert that differ from the first fifth by more than six
    median absolute deviations and stay so; the alert's time where none do."""
    series = [
        (m.at_ns, m.value)
        for m in measured
        if m.service == service and m.name == metric and m.at_ns <= fired_ns
    ]
    if len(series) < 2 * FIRST:
        return fired_ns
    base = [value for _, value in series[: max(FIRST, len(series) // 5)]]
    middle = median(base)
    spread = max(1.4826 * median(abs(value - middle) for value in base), 0.1 * abs(middle), 1e-9)
    onset = fired_ns
    for at_ns, value in reversed(series):
        if abs(value - middle) <= 6 * spread:
            break
        onset = at_ns
    return onset
