"""What was found of releases, as the rows of the document `retrospan.releases/1`."""

from analyzer.releases.arms import Arm, Tally, Thing
from analyzer.releases.compare import Comparison, Measure
from analyzer.releases.rollbacks import Rollback
from retrospan.documents import Document
from store.model import JsonValue

DIGITS = 6


def thing_row(thing: Thing) -> Document:
    """What ran in which versions."""
    return {
        "kind": thing.kind,
        "subject": thing.subject,
        "versions": [
            {
                "version": version.name,
                "first_ns": version.first_ns,
                "last_ns": version.last_ns,
                **_tally(version.total),
            }
            for version in thing.versions
        ],
    }


def comparison_row(comparison: Comparison) -> Document:
    """One version against the one before it."""
    pair = comparison.pair
    return {
        "kind": pair.candidate.kind,
        "subject": pair.candidate.subject,
        "design": pair.design,
        "baseline": _arm(pair.baseline),
        "candidate": _arm(pair.candidate),
        "release_verdict": comparison.verdict.value,
        "reason": comparison.reason,
        "measures": [_measure(one) for one in comparison.measures],
        "new_variants": [
            {
                "variant": one.variant,
                "n": one.n,
                "total": one.total,
                "baseline_n": one.baseline_n,
                "baseline_high": _rounded(one.high),
                "example_flow_id": one.example_flow_id,
            }
            for one in comparison.new_variants
        ],
    }


def rollback_row(rollback: Rollback) -> Document:
    """One version taken back."""
    return {
        "kind": rollback.withdrawn.kind,
        "subject": rollback.withdrawn.subject,
        "sort": rollback.sort,
        "from_version": rollback.withdrawn.version,
        "to_version": rollback.back_to,
        "since_ns": rollback.withdrawn.since_ns,
        "at_ns": rollback.at_ns,
        "restored": rollback.restored,
        "back_ns": rollback.back_ns,
        "meanwhile": list(rollback.meanwhile),
        "left_open": rollback.left_open,
        "successful": rollback.successful,
        "example_flow_id": rollback.example_flow_id,
        "recoveries": [
            {
                "metric": one.metric,
                "restored": one.restored,
                "before": _rounded(one.before),
                "before_n": one.before_n,
                "before_low": _rounded(one.low),
                "before_high": _rounded(one.high),
                "during": _rounded(one.during),
                "during_n": one.during_n,
                "after": _rounded(one.after),
                "after_n": one.after_n,
                "back_ns": one.back_ns,
            }
            for one in rollback.recoveries
        ],
    }


def _arm(arm: Arm) -> Document:
    return {"version": arm.version, "since_ns": arm.since_ns, "until_ns": arm.until_ns}


def _tally(tally: Tally) -> Document:
    return {
        "n": tally.n,
        "failed": tally.failed,
        "failed_known": tally.failed_known,
        "unsound": tally.unsound,
        "unsound_known": tally.unsound_known,
        "unknown_sampling": tally.unknown_sampling,
    }


def _measure(measure: Measure) -> Document:
    return {
        "metric": measure.metric,
        "verdict": measure.verdict.value,
        "unit": measure.unit,
        "baseline": _rounded(measure.baseline),
        "baseline_n": measure.baseline_n,
        "candidate": _rounded(measure.candidate),
        "candidate_n": measure.candidate_n,
        "low": _rounded(measure.low),
        "high": _rounded(measure.high),
        "p_value": _significant(measure.p_value),
        "q_value": _significant(measure.q_value),
    }


def _rounded(value: float | None) -> JsonValue:
    return value if value is None or isinstance(value, int) else round(value, DIGITS)


def _significant(value: float | None) -> JsonValue:
    return None if value is None else float(f"{value:.{DIGITS}g}")
