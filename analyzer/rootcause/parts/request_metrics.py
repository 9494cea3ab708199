"""Which services' own measurements count requests that failed beyond what is usual."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import Case, Measurement
from analyzer.statistics.proportions import newcombe

GOOD_SHARES: Final = ("availability", "success")
"""Metrics of the share of requests that went well."""
REQUESTS: Final = ("requests", "calls", "invocations")
"""Metrics of how many requests there were."""
FAILED_MIN: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many requests failed, of how many."""

    failed: float
    requests: float


def is_good_share(name: str) -> bool:
    """Whether a metric by its name is the share of requests that went well."""
    return any(word in name.lower() for word in GOOD_SHARES)


def is_count(name: str) -> bool:
    """Whether a metric by its name counts requests."""
    return not is_good_share(name) and any(word in name.lower() for word in REQUESTS)


def whole_of(values: Sequence[float]) -> float:
    """What "all went well" is in a metric of shares: 1, or 100 where it is told in per cent."""
    return 100.0 if max(values, default=0.0) > 1.5 else 1.0


def find(case: Case) -> list[Clue] | None:
    """Each service by its failed requests beyond the usual share, against the service with most.

    A share of few requests swings by itself: here it weighs as much as the requests it is of. A
    caller fails with what it calls, so it takes a service with about as many failures as the
    symptom to explain it. Services without both metrics are not judged.
    """
    during, before = _counts(case.incident.measurements), _counts(case.baseline.measurements)
    judged = sorted(during.keys() & before.keys())
    if not judged:
        return None
    added: dict[str, float] = {}
    for service in judged:
        now, was = during[service], before[service]
        if now.failed < FAILED_MIN or was.requests < 1:
            continue
        gap = newcombe(
            round(now.failed), round(now.requests), round(was.failed), round(was.requests)
        )
        if gap is not None and gap.low > 0:
            added[service] = now.failed - now.requests * was.failed / was.requests
    whole = max(added.values(), default=0.0)
    if case.symptom in added:
        whole = added[case.symptom]
    return [
        Clue(
            kind="service",
            name=service,
            service=service,
            value=min(1.0, more / whole),
            n=round(during[service].requests),
            detail=f"{during[service].failed:.0f} of {during[service].requests:.0f} requests "
            f"failed, {before[service].failed:.0f} of {before[service].requests:.0f} before",
        )
        for service, more in sorted(added.items())
    ]


def counted_services(measurements: Sequence[Measurement]) -> frozenset[str]:
    """Services with both the share of good requests and their number."""
    return frozenset(_counts(measurements))


def _counts(measurements: Sequence[Measurement]) -> Mapping[str, Counted]:
    """Failed and all requests of each service that has both metrics at the same times."""
    shares: dict[str, dict[int, float]] = {}
    requests: dict[str, dict[int, float]] = {}
    for one in measurements:
        if is_good_share(one.name):
            shares.setdefault(one.service, {})[one.at_ns] = one.value
        elif is_count(one.name):
            requests.setdefault(one.service, {})[one.at_ns] = one.value
    counts = {}
    for service in sorted(shares.keys() & requests.keys()):
        both = sorted(shares[service].keys() & requests[service].keys())
        whole = whole_of([shares[service][at] for at in both])
        numbers = [requests[service][at] for at in both]
        failed = [
            number * (1 - min(1.0, max(0.0, shares[service][at] / whole)))
            for at, number in zip(both, numbers, strict=True)
        ]
        if both:
            counts[service] = Counted(failed=fsum(failed), requests=fsum(numbers))
    return counts


PART = Part(
    name="request_metrics",
    weight=0.8,
    source="added failures, as of spans; difference of shares by Newcombe 1998, method 10",
    find=find,
)
