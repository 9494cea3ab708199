"""Overview: whether we are fine, or where it burns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
import streamlit as st

from dashboards import data, flow_questions, links, screens
from dashboards.check_titles import titled
from dashboards.components.outcome_chart import outcome_chart
from dashboards.components.picking_table import picking_table
from dashboards.data import Holdings
from dashboards.markup import chip, heading, line, notes, worded
from dashboards.moments import local_text, moment
from dashboards.objectives import worst_objectives
from dashboards.pages import PageFacts
from dashboards.scoped import scoped
from dashboards.summary import Health
from dashboards.wording import (
    amount_text,
    count_text,
    duration_text,
    markdown_safe,
    plural,
    share_text,
    time_text,
)
from store.conclusions import Incident

PAGE = PageFacts(title="Overview", section="Operate", order=10, url_path="overview", default=True)

INCIDENT_COUNT_MAX = 4
SERVICES_MAX = 4
TREND_MIN = 3  # fewer points make no trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number with its scope, and the way to the flows it counts."""

    title: str
    value: str
    scope: str
    link: str
    flows: int
    filters: Mapping[str, str] = field(default_factory=dict)
    explanation: str | None = None
    trend: Sequence[float] = ()
    """The number over time, from the beginning of the range to its end; NaN is a gap."""


def render() -> None:
    """The page."""
    start = scoped("Overview", "Are we fine, and where does it burn?", None, _head)
    if start is None:
        return
    holdings, scope = start
    numbers = flow_questions.scope_health(scope)
    incidents = flow_questions.incidents(scope)
    _cards(numbers, flow_questions.effect_sums(scope), flow_questions.health_in_time(scope))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("How flows ended, over time (UTC)")
        outcome_chart(flow_questions.outcomes(scope), incidents)
        st.subheader("Worst findings")
        _findings(flow_questions.ranked_problems(scope), numbers.violations.whole)
        st.subheader("Services, over all data")
        _services(flow_questions.services())
    with right:
        st.subheader("Incidents")
        _incidents(incidents, holdings.last_ns)
        st.subheader("Objectives, worst first")
        worst_objectives(scope, holdings, incidents)


def _head(holdings: Holdings) -> None:
    st.html(_window_chips(holdings))
    _doubts(holdings)


def _window_chips(holdings: Holdings) -> str:
    first, last = holdings.first_ns, holdings.last_ns
    ended = holdings.last_flow_ns
    quiet_ns = last - ended if ended is not None and last is not None else None
    window = f"data: {time_text(first, digits=0)} – {time_text(last, digits=0)}"
    zone = st.context.timezone
    own = [local_text(at_ns, zone) for at_ns in (first, last)]
    length = duration_text(last - first) if first is not None and last is not None else "–"
    chips = [
        chip(
            f"{window} ({length})",
            title="First and last recorded time" + (f": {own[0]} – {own[1]}" if all(own) else ""),
        ),
        chip(
            f"last flow ended {duration_text(quiet_ns)} before the end of the data"
            if quiet_ns is not None and quiet_ns > 0
            else "flows run up to the end of the data",
            title="Ages are counted from the end of the data, not from now",
        ),
        chip(f"{plural(holdings.spans, 'span')} · {plural(holdings.traces, 'trace')}"),
        chip(str(data.store_path()), title="The store these pages read"),
    ]
    return "".join(chips)


def _doubts(holdings: Holdings) -> None:
    lines = []
    if holdings.underived and holdings.flow_count:
        lines.append(
            f"{plural(holdings.underived, 'trace')} stored but not yet derived into flows: "
            "the numbers below leave them out. Run `retrospan ingest` again to derive them."
        )
    if holdings.rejected:
        lines.append(
            f"{plural(holdings.rejected, 'input record')} could not be read and was kept aside; "
            f"most frequent reason: {holdings.rejected_reason}"
        )
    if lines:
        st.html(notes(lines, tone="warn"))


def _cards(numbers: Health, effects: pl.DataFrame, times: pl.DataFrame) -> None:
    cards = [card for card in _card_facts(numbers, effects, times) if card is not None]
    for column, card in zip(st.columns(len(cards), gap="small"), cards, strict=True):
        with column.container(border=True, height="stretch"):
            trend = card.trend if len(card.trend) >= TREND_MIN else None
            st.metric(
                card.title, card.value, help=card.explanation, chart_data=trend, chart_type="bar"
            )
            st.caption(markdown_safe(card.scope))
            if card.flows:
                links.flows_link(card.link, **card.filters)


