"""How programs are made and runs judged."""

from dataclasses import dataclass, field

from replay.infer.settings import LearnSettings

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """A kind with fewer than `control_flows_min` usable recordings gets no program, one with
    fewer than `scenario_flows_min` no counterfactual.

    Times out of their interval by no more than `noise_ppm` of the flow's duration are noise.
    `noise` are patterns of request paths (`request.sent_at`, `request.meta.*`) not to compare.
    `kept_share_min` is the least share of recordings a refit may keep when it sets some aside.
    """

    folds: int = 5
    training_flows_max: int = 300
    control_flows_min: int = 30
    scenario_flows_min: int = 100
    noise_ppm: int = 10_000
    noise_min_ns: int = 2 * MILLISECOND_NS
    kept_share_min: float = 0.6
    noise: tuple[str, ...] = ()
    keep_events: bool = True
    learn: LearnSettings = field(default_factory=LearnSettings)
