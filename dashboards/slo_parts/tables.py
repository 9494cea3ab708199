"""Rows of the SLOs page: pure."""

from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from analyzer.slo.backtest import RuleHistory
from analyzer.slo.budget import AlertState
from analyzer.slo.duration import short_text
from dashboards.check_titles import titled
from dashboards.estimates import interval, percent
from dashboards.slo_parts.judged import Judged
from dashboards.wording import clean, duration_text, plural, time_text

STATES = {
    "critical": "✖ critical",
    "increasing": "◐ increasing",
    "recovering": "◐ recovering",
    "low_traffic": "? too few bad events",
    "no_data": "? no data",
    "ok": "✔ ok",
}
_WORST = list(STATES)


def objective_rows(found: Sequence[Judged]) -> pl.DataFrame:
    """One row per objective, in the order of their files."""
    return pl.DataFrame([_objective(one) for one in found])


def _objective(one: Judged) -> dict[str, object]:
    report = one.report
    sli = report.sli
    return {
        "objective": clean(report.slo.title or report.slo.name),
        "target": percent(report.objective.target, 2),
        "so far": percent(sli.value, 2) if sli is not None else "–",
        "95 %": (interval(sli.low, sli.high) or "–") if sli is not None else "–",
        "of": counted(one),
        "unknown": f"{sli.unknown:,}" if sli is not None else "–",
        "budget left": budget(one),
        "burn, worst": burn(report.alerts),
        "alerts": worst_state(report.alerts),
        "bad flows": len(report.bad_flow_ids),
        "time with data": percent(report.coverage),
        "team": clean(report.slo.labels.get("team", "not said")),
        "no number, because": clean(report.reason) or "–",
    }


def counted(one: Judged) -> str:
    """What the indicator is a share of."""
    sli = one.report.sli
    if sli is None:
        return "nothing"
    if sli.low is None and sli.valid:
        return f"{float(sli.valid):,.0f} slices, {plural(sli.flows, 'flow')}"
    return plural(sli.flows, "flow")


def budget(one: Judged) -> str:
    """What is left of the budget; less than nothing, with its mark, when it is overspent."""
    left = one.report.budget_remaining
    if left is None:
        return "–"
    return f"✖ {percent(left)}" if left < 0 else percent(left)


def burn(alerts: Sequence[AlertState]) -> str:
    """The fastest burn of any window."""
    known = [
        burn for state in alerts for burn in (state.long_burn, state.short_burn) if burn is not None
    ]
    return f"{float(max(known)):.1f} ×" if known else "–"


def worst_alert(alerts: Sequence[AlertState]) -> AlertState | None:
    """The rule in the worst state, the first of them; None without rules."""
    return min(alerts, key=lambda one: _WORST.index(one.state), default=None)


def worst_state(alerts: Sequence[AlertState]) -> str:
    """The worst state of the rules, in words with an icon."""
    worst = worst_alert(alerts)
    return "no alert rule" if worst is None else STATES[worst.state]


def alert_rows(alerts: Sequence[AlertState]) -> pl.DataFrame:
    """One row per alert rule, with its two windows."""
    return pl.DataFrame(
        [
            {
                "alert": clean(one.rule.severity),
                "state": STATES[one.state],
                "needs": f"{float(one.rule.threshold):g} × in both",
                "long window": short_text(one.rule.long_ns),
                "burn there": _times(one.long_burn),
                "short window": short_text(one.rule.short_ns),
                "burn here": _times(one.short_burn),
                "bad flows": one.bad_flows,
                "runbook": clean(one.rule.runbook) or "–",
            }
            for one in alerts
        ]
    )


def _times(value: Fraction | None) -> str:
    return "–" if value is None else f"{float(value):.1f} ×"


def spending_rows(one: Judged) -> pl.DataFrame:
    """One row per cause of spending."""
    return pl.DataFrame(
        [
            {
                "kind": it.dimension,
                "cause": clean(titled(it.cause) if it.dimension == "finding" else it.cause),
                "bad flows": it.bad_flows,
                "of all spent": percent(it.spent),
                "among good flows": percent(it.share_of_good),
                "budget left without it": percent(it.remaining_without),
            }
            for it in one.report.spending
        ]
    )


def firing_rows(histories: Sequence[RuleHistory]) -> pl.DataFrame:
    """One row per time an alert would have been on."""
    return pl.DataFrame(
        [
            {
                "alert": clean(history.rule.severity),
                "windows": f"{short_text(history.rule.long_ns)} and "
                f"{short_text(history.rule.short_ns)}",
                "fired": time_text(firing.fired_ns),
                "after the first bad flow": duration_text(firing.fired_ns - firing.first_bad_ns),
                "was on for": "to the end of the data"
                if firing.resolved_ns is None
                else duration_text(firing.resolved_ns - firing.fired_ns),
                "bad flows by then": firing.bad_before,
                "budget gone by then": percent(firing.spent),
            }
            for history in histories
            for firing in history.firings
        ]
    )
