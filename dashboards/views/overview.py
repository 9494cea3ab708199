"""Overview: are we fine, and where does it burn?"""

import polars as pl
import streamlit as st

from dashboards import data, links, screens
from dashboards.components.outcome_chart import outcome_chart
from dashboards.components.picking_table import picking_table
from dashboards.markup import chip, heading, notes, worded
from dashboards.pages import PageFacts
from dashboards.summary import Health, Share, health
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

INCIDENT_COUNT_MAX = 6


def render() -> None:
    """The page."""
    overview = data.overview()
    st.html(heading("Overview", above="Are we fine, and where does it burn?"))
    if overview.spans == 0:
        screens.nothing_recorded()
        return
    st.html(_window_chips(overview))
    _doubts(overview)
    if overview.flows.is_empty():
        screens.nothing_derived(overview.underived)
        return
    _cards(health(overview.flows), overview.effects)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("How flows ended, over time (UTC)")
        outcome_chart(overview.flows, overview.incidents)
    with right:
        st.subheader("Incidents")
        _incidents(overview.incidents, overview.last_ns)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("Worst findings")
        _findings(overview.problems)
    with right:
        st.subheader("Services")
        _services(overview.services)


def _window_chips(overview: data.Overview) -> str:
    first, last = overview.first_ns, overview.last_ns
    ended = overview.flows["end_ns"].max() if overview.flows.height else None
    quiet_ns = last - int(str(ended)) if ended is not None and last is not None else None
    window = f"data: {time_text(first, digits=0)} – {time_text(last, digits=0)}"
    length = duration_text(last - first) if first is not None and last is not None else "–"
    chips = [
        chip(f"{window} ({length})", title="First and last recorded time in the store"),
        chip(
            f"last flow ended {duration_text(quiet_ns)} before the end of the data",
            title="Ages are counted from the end of the data, not from now",
        ),
        chip(f"{plural(overview.spans, 'span')} · {plural(overview.traces, 'trace')}"),
        chip(str(data.store_path()), title="The store these pages read"),
    ]
    return "".join(chips)


def _doubts(overview: data.Overview) -> None:
    lines = []
    if overview.underived and overview.flows.height:
        lines.append(
            f"{plural(overview.underived, 'trace')} stored but not yet derived into flows: "
            "the numbers below leave them out. Run `retrospan ingest` again to derive them."
        )
    if overview.rejected:
        lines.append(
            f"{plural(overview.rejected, 'input record')} could not be read and was kept aside; "
            f"most frequent reason: {overview.rejected_reason}"
        )
    if lines:
        st.html(notes(lines, tone="warn"))


def _cards(numbers: Health, effects: pl.DataFrame) -> None:
    shown = 6 if numbers.identical.whole else 5
    columns = st.columns(shown, gap="small")
    with columns[0].container(border=True):
        st.metric("Flows", count_text(numbers.flows))
        st.caption(_not_ended(numbers.ended_well))
        links.flows_link(f"All {plural(numbers.flows, 'flow')}")
    with columns[1].container(border=True):
        good = numbers.ended_well
        st.metric(
            "Ended well",
            share_text(good.part, good.whole),
            help="Succeeded, or compensated without a violated check; of the flows that ended.",
        )
        st.caption(f"{good.part:,} of {good.whole:,} ended flows")
        links.flows_link(
            f"{plural(good.whole - good.part, 'flow')} ended otherwise", **{"with": "ended badly"}
        )
    with columns[2].container(border=True):
        checked = numbers.violations
        st.metric("✖ Violations", count_text(checked.part))
        st.caption(
            f"flows, of {checked.whole:,} checked; {numbers.suspected:,} suspected, "
            f"{checked.unknown:,} unsettled"
        )
        links.flows_link(plural(checked.part, "violating flow"), verdict="violation")
    with columns[3].container(border=True):
        st.metric("Effects left standing", count_text(numbers.effects))
        st.caption(
            f"{markdown_safe(_amounts(effects))} in {plural(numbers.flows_with_effects, 'flow')}"
        )
        links.flows_link(
            f"{plural(numbers.flows_with_effects, 'flow')} to clean up",
            **{"with": "effects left standing"},
        )
    with columns[4].container(border=True):
        below = numbers.below_threshold
        st.metric("AI below threshold", count_text(below.part))
        st.caption(f"of {plural(below.whole, 'decision')} with both; {below.unknown:,} without")
        links.flows_link("Flows with such a decision", **{"with": "AI below threshold"})
    if numbers.identical.whole:
        with columns[5].container(border=True):
            same = numbers.identical
            st.metric("Replays identical", share_text(same.part, same.whole))
            st.caption(f"{same.part:,} of {plural(same.whole, 'replayed flow')}")
            links.flows_link(
                f"{plural(same.whole - same.part, 'flow')} not identical",
                **{"with": "replay not identical"},
            )


def _not_ended(share: Share) -> str:
    return f"{share.whole:,} ended, {share.unknown:,} open or unknown"


def _amounts(effects: pl.DataFrame) -> str:
    known = effects.drop_nulls("amount").iter_rows(named=True)
    sums = [amount_text(row["amount"], row["currency"]) for row in known]
    return " + ".join(sums) if sums else "no amounts recorded"


def _incidents(incidents: tuple[Incident, ...], last_ns: int | None) -> None:
    if not incidents:
        st.text("None found in this data. Declare one you know of:")
        st.code("retrospan incidents declare --from TIME --to TIME", language=None)
        return
    for incident in incidents[:INCIDENT_COUNT_MAX]:
        with st.container(border=True):
            before = last_ns - incident.start_ns if last_ns is not None else None
            above = (
                f"{time_text(incident.start_ns, digits=0)} · lasted "
                f"{duration_text(incident.end_ns - incident.start_ns)} · began "
                f"{duration_text(before)} before the end of the data"
            )
            st.html(heading(incident.title, above=above, size_rem="1.05"))
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
                + "".join(chip(name, title="service") for name in incident.services[:6])
            )
            links.flows_link(
                plural(len(incident.flow_ids), "affected flow"), incident=incident.incident_id
            )
    if len(incidents) > INCIDENT_COUNT_MAX:
        st.caption(f"{len(incidents) - INCIDENT_COUNT_MAX} more: retrospan incidents list")


def _findings(problems: pl.DataFrame) -> None:
    if problems.is_empty():
        st.text("No check was violated and no detector found anything in these flows.")
        return
    table = problems.select(
        pl.col("name").alias("check or detector"),
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
