"""Windows in which flows went bad faster than usual, by burn rate, and when each was over.

Definitions: impact start is the first bad flow of the first slice with a burn rate of at least 1
that leads to the alert; detection is when a burn-rate alert would have fired; mitigation is the
end of the last slice with a burn rate of at least 1 before so many calm ones; recovery is the end
of the last bad flow after which the share of bad flows is what it was before. Burn rate: Google
SRE workbook, chapter 5 (14.4: two per cent of a thirty days' budget in an hour).
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
GAP_SLICES: Final = 2
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
    number: int
    bad: int
    known: int

    def burns(self, budget: Fraction, threshold: Fraction) -> bool:
        return self.known > 0 and Fraction(self.bad, self.known) >= threshold * budget


def find(source: str, flows: Iterable[Judged], budget: Fraction | None = None) -> list[Window]:
    """The windows of one objective by start.

    Without a `budget` it is one in a hundred, or what is usual in the calmer half of the data
    where that is more: a share of flows that always fails is no incident.
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
    allowed = _usual(slices) if budget is None else budget
    threshold = min(THRESHOLD, Fraction(1, 2) / allowed)
    runs = _runs(slices, allowed, threshold)
    windows = []
    for run in runs:
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


def _usual(slices: Sequence[_Slice]) -> Fraction:
    calm = sorted(slices, key=lambda one: (Fraction(one.bad, one.known), one.number))
    calm = calm[: max(1, len(calm) // 2)]
    share = Fraction(sum(one.bad for one in calm), sum(one.known for one in calm))
    return max(BUDGET, share)


def _runs(slices: Sequence[_Slice], budget: Fraction, threshold: Fraction) -> list[list[_Slice]]:
    """Slices with a burn rate of at least 1, near enough to one another, with an alert in them."""
    runs: list[list[_Slice]] = []
    for one in slices:
        if one.burns(budget, Fraction(1)) and one.bad:
            if runs and one.number - runs[-1][-1].number <= GAP_SLICES + 1:
                runs[-1].append(one)
            else:
                runs.append([one])
    return [
        run
        for run in runs
        if any(one.burns(budget, threshold) for one in run) and sum(s.bad for s in run) >= BAD_MIN
    ]


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
            if len(calm) >= CALM_SLICES
            and not any(one.burns(budget, Fraction(1)) and one.bad for one in calm[:CALM_SLICES])
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
    """When an alert over a slice's length would first have had enough bad flows to fire."""
    threshold = min(THRESHOLD, Fraction(1, 2) / budget)
    since = low
    bad = 0
    for place in range(low, high):
        bad += known[place].bad is True
        while known[place].end_ns - known[since].end_ns > 2 * width:
            bad -= known[since].bad is True
            since += 1
        if bad >= BAD_MIN and Fraction(bad, place - since + 1) >= threshold * budget:
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
