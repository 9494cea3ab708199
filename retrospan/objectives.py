"""SLO reports and back-tests as documents."""

from collections.abc import Sequence
from fractions import Fraction

from analyzer.slo.backtest import RuleHistory
from analyzer.slo.budget import AlertState
from analyzer.slo.duration import short_text
from analyzer.slo.evaluate import SloReport
from analyzer.slo.ledger import Spending
from analyzer.slo.model import BurnRule, Method, Objective, Slo
from analyzer.slo.precision import Precision, incident_ids, precision
from analyzer.statistics.proportions import wilson
from retrospan.documents import Document
from store.conclusions import Incident
from store.model import JsonValue

DIGITS = 6
BAD_FLOWS_MAX = 1_000
BURNING = frozenset({"critical", "recovering", "increasing"})
"""States of an alert that somebody should look at."""


def report_document(reports: Sequence[SloReport], at_ns: int) -> Document:
    """`retrospan.slo/1`."""
    return {
        "schema": "retrospan.slo/1",
        "at_ns": at_ns,
        "slos": [report_row(report) for report in reports],
    }


def report_row(report: SloReport) -> dict[str, JsonValue]:
    """One objective; shares as numbers rounded to six digits, None where there is no data."""
    found = report.sli
    return {
        **_named(report.slo, report.objective),
        "description": report.slo.description,
        "labels": dict(report.slo.labels),
        "since_ns": report.since_ns,
        "sli": None if found is None else number(found.value),
        "sli_low": None if found is None else _rounded(found.low),
        "sli_high": None if found is None else _rounded(found.high),
        "good": None if found is None else number(found.good),
        "valid": None if found is None else number(found.valid),
        "flows": 0 if found is None else found.flows,
        "unknown": 0 if found is None else found.unknown,
        "open": report.open_flows,
        "coverage": number(report.coverage),
        "budget_remaining": number(report.budget_remaining),
        "minutes_to_exhaustion": number(report.minutes_to_exhaustion),
        "burn": _burns(report.alerts),
        "alerts": [_alert(state) for state in report.alerts],
        "ledger": [_spending(spending) for spending in report.spending],
        "bad_flow_count": len(report.bad_flow_ids),
        "bad_flow_ids": list(report.bad_flow_ids[:BAD_FLOWS_MAX]),
        "reason": report.reason,
    }


def alert_line(found: SloReport, state: AlertState) -> str:
    """An alert that burns, and what to do: its runbook."""
    windows = f"{short_text(state.rule.long_ns)}/{short_text(state.rule.short_ns)}"
    burn = "?" if state.long_burn is None else f"{float(state.long_burn):.1f}"
    runbook = f"; runbook: {state.rule.runbook}" if state.rule.runbook else "; it has no runbook"
    return (
        f"{found.slo.name}: {state.rule.severity} {state.state}, {state.bad_flows} bad flows in "
        f"{short_text(state.rule.long_ns)}, burn {burn} of {float(state.rule.threshold):g} "
        f"({windows}){runbook}"
    )


def standing(found: SloReport) -> str:
    """One objective in a few words."""
    if found.sli is None or found.sli.value is None:
        return f"{found.slo.name}: {found.reason}"
    unit = "slices" if found.slo.method is not Method.OCCURRENCES else "flows"
    unknown = f", {found.sli.unknown} flows unknown" if found.sli.unknown else ""
    return (
        f"{found.slo.name} {float(found.sli.value):.1%} of {float(found.objective.target):.1%} "
        f"({float(found.sli.good):g} of {float(found.sli.valid):g} {unit}{unknown})"
    )


def backtest_document(
    histories: Sequence[tuple[Slo, Objective, Sequence[RuleHistory]]],
    incidents: Sequence[Incident] = (),
) -> Document:
    """`retrospan.slo_backtest/1`; precision and recall are beside the declared incidents."""
    return {
        "schema": "retrospan.slo_backtest/1",
        "incident_count": len(incidents),
        "rules": [
            {
                **_named(slo, objective),
                **_rule(history.rule),
                "step_ns": history.step_ns,
                **_precision(precision(history, incidents)),
                "firings": [
                    {
                        "fired_ns": firing.fired_ns,
                        "resolved_ns": firing.resolved_ns,
                        "first_bad_ns": firing.first_bad_ns,
                        "delay_ns": firing.fired_ns - firing.first_bad_ns,
                        "bad_before": firing.bad_before,
                        "budget_spent": number(firing.spent),
                        "incident_ids": list(incident_ids(firing, incidents)),
                    }
                    for firing in history.firings
                ],
            }
            for slo, objective, rules in histories
            for history in rules
        ],
    }


def _precision(found: Precision) -> dict[str, JsonValue]:
    known = bool(found.detections)
    return {
        "precision": _part(found.matching, found.firings if known else 0),
        "recall": _part(found.detected, len(found.detections)),
        "detections": [
            {"incident_id": it.incident_id, "delay_ns": it.delay_ns} for it in found.detections
        ],
    }


def _part(hits: int, n: int) -> dict[str, JsonValue]:
    interval = wilson(hits, n) if n else None
    return {
        "value": number(Fraction(hits, n)) if n else None,
        "low": None if interval is None else _rounded(interval.low),
        "high": None if interval is None else _rounded(interval.high),
        "n": n,
    }


def _named(slo: Slo, objective: Objective) -> dict[str, JsonValue]:
    return {
        "name": slo.name,
        "title": slo.title,
        "service": slo.service,
        "objective": objective.name,
        "target": number(objective.target),
        "method": slo.method.value,
        "window": slo.window.span.text,
        "rolling": slo.window.rolling,
    }


def _rule(rule: BurnRule) -> dict[str, JsonValue]:
    return {
        "severity": rule.severity,
        "threshold": number(rule.threshold),
        "long_window": short_text(rule.long_ns),
        "short_window": short_text(rule.short_ns),
        "runbook": rule.runbook,
    }


def _alert(state: AlertState) -> dict[str, JsonValue]:
    return {
        **_rule(state.rule),
        "state": state.state,
        "long_burn": number(state.long_burn),
        "short_burn": number(state.short_burn),
        "bad_flows": state.bad_flows,
    }


def _burns(states: Sequence[AlertState]) -> list[JsonValue]:
    return [{"window": window, "rate": number(rate)} for window, rate in burns_by_window(states)]


def burns_by_window(states: Sequence[AlertState]) -> list[tuple[str, Fraction | None]]:
    """Each window once with its burn rate, the shortest first."""
    windows = {state.rule.long_ns: state.long_burn for state in states}
    windows |= {state.rule.short_ns: state.short_burn for state in states}
    return [(short_text(length), rate) for length, rate in sorted(windows.items())]


def _spending(spending: Spending) -> dict[str, JsonValue]:
    return {
        "dimension": spending.dimension,
        "cause": spending.cause,
        "bad_flows": spending.bad_flows,
        "spent": number(spending.spent),
        "share_of_good": number(spending.share_of_good),
        "budget_remaining_without": number(spending.remaining_without),
        "flow_ids": list(spending.flow_ids),
    }


def number(value: Fraction | None) -> float | None:
    """An exact share as a number of six digits; the same bits on every machine."""
    return None if value is None else _rounded(value.numerator / value.denominator)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