def _card_facts(numbers: Health, effects: pl.DataFrame, times: pl.DataFrame) -> list[Card | None]:
    good, checked = numbers.ended_well, numbers.violations
    below, same = numbers.below_threshold, numbers.identical
    return [
        Card(
            title="Flows",
            value=count_text(numbers.flows),
            scope=f"{good.whole:,} ended, {good.unknown:,} open or unknown",
            link=f"All {plural(numbers.flows, 'flow')}",
            flows=numbers.flows,
            trend=times["flows"].to_list(),
        ),
        Card(
            title="Ended well",
            value=share_text(good.part, good.whole),
            scope=f"{good.part:,} of {good.whole:,} ended flows",
            explanation="Succeeded, or compensated without a violated saga check.",
            link=f"{good.whole - good.part:,} ended badly",
            flows=good.whole - good.part,
            filters={"with": "ended badly"},
            trend=(times["good"] / times["ended"]).to_list(),
        ),
        Card(
            title="✖ Saga violations",
            value=count_text(checked.part) if checked.whole else "–",
            scope=f"flows, of {checked.whole:,} checked; {numbers.suspected:,} suspected, "
            f"{checked.unknown:,} unsettled",
            link=plural(checked.part, "flow"),
            flows=checked.part,
            filters={"verdict": "violation"},
            trend=times["violated"].to_list() if checked.whole else (),
        ),
        Card(
            title="Effects left standing",
            value=count_text(numbers.effects) if checked.whole else "–",
            scope=_effects_scope(numbers, effects),
            link=plural(numbers.flows_with_effects, "flow"),
            flows=numbers.flows_with_effects,
            filters={"with": "effects left standing"},
            trend=times["effects"].to_list() if checked.whole else (),
        ),
        Card(
            title="AI below threshold",
            value=count_text(below.part) if below.whole else "–",
            scope=f"of {plural(below.whole, 'decision')} with confidence and threshold; "
            f"{below.unknown:,} without",
            link="Their flows",
            flows=below.part,
            filters={"with": "AI below threshold"},
            trend=times["below"].to_list() if below.whole else (),
        ),
        Card(
            title="Replays identical",
            value=share_text(same.part, same.whole),
            scope=f"{same.part:,} of {plural(same.whole, 'replayed flow')}",
            link=f"{same.whole - same.part:,} not identical",
            flows=same.whole - same.part,
            filters={"with": "replay not identical"},
        )
        if same.whole
        else None,
    ]


def _effects_scope(numbers: Health, effects: pl.DataFrame) -> str:
    if not numbers.effects:
        return f"in {numbers.violations.whole:,} checked flows"
    return f"{_amounts(effects)} in {plural(numbers.flows_with_effects, 'flow')}"


def _amounts(effects: pl.DataFrame) -> str:
    told = effects.drop_nulls("amount")
    sums = [amount_text(row["amount"], row["currency"]) for row in told.iter_rows(named=True)]
    silent = int(effects["effects"].sum()) - int(effects["told"].sum())
    unknown = f", {silent:,} without an amount" if silent and sums else ""
    return " + ".join(sums) + unknown if sums else "no amounts recorded"


def _incidents(incidents: tuple[Incident, ...], last_ns: int | None) -> None:
    if not incidents:
        st.text("None found in this data. Declare one you know of:")
        st.code("retrospan incidents declare --from TIME --to TIME", language=None)
        return
    for incident in incidents[:INCIDENT_COUNT_MAX]:
        with st.container(border=True):
            before = last_ns - incident.start_ns if last_ns is not None else None
            services = ", ".join(incident.services[:SERVICES_MAX])
            more = len(incident.services) - SERVICES_MAX
            st.html(
                heading(incident.title, size_rem="1.05")
                + f'<div style="font-size:.85rem;opacity:.85">{moment(incident.start_ns)} · lasted '
                f"{duration_text(incident.end_ns - incident.start_ns)} · began "
                f"{duration_text(before)} before the end of the data</div>"
            )
            steps = [
                ("detected", incident.detected_ns),
                ("mitigated", incident.mitigated_ns),
                ("recovered", incident.recovered_ns),
            ]
            st.html(
                "".join(
                    chip(
                        f"{word} after {duration_text(at - incident.start_ns)}"
                        if at is not None
                        else f"{word}: not seen",
                        tone="info" if at is not None else "neutral",
                    )
                    for word, at in steps
                )
                + line([services + (f" and {more} more" if more > 0 else "")])
            )
            with st.container(horizontal=True, gap="small"):
                links.view_link("incidents", "Open the incident", id=incident.incident_id)
                links.flows_link(
                    plural(len(incident.flow_ids), "affected flow"), incident=incident.incident_id
                )
    if len(incidents) > INCIDENT_COUNT_MAX:
        links.view_link("incidents", f"{len(incidents) - INCIDENT_COUNT_MAX:,} more incidents")


def _findings(problems: pl.DataFrame, checked: int) -> None:
    if problems.is_empty() and not checked:
        st.text("No flow has been checked: no saga was found in this data.")
        return
    if problems.is_empty():
        st.text(f"Nothing violated or suspected in {plural(checked, 'checked flow')}.")
        return
    table = problems.select(
        pl.col("name").map_elements(titled, return_dtype=pl.String).alias("check or detector"),
        pl.col("verdict").map_elements(worded, return_dtype=pl.String),
        "flows",
        pl.col("findings").alias("times"),
        pl.col("message").alias("for example"),
    )
    st.caption("Select a row to see its flows.")
    row = picking_table(table, key="overview_findings", alt="Findings by check and detector")
    if row is not None:
        links.open_flows(problem=problems["name"][row])


def _services(services: pl.DataFrame) -> None:
    table = services.select(
        "service",
        "flows",
        "spans",
        pl.col("errors").alias("failed spans"),
        (pl.col("errors") * 100 / pl.col("spans")).alias("failed %"),
    )
    st.caption("Select a row to see its flows.")
    row = picking_table(
        table,
        key="overview_services",
        alt="Services with span and error counts",
        columns={"failed %": st.column_config.NumberColumn(format="%.1f %%")},
    )
    if row is not None:
        links.open_flows(service=services["service"][row])


if __name__ == "__main__":
    screens.guarded(render)
