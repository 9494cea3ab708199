"""How programs are inferred."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnSettings:
    """`clock_tolerance_ns` is how far two spans of one caller may contradict each other;
    `loss_share` the share of recordings that may contradict a rule (0 = none)."""

    clock_tolerance_ns: int = 500_000
    loss_share: float = 0.0
