"""What happened around an incident, in order: pure, from the list of flows and their problems."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from dashboards.check_titles import broken
from dashboards.releases import releases_of
from dashboards.wording import plural
from store.conclusions import Incident

EVENTS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A moment, what it was, and the flow that shows it. `kind` is incident, change or symptom."""

    at_ns: int
    kind: str
    text: str
    flow_id: str | None = None


def events(
    incident: Incident, versions: pl.DataFrame, flows: pl.DataFrame, problems: pl.DataFrame
) -> list[Event]:
    """Marks of the incident, releases first seen near it, and the first flow of each symptom.

    `versions` are rows of `sql/first_seen.sql`, `flows` and `problems` those of the affected flows;
    a symptom's moment is the start of its flow.
    """
    found = [
        *_marks(incident),
        *_releases(incident, versions),
        *_symptoms(incident, flows, problems),
    ]
    return sorted(found, key=lambda one: (one.at_ns, one.kind, one.text))[:EVENTS_MAX]


def _marks(incident: Incident) -> list[Event]:
    marks = [
        (incident.start_ns, "begins"),
        (incident.detected_ns, "is detected"),
        (incident.mitigated_ns, "is mitigated"),
        (incident.recovered_ns, "is over: no later flow has the symptom"),
        (incident.end_ns, "window ends"),
    ]
    return [
        Event(at_ns=at_ns, kind="incident", text=f"the incident {word}")
        for at_ns, word in marks
        if at_ns is not None
    ]


def _releases(incident: Incident, first: pl.DataFrame) -> Sequence[Event]:
    """Versions of a flow's kind that follow another one, from one window's length before it."""
    before_ns = incident.start_ns - (incident.end_ns - incident.start_ns)
    return [
        Event(
            at_ns=one.at_ns,
            kind="change",
            text=f"version {one.version} of {one.name} first seen",
            flow_id=one.flow_id,
        )
        for one in releases_of(first)
        if before_ns <= one.at_ns <= incident.end_ns
    ]


def _symptoms(incident: Incident, flows: pl.DataFrame, problems: pl.DataFrame) -> list[Event]:
    touched = flows.filter(pl.col("flow_id").is_in(list(incident.flow_ids)))
    seen = problems.filter(pl.col("verdict") == "violation").join(
        touched.select("flow_id", "start_ns"), on="flow_id", how="inner"
    )
    grouped = (
        seen.sort("start_ns", "flow_id")
        .group_by("name", maintain_order=True)
        .agg(
            pl.col("start_ns").first(),
            pl.col("flow_id").first(),
            pl.col("flow_id").n_unique().alias("flows"),
        )
    )
    return [
        Event(
            at_ns=row["start_ns"],
            kind="symptom",
            text=f"first of {plural(row['flows'], 'flow')} with {broken(row['name'])}",
            flow_id=row["flow_id"],
        )
        for row in grouped.iter_rows(named=True)
    ]
