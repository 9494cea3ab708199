"""SLOs: how much budget is left, who spent it, would an alert have fired."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from analyzer.slo.duration import short_text
from dashboards import links, screens
from dashboards.components.exports import exports
from dashboards.components.flow_rows import flow_rows
from dashboards.components.picking_table import picking_table
from dashboards.components.plain_table import plain_table
from dashboards.configured import Targets, targets
from dashboards.estimates import interval, percent
from dashboards.flow_questions import incidents
from dashboards.markup import heading, line, notes
from dashboards.moments import moment
from dashboards.objectives import worst_first
from dashboards.pages import PageFacts
from dashboards.scoped import scoped
from dashboards.slo_parts.charts import budget_chart, burn_chart
from dashboards.slo_parts.judged import FLOWS_MAX, Judged, judged
from dashboards.slo_parts.tables import (
    alert_rows,
    burn,
    counted,
    firing_rows,
    objective_rows,
    spending_rows,
    worst_state,
)
from dashboards.wide_ranges import wanted_of_store
from dashboards.wording import clean, duration_text, plural, time_text
from retrospan.timespan import rfc3339
from store.conclusions import Incident
from store.errors import NotFoundError

PAGE = PageFacts(title="SLOs", section="Operate", order=25, url_path="slos")
NS_PER_MINUTE = 60_000_000_000


def render() -> None:
    """The page: all objectives, or one (`?slo=NAME`, and `&cause=KIND:CAUSE` of its ledger)."""
    asks = "How much budget is left, who spent it, would an alert have fired?"
    start = scoped("SLOs", asks, None)
    if start is None:
        return
    holdings, scope = start
    if not wanted_of_store("flows", holdings.flow_count, FLOWS_MAX):
        return
    held_to = targets()
    found = judged(held_to, scope, holdings)
    if not found:
        _nothing(held_to)
        return
    wanted = st.query_params.get("slo")
    if wanted:
        _one(wanted, found, incidents(scope), held_to)
    else:
        _list(found, incidents(scope), held_to)


def _nothing(held_to: Targets) -> None:
    if held_to.own:
        st.text("The files in [slo] of the configuration hold no objective.")
        return
    st.html(heading("No objective for these flows", size_rem="1.2"))
    st.text("Write OpenSLO files and name them in retrospan.toml, then start the pages with it:")
    st.code('[slo]\nfiles = ["slos"]', language="toml")
    st.text("The facts of a flow that an objective can name:")
    links.as_command("slo", "facts")


def _shipped_note(held_to: Targets) -> None:
    if not held_to.own:
        st.caption(
            "No objectives of your own are configured: these come with retrospan for its recorded "
            'systems. Yours: [slo] files = ["slos"] in retrospan.toml.'
        )


def _list(found: Sequence[Judged], known: Sequence[Incident], held_to: Targets) -> None:
    _shipped_note(held_to)
    found = worst_first(found)
    table = objective_rows(found)
    at_ns = found[0].report.at_ns
    st.html(f"<div>Seen at {moment(at_ns, digits=3)}.</div>")
    st.caption(f"{plural(len(found), 'objective')}. Select a row to see who spent its budget.")
    wide = {"budget left": st.column_config.Column(width=110)}
    row = picking_table(table, key="slo_table", alt="Objectives with their budgets", columns=wide)
    if row is not None:
        links.open_view("slos", slo=found[row].key)
    exports(table, "slos")
    worst = found[0]
    if worst.line is not None:
        st.subheader("Least budget left")
        st.text(clean(worst.report.slo.title or worst.report.slo.name))
        budget_chart(worst, known)
    with st.expander("From the command line"):
        at = ["--at", rfc3339(at_ns)] if "to" in st.query_params else []
        links.as_command("slo", "report", *map(str, _files(held_to)), *at, "--json", whole=True)


def _files(held_to: Targets) -> Sequence[Path]:
    """Files a command has to be told: those it does not find in the configuration."""
    return () if held_to.own else held_to.files


def _one(wanted: str, found: Sequence[Judged], known: Sequence[Incident], held_to: Targets) -> None:
    links.view_link("slos", "All objectives")
    chosen = next((one for one in found if one.key == wanted), None)
    if chosen is None:
        listed = ", ".join(one.key for one in found)
        raise NotFoundError(f"no objective {wanted} counts flows here; there are: {listed}")
    report = chosen.report
    window = f"{'rolling ' if report.slo.window.rolling else ''}{report.slo.window.span.text}"
    above = f"objective of {report.slo.service or 'no service'}, {report.slo.method}, {window}"
    st.html(heading(report.slo.title or report.slo.name, above=above))
    if report.slo.description:
        st.text(clean(report.slo.description))
    _shipped_note(held_to)
    if report.reason:
        st.html(notes([f"No budget: {report.reason}"], tone="warn"))
        _own_time(chosen)
    _cards(chosen)
    st.html(
        f"<div>Window {moment(report.since_ns, digits=3)} – {moment(report.at_ns, digits=3)}</div>"
    )
    if not report.reason:
        _burning(chosen, known)
        _ledger(chosen)
        _backtest(chosen, known, held_to)


def _own_time(one: Judged) -> None:
    """A way to the time this objective has flows in, where the range ends elsewhere."""
    line = one.line
    if line is None or not line.times or one.report.since_ns <= line.times[-1]:
        return
    last_ns = line.times[-1] + 1
    links.view_link(
        "slos",
        f"See it when its last flow ended, {time_text(last_ns, digits=0)}",
        slo=one.key,
        to=rfc3339(last_ns),
    )


def _cards(one: Judged) -> None:
    report = one.report
    sli = report.sli
    bounds = interval(sli.low, sli.high) if sli is not None else ""
    left = report.minutes_to_exhaustion
    cards = [
        (
            "Good so far",
            percent(sli.value, 2) if sli is not None else "–",
            f"of {counted(one)}{f', 95 %: {bounds}' if bounds else ''}; target "
            f"{percent(report.objective.target, 2)}",
        ),
        (
            "Budget left",
            percent(report.budget_remaining),
            f"{'✖ overspent; ' if (report.budget_remaining or 0) < 0 else ''}"
            f"{plural(len(report.bad_flow_ids), 'bad flow')} spent it",
        ),
        (
            "Lasts for",
            "–" if left is None else duration_text(int(left * NS_PER_MINUTE)),
            "at the burn of the longest window" if left is not None else _no_end(one),
        ),
        ("Fastest burn", burn(report.alerts), f"alerts: {worst_state(report.alerts)}"),
        (
            "Not in these numbers",
            f"{(sli.unknown if sli is not None else 0) + report.open_flows:,}",
            f"flows: {sli.unknown if sli is not None else 0:,} that cannot be judged, "
            f"{report.open_flows:,} not ended; data in {percent(report.coverage)} of the window",
        ),
    ]
    for column, (title, value, scope) in zip(st.columns(len(cards)), cards, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.metric(title, value)
            st.caption(scope)


def _no_end(one: Judged) -> str:
    """Why a budget has no moment at which it is gone."""
    left = one.report.budget_remaining
    if left is None:
        return "no budget is known"
    return "nothing is left" if left <= 0 else "nothing burns"


def _burning(one: Judged, known: Sequence[Incident]) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Budget left")
        budget_chart(one, known)
    with right:
        st.subheader("Burn rate")
        rules = one.report.slo.rules
        if not rules:
            st.text("This objective has no alert rule.")
            return
        place = 0
        if len(rules) > 1:
            place = st.selectbox(
                "Alert rule",
                range(len(rules)),
                format_func=lambda it: (
                    f"{rules[it].severity}: {short_text(rules[it].long_ns)} and "
                    f"{short_text(rules[it].short_ns)}"
                ),
                label_visibility="collapsed",
            )
        burn_chart(one, rules[place], known)
    plain_table(alert_rows(one.report.alerts), key="slo_alerts", alt="Alert rules, now")


def _ledger(one: Judged) -> None:
    st.subheader("Who spent the budget")
    if not one.report.spending:
        st.text("No budget was spent.")
        return
    st.caption(
        "A flow can carry several causes, so shares do not add up. A cause that is as common among "
        "good flows explains nothing. Select a row to see its bad flows below."
    )
    table = spending_rows(one)
    row = picking_table(table, key="slo_ledger", alt="Spending by cause", height_max_px=420)
    if row is not None:
        spent = one.report.spending[row]
        links.open_view("slos", slo=one.key, cause=f"{spent.dimension}:{spent.cause}")
    exports(table, "budget-ledger")
    kind, _, cause = st.query_params.get("cause", "").partition(":")
    st.subheader("Bad flows" + (f" with {kind} " if cause else ""))
    if cause:
        st.html(line([cause]))
        links.view_link("slos", "All bad flows", slo=one.key)
    flow_rows(one.bad(kind, cause), key="slo_bad_flows", alt="Bad flows, latest first")


def _backtest(one: Judged, incidents: Sequence[Incident], held_to: Targets) -> None:
    st.subheader("Would an alert have fired?")
    histories = one.histories()
    table = firing_rows(histories)
    known = [incident for incident in incidents if _overlaps(one, incident.start_ns)]
    if table.is_empty():
        st.text(f"None of {plural(len(histories), 'alert rule')} would have fired.")
    else:
        st.caption(
            f"{plural(table.height, 'firing')} of {plural(len(histories), 'rule')} over all flows "
            f"in this selection; {plural(len(known), 'incident')} known in that time."
        )
        plain_table(table, key="slo_firings", alt="Firings of alerts")
        exports(table, "alert-backtest")
    with st.expander("From the command line"):
        links.as_command("slo", "backtest", *map(str, _files(held_to)), "--json", whole=True)


def _overlaps(one: Judged, at_ns: int) -> bool:
    line = one.line
    return line is not None and bool(line.times) and line.times[0] <= at_ns <= line.times[-1]


if __name__ == "__main__":
    screens.guarded(render)
