"""What the user may set of the comparison of releases."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSettings:
    """`n_min`: units each side needs. `share_margin`: a release passes when its share of bad units
    is at most this much above the baseline, by its interval; it fails when the interval lies above
    0 and the difference is at least `share_worse_min`. `latency_margin`: it passes when the
    quantile is at most this many times the baseline's, by both intervals; it fails when the
    intervals do not meet and the quotient is at least `latency_worse_min`. `recovery_window_s`:
    how long after a rollback its effect is looked for."""

    n_min: int = 20
    share_margin: float = 0.05
    share_worse_min: float = 0.005
    latency_margin: float = 1.5
    latency_worse_min: float = 1.1
    rollback_n_min: int = 10
    recovery_window_s: int = 900

    def __post_init__(self) -> None:
        if self.n_min < 2 or self.rollback_n_min < 2:
            raise ValueError("n_min and rollback_n_min are at least 2")
        if not (0 < self.share_margin < 1 and 0 <= self.share_worse_min < 1):
            raise ValueError("share_margin and share_worse_min lie between 0 and 1")
        if self.latency_margin <= 1 or self.latency_worse_min < 1:
            raise ValueError("latency_margin and latency_worse_min are more than 1")
        if self.recovery_window_s < 1:
            raise ValueError("recovery_window_s is at least 1")
