"""Where calls take longer by themselves, not because of those they call."""

from collections.abc import Mapping, Sequence
from math import fsum, sqrt
from statistics import median
from typing import Final, NamedTuple

from analyzer.rootcause.evidence import Clue, Part
from analyzer.rootcause.telemetry import Call, Case

FLOOR_NS: Final = 1_000_000
"""Times are compared with so much added: below a millisecond everything doubles now and then."""
RATIO_MIN: Final = 1.5
CALLS_MIN: Final = 3
DEVIATIONS_MIN: Final = 4.0
MATERIAL: Final = 0.3
"""Added time of so much of the usual time of all calls is as bad as it gets."""


class Key(NamedTuple):
    """A place where time is spent: inside a service, or (`other` set) between it and another."""

    service: str
    operation: str
    other: str


class Shift(NamedTuple):
    """How much longer one place took, in all and by what factor."""

    key: Key
    excess_ns: float
    ratio: float
    z: float
    before_ns: float
    during_ns: float
    n: int


def shifts(case: Case) -> list[Shift]:
    """The places that take clearly longer, most time first."""
    before, during = _times(case.baseline.calls), _times(case.incident.calls)
    found = []
    for key, times in sorted(during.items()):
        base = before.get(key, ())
        if len(base) < CALLS_MIN or len(times) < CALLS_MIN:
            continue
        shift = _shift(key, base, times)
        if shift.ratio >= RATIO_MIN and shift.z >= DEVIATIONS_MIN:
            found.append(shift)
    return sorted(found, key=lambda one: (-one.excess_ns, one.key))


def _shift(key: Key, base: Sequence[int], times: Sequence[int]) -> Shift:
    before, during = fsum(base) / len(base), fsum(times) / len(times)
    middle = median(base)
    # the standard error of a mean of so many calls, from the median absolute deviation
    deviation = 1.4826 * median(abs(time - middle) for time in base)
    spread = max(deviation, _spread(base), FLOOR_NS / 10) / sqrt(len(times))
    return Shift(
        key=key,
        excess_ns=(during - before) * len(times),
        ratio=(during + FLOOR_NS) / (before + FLOOR_NS),
        z=(during - before) / spread,
        before_ns=before,
        during_ns=during,
        n=len(times),
    )


def _spread(values: Sequence[int]) -> float:
    mean = fsum(values) / len(values)
    return sqrt(fsum((value - mean) ** 2 for value in values) / len(values))


def _times(calls: Sequence[Call]) -> Mapping[Key, list[int]]:
    times: dict[Key, list[int]] = {}
    for call in calls:
        others = {service for service, _ in call.children if service != call.service}
        other = min(others) if len(others) == 1 else ""
        times.setdefault(Key(call.service, call.operation, other or call.callee), []).append(
            call.self_ns
        )
    return times


def find(case: Case) -> list[Clue] | None:
    """Each service with the time it adds; time between two goes to the one all of whose
    neighbours see it."""
    if not case.baseline.calls or not case.incident.calls:
        return None
    found = shifts(case)
    whole = fsum(shift.excess_ns for shift in found)
    if whole <= 0:
        return []
    material = min(1.0, whole / (MATERIAL * _usual(case)))
    slow = {(shift.key.service, shift.key.other) for shift in found if shift.key.other}
    known = _edges(case)
    added: dict[str, list[tuple[float, Shift]]] = {}
    clues = []
    for shift in found:
        for service, share in _owners(shift.key, slow, known):
            added.setdefault(service, []).append((share * shift.excess_ns, shift))
    for service, parts in sorted(added.items()):
        excess = fsum(amount for amount, _ in parts)
        _, worst = max(parts, key=lambda one: (one[0], one[1].key))
        strength = (1 - 1 / worst.ratio) ** 2
        clues.append(
            Clue(
                kind="service",
                name=service,
                service=service,
                value=min(1.0, strength * sqrt(excess / whole)) * material,
                n=worst.n,
                detail=_words(worst, excess / whole),
            )
        )
        clues.append(_place(service, worst, strength))
    return clues


def _place(service: str, shift: Shift, strength: float) -> Clue:
    edge = bool(shift.key.other)
    return Clue(
        kind="edge" if edge else "operation",
        name=f"{shift.key.service} -> {shift.key.other}"
        if edge
        else f"{shift.key.service} {shift.key.operation}",
        service=service,
        value=strength,
        n=shift.n,
        detail=_words(shift, None),
    )


def _words(shift: Shift, share: float | None) -> str:
    where = f" waiting for {shift.key.other}" if shift.key.other else ""
    part = "" if share is None else f", {share:.0%} of all added time"
    return (
        f"{shift.key.operation}{where} takes {shift.during_ns / 1e6:.1f} ms by itself, "
        f"{shift.before_ns / 1e6:.1f} ms before (z {shift.z:.0f}){part}"
    )


def _usual(case: Case) -> float:
    """The time the incident's calls would have taken by themselves at the pace of before, at
    least a millisecond each."""
    before = _times(case.baseline.calls)
    means = {key: fsum(times) / len(times) for key, times in before.items()}
    return fsum(
        len(times) * max(means.get(key, 0.0), FLOOR_NS)
        for key, times in sorted(_times(case.incident.calls).items())
    )


def _edges(case: Case) -> frozenset[tuple[str, str]]:
    return frozenset(
        (call.service, service)
        for call in case.incident.calls
        for service, _ in call.children
        if service != call.service
    )


def _owners(
    key: Key, slow: set[tuple[str, str]], known: frozenset[tuple[str, str]]
) -> list[tuple[str, float]]:
    """Who the time of a place belongs to. Time between two services is the caller's where it waits
    longer for all it calls, else the callee's."""
    if not key.other:
        return [(key.service, 1.0)]
    callees = {callee for caller, callee in known if caller == key.service}
    waits = {callee for caller, callee in slow if caller == key.service}
    callers = {caller for caller, callee in known if callee == key.other}
    waiting = {caller for caller, callee in slow if callee == key.other}
    mine = len(waits) / max(1, len(callees))
    theirs = len(waiting) / max(1, len(callers))
    if len(callees) > 1 and mine >= 0.6 and (len(callers) < 2 or mine > theirs):
        return [(key.service, 1.0)]
    if len(callers) > 1 and theirs > mine:
        return [(key.other, 1.0)]
    return [(key.other, 0.7), (key.service, 0.3)]


PART = Part(
    name="self_time",
    weight=0.8,
    source="self time of spans; shift against the baseline's median absolute deviation (BARO 2024)",
    find=find,
)
