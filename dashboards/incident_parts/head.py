"""The top of one incident: when, how far, how many."""

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.cards import Card, draw
from dashboards.data import Overview
from dashboards.flow_questions import running
from dashboards.markup import chip, heading
from dashboards.moments import moment
from dashboards.scope import Scope
from dashboards.summary import Health, health
from dashboards.wording import amount_text, clean, duration_text, plural, share_text
from retrospan.timespan import rfc3339
from store.conclusions import Incident

SERVICES_MAX = 12
CURRENCIES_MAX = 3


def head(incident: Incident, overview: Overview, scope: Scope) -> None:
    """Title, times, and the numbers of its flows in scope, which `overview` holds."""
    took = duration_text(incident.end_ns - incident.start_ns)
    above = f"incident, told by {incident.declared_by}, lasted {took}"
    st.html(heading(clean(incident.title) or "Untitled", above=above))
    st.html(times(incident))
    left, right = st.columns([2, 3], gap="small")
    with left:
        st.code(incident.incident_id, language=None)
    with right:
        links.as_command("incidents", "show", incident.incident_id, "--json")
    with st.container(horizontal=True, vertical_alignment="center"):
        links.view_link("slos", "Budgets when it ended", to=rfc3339(incident.end_ns + 1))
        links.flows_link("Replay its flows", incident=incident.incident_id, view="Batch replay")
    touched = touched_by(incident, overview.flows)
    inside = running(scope, incident.start_ns, incident.end_ns)
    standing = overview.effects.join(touched, on="flow_id", how="semi")
    draw(_told(incident, health(touched), inside, standing))


def times(incident: Incident) -> str:
    """Chips of the behavioural times; what was not seen says so."""
    steps = [
        ("detected", incident.detected_ns),
        ("mitigated", incident.mitigated_ns),
        ("recovered", incident.recovered_ns),
    ]
    chips = [
        chip(f"{word} after {duration_text(at_ns - incident.start_ns)}", tone="info")
        if at_ns is not None
        else chip(f"{word}: not seen in the data", icon="?")
        for word, at_ns in steps
    ]
    services = [chip(name, title="service") for name in incident.services[:SERVICES_MAX]]
    more = len(incident.services) - SERVICES_MAX
    window = f"{moment(incident.start_ns)} – {moment(incident.end_ns)}"
    rest = f" and {more} more services" if more > 0 else ""
    return f'<div style="margin-bottom:6px">{window}</div>' + "".join(chips + services) + rest


def touched_by(incident: Incident, flows: pl.DataFrame) -> pl.DataFrame:
    """The affected flows in scope."""
    return flows.filter(pl.col("flow_id").is_in(list(incident.flow_ids)))


def _told(incident: Incident, numbers: Health, inside: int, effects: pl.DataFrame) -> list[Card]:
    outside = len(incident.flow_ids) - numbers.flows
    checked, below, same = numbers.violations, numbers.below_threshold, numbers.identical
    own = {"incident": incident.incident_id}
    beyond = f"; {outside:,} more outside this selection" if outside else ""
    return [
        Card(
            title="Affected flows",
            value=f"{numbers.flows:,}",
            scope=f"of {inside:,} that ran in the window{beyond}",
            link=plural(numbers.flows, "flow") if numbers.flows else "",
            target=own,
        ),
        Card(
            title="✖ Saga violations",
            value=f"{checked.part:,}" if checked.whole else "–",
            scope=f"flows, of {checked.whole:,} checked; {numbers.suspected:,} suspected, "
            f"{checked.unknown:,} unsettled",
            link=plural(checked.part, "flow") if checked.part else "",
            target={**own, "verdict": "violation"},
        ),
        Card(
            title="Effects left standing",
            value=f"{numbers.effects:,}" if checked.whole else "–",
            scope=f"{sums(effects)} never undone, or undone and not due, in "
            f"{plural(numbers.flows_with_effects, 'flow')}"
            if numbers.effects
            else f"in {plural(numbers.flows, 'flow')}",
            link=plural(numbers.flows_with_effects, "flow") if numbers.flows_with_effects else "",
            target={**own, "with": "effects left standing"},
        ),
        Card(
            title="AI below threshold",
            value=f"{below.part:,}" if below.whole else "–",
            scope=f"of {plural(below.whole, 'decision')} with confidence and threshold; "
            f"{below.unknown:,} without",
            link="Their flows" if below.part else "",
            target={**own, "with": "AI below threshold"},
        ),
        Card(
            title="Replays identical",
            value=share_text(same.part, same.whole),
            scope=f"{same.part:,} of {plural(same.whole, 'replayed flow')}; "
            f"{numbers.flows - same.whole:,} not replayed",
            link=f"{same.whole - same.part:,} not identical" if same.whole - same.part else "",
            target={**own, "with": "replay not identical"},
        ),
    ]


def sums(effects: pl.DataFrame) -> str:
    """Amounts per currency, the most effects first, and how many tell none; currencies are never
    added up."""
    summed = effects.group_by("currency").agg(pl.col("amount").sum(), pl.col("effects").sum())
    ordered = summed.sort(["effects", "currency"], descending=[True, False]).drop_nulls("currency")
    known = [amount_text(row["amount"], row["currency"]) for row in ordered.iter_rows(named=True)]
    if not known:
        return "no amounts recorded"
    more = " and more" if len(known) > CURRENCIES_MAX else ""
    silent = int(effects.filter(pl.col("amount").is_null())["effects"].sum())
    unknown = f", {silent:,} without an amount" if silent else ""
    return " + ".join(known[:CURRENCIES_MAX]) + more + unknown
