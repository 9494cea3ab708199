"""Whether it burns: flows that ended well, the worst budget, open incidents, stuck sagas."""

from collections.abc import Sequence
from math import nan

import polars as pl

from dashboards.components.cards import Card
from dashboards.estimates import percent
from dashboards.slo_parts.charts import budget_course, burn_course, grid_of
from dashboards.slo_parts.judged import Judged
from dashboards.slo_parts.tables import STATES, budget, counted, worst_alert
from dashboards.summary import Health
from dashboards.wording import clean, count_text, duration_text, plural, share_text, shortened
from store.conclusions import Incident

POINTS = 40
TITLE_LENGTH_MAX = 48


def burning_cards(
    numbers: Health,
    times: pl.DataFrame,
    objectives: Sequence[Judged],
    incidents: Sequence[Incident],
) -> list[Card]:
    """The first row; `objectives` have the worst one first."""
    good = numbers.ended_well
    return [
        Card(
            title="Ended well",
            value=share_text(good.part, good.whole),
            scope=f"{good.part:,} of {plural(good.whole, 'ended flow')}",
            explanation="Succeeded, or compensated without a violated saga check.",
            link=f"{good.whole - good.part:,} ended badly" if good.part < good.whole else "",
            target={"with": "ended badly"},
            trend=(times["good"] / times["ended"]).to_list(),
        ),
        *_budgets(objectives),
        _open_incidents(incidents),
        _stuck(numbers, times),
    ]


def _budgets(objectives: Sequence[Judged]) -> list[Card]:
    told = [one for one in objectives if one.report.budget_remaining is not None]
    if not told:
        why = "no objective has a number here" if objectives else "no objective counts these flows"
        return [
            Card(title=title, value="–", scope=why, link="Objectives", view="slos")
            for title in ("Budget left", "Burn")
        ]
    worst = told[0]
    report = worst.report
    name = shortened(clean(report.slo.title or report.slo.name), TITLE_LENGTH_MAX)
    silent = len(objectives) - len(told)
    grid = grid_of(worst, POINTS)
    budget_card = Card(
        title="Budget left",
        value=budget(worst),
        scope=f"“{name}”, the worst of {plural(len(told), 'objective')}: {counted(worst)} in "
        f"{report.slo.window.span.text}" + (f"; {silent:,} without a number" if silent else ""),
        explanation="What is left of the error budget of the objective's own window.",
        link="The objective",
        view="slos",
        target={"slo": worst.key},
        trend=_gaps(budget_course(worst, grid)),
        is_line=True,
    )
    return [budget_card, _burn(worst, name, grid)]


def _burn(worst: Judged, name: str, grid: Sequence[int]) -> Card:
    state = worst_alert(worst.report.alerts)
    if state is None:
        scope, link = f"“{name}” has no alert rule", "The objective"
        return Card(
            title="Burn", value="–", scope=scope, link=link, view="slos", target={"slo": worst.key}
        )
    rule = state.rule
    windows = f"{duration_text(rule.long_ns)} / {duration_text(rule.short_ns)}"
    burns = " / ".join(
        "–" if one is None else f"{float(one):.1f}" for one in (state.long_burn, state.short_burn)
    )
    return Card(
        title=f"Burn, {windows}",
        value=f"{burns} ×",
        scope=f"{STATES[state.state]}: “{name}” alerts at {float(rule.threshold):g} × in both; "
        f"{plural(state.bad_flows, 'bad flow')} in {duration_text(rule.long_ns)}",
        explanation=f"1 × spends exactly the budget in {worst.report.slo.window.span.text}; "
        f"{percent(worst.report.objective.budget)} may go wrong.",
        link="The objective",
        view="slos",
        target={"slo": worst.key},
        trend=_gaps(burn_course(worst, rule.long_ns, grid)),
        is_line=True,
    )


def _gaps(course: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in course]


def _open_incidents(incidents: Sequence[Incident]) -> Card:
    still = [one for one in incidents if one.recovered_ns is None]
    if not still:
        scope = f"of {len(incidents):,} known here" if incidents else "none is known here"
        link = "All incidents" if incidents else ""
        return Card(title="Open incidents", value="0", scope=scope, link=link, view="incidents")
    newest = still[0]
    one = len(still) == 1
    return Card(
        title="Open incidents",
        value=f"✖ {count_text(len(still))}",
        scope=f"of {len(incidents):,}; no recovery was seen. Latest: "
        f"{shortened(clean(newest.title), TITLE_LENGTH_MAX)}",
        link="Open it" if one else "All incidents",
        view="incidents",
        target={"id": newest.incident_id} if one else {},
    )


def _stuck(numbers: Health, times: pl.DataFrame) -> Card:
    stuck = numbers.stuck
    return Card(
        title="Stuck sagas",
        value=count_text(stuck.part) if stuck.whole else "–",
        scope=f"of {plural(stuck.whole, 'flow')} with a saga"
        if stuck.whole
        else "no flow here has a saga",
        explanation="Effects are left standing, or the flow never came to rest.",
        link="What is stuck" if stuck.part else "",
        view="compensation",
        trend=times["stuck"].to_list() if stuck.whole else (),
    )
