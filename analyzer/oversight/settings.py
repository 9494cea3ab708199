"""What can be set of the metrics of decisions: `[governance]` in `retrospan.toml`."""

from dataclasses import dataclass

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightSettings:
    """Limits and words.

    `right` and `wrong` pair a choice with the label learned later, as "approve legitimate".
    `critical_flows` are kinds of flows that no experiment may touch; `control_arms` are flag
    variants that are no experiment. `prices` is a TOML file of prices per model, `price_table` its
    content. `policies` are policy files, each of the version it names, beside the configuration.
    `decision_budget_ms` is how long one decision may keep its flow waiting.
    """

    calibration_n_min: int = 100
    calibration_bins: int = 10
    comparison_n_min: int = 30
    resamples: int = 1_000
    right: tuple[str, ...] = ("approve legitimate", "accept legitimate", "reject fraud")
    wrong: tuple[str, ...] = ("approve fraud", "accept fraud", "reject legitimate")
    critical_flows: tuple[str, ...] = ()
    control_arms: tuple[str, ...] = ("off", "control", "false", "default")
    fallback_models: tuple[str, ...] = ("fallback", "default", "rule", "rules")
    arm_shares: tuple[str, ...] = ()
    decision_budget_ms: int | None = None
    review_limit_s: int = 86_400
    retention_days_min: int = 183
    prices: str = ""
    policies: tuple[str, ...] = ()
