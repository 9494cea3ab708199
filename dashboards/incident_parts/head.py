"""The top of one incident: when, how far, how many."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.data import Overview
from dashboards.flow_questions import running
from dashboards.markup import chip, heading
from dashboards.moments import moment
from dashboards.scope import Scope
from dashboards.summary import Health, health
from dashboards.wording import amount_text, clean, duration_text, plural, share_text
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
    touched = touched_by(incident, overview.flows)
    inside = running(scope, incident.start_ns, incident.end_ns)
    _cards(incident, touched, inside, overview.effects)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    title: str
    value: str
    scope: str
    link: str
    flows: int
    filters: dict[str, str]


def _cards(incident: Incident, touched: pl.DataFrame, inside: int, effects: pl.DataFrame) -> None:
    numbers = health(touched)
    cards = _told(incident, numbers, inside, effects.join(touched, on="flow_id", how="semi"))
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.metric(card.title, card.value)
            st.caption(card.scope)
            if card.flows:
                links.flows_link(card.link, incident=incident.incident_id, **card.filters)


def _told(incident: Incident, numbers: Health, inside: int, effects: pl.DataFrame) -> list[_Card]:
    outside = len(incident.flow_ids) - numbers.flows
    checked, below, same = numbers.violations, numbers.below_threshold, numbers.identical
    beyond = f"; {outside:,} more outside this selection" if outside else ""
    return [
        _Card(
            title="Affected flows",
            value=f"{numbers.flows:,}",
            scope=f"of {inside:,} that ran in the window{beyond}",
            link=plural(numbers.flows, "flow"),
            flows=numbers.flows,
            filters={},
        ),
        _Card(
            title="✖ Saga violations",
            value=f"{checked.part:,}" if checked.whole else "–",
            scope=f"flows, of {checked.whole:,} checked; {numbers.suspected:,} suspected, "
            f"{checked.unknown:,} unsettled",
            link=plural(checked.part, "flow"),
            flows=checked.part,
            filters={"verdict": "violation"},
        ),
        _Card(
            title="Effects left standing",
            value=f"{numbers.effects:,}" if checked.whole else "–",
            scope=f"{sums(effects)} in {plural(numbers.flows_with_effects, 'flow')}",
            link=plural(numbers.flows_with_effects, "flow"),
            flows=numbers.flows_with_effects,
            filters={"with": "effects left standing"},
        ),
        _Card(
            title="AI below threshold",
            value=f"{below.part:,}" if below.whole else "–",
            scope=f"of {plural(below.whole, 'decision')} with confidence and threshold; "
            f"{below.unknown:,} without",
            link="their flows",
            flows=below.part,
            filters={"with": "AI below threshold"},
        ),
        _Card(
            title="Replays identical",
            value=share_text(same.part, same.whole),
            scope=f"{same.part:,} of {plural(same.whole, 'replayed flow')}; "
            f"{numbers.flows - same.whole:,} not replayed",
            link=f"{same.whole - same.part:,} not identical",
            flows=same.whole - same.part,
            filters={"with": "replay not identical"},
        ),
    ]


def sums(effects: pl.DataFrame) -> str:
    """Amounts per currency, the most effects first; currencies are never added up."""
    summed = effects.group_by("currency").agg(pl.col("amount").sum(), pl.col("effects").sum())
    ordered = summed.sort(["effects", "currency"], descending=[True, False]).drop_nulls("currency")
    known = [amount_text(row["amount"], row["currency"]) for row in ordered.iter_rows(named=True)]
    if not known:
        return "no amounts recorded"
    return " + ".join(known[:CURRENCIES_MAX]) + (" and more" if len(known) > CURRENCIES_MAX else "")
