"""Windows in which flows went bad faster than usual, by burn rate, and when each was over.

Definitions: impact start is the first bad flow of the first slice that surely burns (more bad
flows than the budget allows, by a Wilson interval with its neighbours) and leads to the alert;
detection is when a burn-rate alert would have fired; mitigation is the end of the last such slice
before so many calm ones; recovery is the end of the last bad flow after which the share of bad
flows is what it was before. Burn rate: Google SRE workbook, chapter 5 (14.4: two per cent of a
thirty days' budget in an hour).
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from analyzer.statistics.proportions import wilson

SLICES: Final = 60
SLICE_NS_MIN: Final = 1_000_000_000
THRESHOLD: Final = Fraction(72, 5)
BUDGET: Final = Fraction(1, 100)
BAD_MIN: Final = 5
CALM_SLICES: Final = 3
SURE: Final = 0.998
"""Confidence of each slice: there are sixty, and chance makes one in twenty odd."""
GAP_SLICES: Final = 2
ALERT_SLICES: Final = 5
PARTS: Final = 6
RECOVERY_FLOWS_MIN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A flow as good or bad; `bad` is None where that is not known. `end_ns` is when it showed."""

    flow_id: str
    start_ns: int
    end_ns: int
    bad: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """An incident of one objective. `bad` of `known` flows in it were bad; `budget` is the share
    that may be, and `source` says whose it is."""

    source: str
    start_ns: int
    end_ns: int
    detected_ns: int
    mitigated_ns: int | None
    recovered_ns: int | None
    bad: int
    known: int
    budget: Fraction
    flow_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Slice:
    """`is_up`: it has bad flows, and with its neighbours surely more than the budget allows."""

    number: int
    bad: int
    known: int
    is_up: bool = False


def find(source: str, flows: Iterable[Judged], budget: Fraction | None = None) -> list[Window]:
    """The windows of one objective by start.

    Without a `budget` it is one in a hundred, or what is usual in a calm part of the data where
    that is more: a share of flows that always fails is no incident.
    """
    known = sorted(
        (flow for flow in flows if flow.bad is not None),
        key=lambda flow: (flow.end_ns, flow.flow_id),
    )
    if len(known) < BAD_MIN:
        return []
    first, last = known[0].end_ns, known[-1].end_ns
    width = max(SLICE_NS_MIN, -(-(last - first + 1) // SLICES))
    slices = _slices(known, first, width)
    allowed = _usual(known) if budget is None else budget
    slices = _held(slices, allowed)
    windows = []
    for run in _runs(slices):
        window = _window(source, known, run, slices, first, width, allowed)
        if window is not None:
            windows.append(window)
    return windows


def _slices(known: Sequence[Judged], first: int, width: int) -> list[_Slice]:
    counts: dict[int, list[int]] = {}
    for flow in known:
        pair = counts.setdefault((flow.end_ns - first) // width, [0, 0])
        pair[0] += flow.bad is True
        pair[1] += 1
    return [_Slice(number, bad, total) for number, (bad, total) in sorted(counts.items())]


def _held(slices: Sequence[_Slice], budget: Fraction) -> list[_Slice]:
    """The slices, each told whether it is up. One bad flow in a quiet slice is no trend."""
    held = []
    for place, one in enumerate(slices):
        near = [
            it for it in slices[max(0, place - 1) : place + 2] if abs(it.number - one.number) < 2
        ]
        interval = wilson(sum(it.bad for it in near), sum(it.known for it in near), SURE)
        is_up = one.bad > 0 and interval is not None and interval.low > budget
        held.append(_Slice(one.number, one.bad, one.known, is_up))
    return held


def _usual(known: Sequence[Judged]) -> Fraction:
    """The share of bad flows in the second calmest of six equal parts of the data."""
    size = -(-len(known) // PARTS)
    shares = sorted(
        Fraction(sum(flow.bad is True for flow in part), len(part))
        for part in (known[at : at + size] for at in range(0, len(known), size))
    )
    return max(BUDGET, shares[min(1, len(shares) - 1)])


def _alert(budget: Fraction) -> Fraction:
    """The share of bad flows from which on an alert fires: the burn rate's, but where much fails
    anyway a quarter of the rest more than is usual."""
    return min(THRESHOLD * budget, budget + (1 - budget) / 4)


def _runs(slices: Sequence[_Slice]) -> list[list[_Slice]]:
    """Slices that are up, those near one another together, with bad flows enough to tell."""
    runs: list[list[_Slice]] = []
    for one in slices:
        if one.is_up:
            if runs and one.number - runs[-1][-1].number <= GAP_SLICES + 1:
                runs[-1].append(one)
            else:
                runs.append([one])
    return [run for run in runs if sum(one.bad for one in run) >= BAD_MIN]


def _window(
    source: str,
    known: Sequence[Judged],
    run: Sequence[_Slice],
    slices: Sequence[_Slice],
    first: int,
    width: int,
    budget: Fraction,
) -> Window | None:
    times = [flow.end_ns for flow in known]
    low = bisect_left(times, first + run[0].number * width)
    high = bisect_left(times, first + (run[-1].number + 1) * width)
    bad = [flow for flow in known[low:high] if flow.bad]
    detected = _detected(known, low, high, width, budget)
    if detected is None:
        return None
    start_ns = min(flow.start_ns for flow in bad)
    end_ns = max(flow.end_ns for flow in bad)
    calm = [one for one in slices if one.number > run[-1].number]
    return Window(
        source=source,
        start_ns=start_ns,
        end_ns=end_ns,
        detected_ns=detected,
        mitigated_ns=(
            min(end_ns, first + (run[-1].number + 1) * width)
            if len(calm) >= CALM_SLICES and not any(one.is_up for one in calm[:CALM_SLICES])
            else None
        ),
        recovered_ns=_recovered(known, low, high, end_ns),
        bad=len(bad),
        known=high - low,
        budget=budget,
        flow_ids=[
            flow.flow_id for flow in sorted(bad, key=lambda one: (one.start_ns, one.flow_id))
        ],
    )


def _detected(
    known: Sequence[Judged], low: int, high: int, width: int, budget: Fraction
) -> int | None:
    """When an alert over five slices would first have had enough bad flows to fire."""
    since = low
    bad = 0
    for place in range(low, high):
        bad += known[place].bad is True
        while known[place].end_ns - known[since].end_ns > ALERT_SLICES * width:
            bad -= known[since].bad is True
            since += 1
        if bad >= BAD_MIN and Fraction(bad, place - since + 1) >= _alert(budget):
            return known[place].end_ns
    return None


def _recovered(known: Sequence[Judged], low: int, high: int, end_ns: int) -> int | None:
    """The end of the last bad flow, if enough flows came later and their share of bad ones lies
    inside the interval of the share before."""
    before, after = known[:low], known[high:]
    if len(before) < RECOVERY_FLOWS_MIN or len(after) < RECOVERY_FLOWS_MIN:
        return None
    usual = wilson(sum(flow.bad is True for flow in before), len(before))
    share = sum(flow.bad is True for flow in after) / len(after)
    return end_ns if usual is not None and share <= usual.high else None


def merged(windows: Sequence[Window]) -> list[list[Window]]:
    """Windows that overlap are one incident; each group by start."""
    groups: list[list[Window]] = []
    for window in sorted(windows, key=lambda one: (one.start_ns, one.end_ns, one.source)):
        if groups and window.start_ns <= max(one.end_ns for one in groups[-1]):
            groups[-1].append(window)
        else:
            groups.append([window])
    return groups
