"""Where failures begin: a span that failed while none of those it called did."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import Call, Case
from analyzer.statistics.proportions import newcombe

FAILURES_MIN: Final = 2


def find(case: Case) -> list[Clue] | None:
    """Each service by its share of the failures that begin more often than before.

    A failed call to something that was not recorded is put down to what was called.
    """
    during, before = case.incident.calls, case.baseline.calls
    if not any(call.failed for call in during):
        return None
    failures, runs = _counted(during)
    base, base_runs = _counted(before)
    excess: dict[tuple[str, str], float] = {}
    for key, count in sorted(failures.items()):
        rate = base[key] / base_runs[key] if base_runs[key] else 0.0
        more = newcombe(count, runs[key], base[key], base_runs[key]) if base_runs[key] else None
        certain = base_runs[key] == 0 or (more is not None and more.low > 0)
        if count >= FAILURES_MIN and certain:
            excess[key] = count - rate * runs[key]
    whole = sum(value for _, value in sorted(excess.items()))
    clues = []
    services: Counter[str] = Counter()
    for key, value in sorted(excess.items()):
        services[key[0]] += round(value * 1_000)
        clues.append(
            Clue(
                kind="operation",
                name=" ".join(key),
                service=key[0],
                value=value / whole,
                n=runs[key],
                detail=f"{failures[key]} of {runs[key]} fail by themselves, "
                f"{base[key]} of {base_runs[key]} before",
            )
        )
    for service, value in sorted(services.items()):
        own = sum(count for (name, _), count in failures.items() if name == service)
        clues.append(
            Clue(
                kind="service",
                name=service,
                service=service,
                value=min(1.0, value / 1_000 / whole),
                n=own,
                detail=f"{value / 1_000 / whole:.0%} of the added failures begin here ({own})",
            )
        )
    return clues


def _counted(calls: Sequence[Call]) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    failures: Counter[tuple[str, str]] = Counter()
    runs: Counter[tuple[str, str]] = Counter()
    for call in calls:
        key = (call.callee or call.service, call.operation)
        runs[key] += 1
        failures[key] += call.origin
    return failures, runs


PART = Part(
    name="error_origin",
    weight=0.7,
    source="deepest failing span; difference of shares by Newcombe 1998, method 10",
    find=find,
)
