"""Which clause asks for what, which metrics are evidence for it, and what no trace can show.

retrospan holds evidence; whether a duty is met, people decide. Texts: Regulation (EU) 2024/1689;
NIST AI 100-1 (AI RMF 1.0); ISO/IEC 42001:2023, Annex A; Federal Reserve SR 11-7.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause, what it asks for, metrics that support evidence for it, what is missing."""

    name: str
    asks: str
    metrics: tuple[str, ...]
    lacks: str


CLAUSES = (
    Clause(
        name="EU AI Act, Article 12 (record-keeping)",
        asks="events are recorded automatically over the lifetime of the system",
        metrics=("audit_completeness", "log_completeness.actions", "log_completeness.decisions",
                 "provenance_coverage", "log_integrity"),
        lacks="that every event that ought to be recorded is one retrospan was given",
    ),
    Clause(
        name="EU AI Act, Article 14 (human oversight)",
        asks="people can understand, override and stop the system, aware of automation bias",
        metrics=("override_rate", "override_rate.harmful", "review_latency.p50",
                 "review_latency.pending", "gate_outcomes.escalate", "below_threshold_rate"),
        lacks="what reviewers were shown, how they are trained, whether they may say no",
    ),
    Clause(
        name="EU AI Act, Articles 19 and 26(6) (logs kept, at least six months)",
        asks="logs are kept by provider and deployer for at least six months",
        metrics=("retention", "log_integrity"),
        lacks="backups, and logs that were never loaded here",
    ),
    Clause(
        name="EU AI Act, Article 26 (deployers)",
        asks="the system is used as instructed, overseen by competent people, and watched",
        metrics=("gate_coverage", "gate_coverage.after_action", "gate_coverage.missing",
                 "policy_agreement", "below_threshold_rate", "drift.confidence", "drift.choice"),
        lacks="the instructions for use themselves, notices to workers and authorities",
    ),
    Clause(
        name="EU AI Act, Article 72 (monitoring after the market)",
        asks="the provider collects and analyses how the system performs over its lifetime",
        metrics=("calibration.brier", "calibration.error", "drift.confidence", "fallback_rate",
                 "arms.failed"),
        lacks="the monitoring plan, and systems whose data is not here",
    ),
    Clause(
        name="NIST AI RMF, MEASURE 2 (performance, transparency, accountability)",
        asks="the system is measured in use for validity, reliability and accountability",
        metrics=("calibration.brier", "calibration.error", "determinism", "flip_rate.policy",
                 "flip_rate.model", "provenance_coverage", "arms.failed"),
        lacks="fairness across people: no attribute of persons is read",
    ),
    Clause(
        name="NIST AI RMF, MANAGE 4.1 (monitoring after deployment)",
        asks="there are plans for monitoring, appeal and override, incidents and change",
        metrics=("override_rate", "review_latency.pending", "drift.confidence", "fallback_rate"),
        lacks="the plans, and appeals of those concerned",
    ),
    Clause(
        name="ISO/IEC 42001, A.6.2.8 (event logs)",
        asks="logs are kept at the phases of the life cycle where they are needed",
        metrics=("audit_completeness", "log_integrity", "retention"),
        lacks="phases before operation",
    ),
    Clause(
        name="SR 11-7 (model risk: outcomes analysis, overrides, ongoing monitoring)",
        asks="outcomes are compared with forecasts, overrides tracked, models watched",
        metrics=("calibration.brier", "calibration.error", "override_rate", "drift.confidence",
                 "flip_rate.model", "policy_agreement", "experiment_isolation"),
        lacks="conceptual soundness, and validation by people apart from development",
    ),
)  # fmt: skip
CAVEAT = (
    "This supports evidence for the clauses below. It is no finding that a duty is met: scope, "
    "duties and dates are for people to judge, and parts of the law have moved."
)
