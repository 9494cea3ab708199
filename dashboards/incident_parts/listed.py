"""The list of incidents: how grave, how far, what each took from the error budgets."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from dashboards import data, flow_questions
from dashboards.data import Overview
from dashboards.estimates import percent
from dashboards.incident_parts.head import sums, touched_by
from dashboards.markup import worded
from dashboards.scope import Scope
from dashboards.slo_parts.judged import Judged
from dashboards.wording import clean, duration_text, plural, time_text
from store.conclusions import Incident

SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The incidents a list shows, their flows in scope, and the findings about those flows."""

    incidents: Sequence[Incident]
    overview: Overview
    severities: pl.DataFrame


def ask_listed(incidents: Sequence[Incident], scope: Scope) -> Listed:
    """What the rows of a list are made of."""
    touched = list(dict.fromkeys(flow_id for one in incidents for flow_id in one.flow_ids))
    return Listed(
        incidents=incidents,
        overview=data.overview(scope, touched),
        severities=flow_questions.severities(touched),
    )


def listed_rows(listed: Listed, objectives: Sequence[Judged] | None) -> pl.DataFrame:
    """One row per incident, in their order; `objectives` is None where they were not computed."""
    bad = [(one, _bad(one)) for one in objectives or ()]
    rows = []
    for incident in listed.incidents:
        row = _row(incident, listed.overview)
        row["gravest finding"] = _gravest(incident, listed.severities)
        row["budget spent"] = "not computed" if objectives is None else _spent(incident, bad)
        rows.append({name: row[name] for name in _ORDER})
    return pl.DataFrame(rows)


_ORDER = (
    "began",
    "incident",
    "state",
    "gravest finding",
    "budget spent",
    "affected flows",
    "✖ violated",
    "effects left",
    "lasted",
    "detected after",
    "mitigated after",
    "recovered after",
    "services",
    "told by",
    "id",
)


def _row(incident: Incident, overview: Overview) -> dict[str, object]:
    touched = touched_by(incident, overview.flows)
    violated = touched.filter(pl.col("verdict") == "violation").height
    effects = overview.effects.join(touched, on="flow_id", how="semi")
    standing = int(touched["effects"].sum())
    return {
        "began": time_text(incident.start_ns, digits=0),
        "incident": clean(incident.title),
        "state": _state(incident),
        "lasted": duration_text(incident.end_ns - incident.start_ns),
        "detected after": _after(incident, incident.detected_ns),
        "mitigated after": _after(incident, incident.mitigated_ns),
        "recovered after": _after(incident, incident.recovered_ns),
        "affected flows": touched.height,
        "✖ violated": violated,
        "effects left": f"{standing:,} ({sums(effects)})" if standing else "0",
        "services": ", ".join(map(clean, incident.services)),
        "told by": clean(incident.declared_by),
        "id": incident.incident_id,
    }


def _state(incident: Incident) -> str:
    if incident.recovered_ns is not None:
        return "✔ recovered"
    return "◐ mitigated" if incident.mitigated_ns is not None else "✖ not seen to end"


def _after(incident: Incident, at_ns: int | None) -> str:
    return "not seen" if at_ns is None else duration_text(at_ns - incident.start_ns)


def _gravest(incident: Incident, severities: pl.DataFrame) -> str:
    """`✖ critical (12 flows)`: the gravest severity that a finding about its flows has."""
    about = severities.filter(pl.col("flow_id").is_in(list(incident.flow_ids)))
    flows = dict(about.group_by("severity").agg(pl.col("flow_id").n_unique()).iter_rows())
    gravest = next((name for name in SEVERITIES if name in flows), None)
    return (
        "none found" if gravest is None else f"{worded(gravest)} ({plural(flows[gravest], 'flow')})"
    )


def _bad(one: Judged) -> pl.DataFrame:
    return pl.DataFrame() if one.line is None else one.line.rows.filter(~pl.col("good"))


def _spent(incident: Incident, objectives: Sequence[tuple[Judged, pl.DataFrame]]) -> str:
    """What its bad flows took of the budget of the objective they took most of.

    The objective is seen when the incident ended, over its own window, as its report sees it.
    """
    at_ns = incident.end_ns + 1
    spent: list[tuple[Fraction, int, str]] = []
    for one, bad in objectives:
        report, line = one.report, one.line
        if line is None or line.unweighted:
            continue
        since_ns = report.slo.window.start_ns(at_ns)
        valid = line.counts(since_ns, at_ns).valid
        own = bad.filter(
            pl.col("at_ns").is_between(since_ns, at_ns, closed="left")
            & pl.col("flow_id").is_in(list(incident.flow_ids))
        )
        if valid:
            share = line.weight_of(own) / (valid * report.objective.budget)
            spent.append((share, own.height, report.slo.title or report.slo.name))
    if not spent:
        return "? no objective counts its flows"
    share, flows, name = max(spent)
    return f"{percent(share)} of “{clean(name)}” ({plural(flows, 'bad flow')})" if flows else "none"
