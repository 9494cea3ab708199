"""How well the programs of a flow kind reproduce it: right, flagged and silently wrong apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from store.conclusions import ReplayResult

PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """Counts over control replays. `width_ppm` is the median width of the end's interval as a
    share of the virtual duration, over the right ones; `wide` are right ones whose interval is
    wider than the flow itself: their times were not predicted."""

    flows: int
    identical: int
    equivalent: int
    late: int
    flagged: int
    silent: int
    unreplayable: int
    doubted: int
    width_ppm: int
    wide: int

    @property
    def right(self) -> int:
        """Flows reproduced, noise aside."""
        return self.identical + self.equivalent

    @property
    def inside_ppm(self) -> int:
        """Coverage beside the width: of the flows reproduced but for their times, the share with
        every recorded start and the end inside its interval, noise aside."""
        return self.right * PPM // max(self.right + self.late, 1)


def fidelity(results: Sequence[ReplayResult]) -> Fidelity:
    """Summarise control replays of one kind.

    `late` runs have the right calls, order, requests and outcome, but a time outside its
    interval. `flagged` are other wrong runs that had doubts of their own, `silent` those that had
    none; `doubted` are right ones with doubts.
    """
    right = [r for r in results if r.verdict in ("identical", "equivalent")]
    diverged = [r for r in results if r.verdict == "diverged"]
    wrong = [r for r in diverged if any(d.kind != "timing_changed" for d in r.divergences)]
    widths = sorted(
        (r.virtual_high_ns - r.virtual_low_ns) * PPM // max(r.virtual_duration_ns, 1) for r in right
    )
    return Fidelity(
        flows=len(results),
        identical=sum(r.verdict == "identical" for r in results),
        equivalent=sum(r.verdict == "equivalent" for r in results),
        late=len(diverged) - len(wrong),
        flagged=sum(_doubted(r) for r in wrong),
        silent=sum(not _doubted(r) for r in wrong),
        unreplayable=sum(r.verdict == "unreplayable" for r in results),
        doubted=sum(_doubted(r) for r in right),
        width_ppm=widths[len(widths) // 2] if widths else 0,
        wide=sum(width > PPM for width in widths),
    )


def _doubted(result: ReplayResult) -> bool:
    """Say whether this very run had doubts; that its program left recordings aside is none."""
    return any(not flag.startswith("set_aside") for flag in result.flags)
