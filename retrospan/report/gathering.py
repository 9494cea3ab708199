"""Facts of an incident with what takes computing to know, of a store at the edge."""

from dataclasses import replace

from analyzer.releases.settings import ReleaseSettings
from replay.engine import Folds
from retrospan.causes import causes_of
from retrospan.edge import Edge
from retrospan.report.facts import IncidentFacts, gather
from retrospan.report.objectives import Objectives

Programs = dict[tuple[str, str], Folds]


def facts_of(
    edge: Edge,
    incident_id: str,
    objectives: Objectives | None = None,
    programs: Programs | None = None,
    *,
    anew: bool = False,
    keeps: bool = True,
) -> IncidentFacts:
    """What the store holds of the incident, and its candidate causes tried by replay; `anew` does
    not believe those that are kept.

    `programs` may hold programs made for other replays of the same store; without `keeps` the
    causes are not written to it.
    """
    releases = edge.settings().fill("releases", ReleaseSettings)
    with edge.reading("reading an incident") as session:
        facts = gather(session, incident_id, objectives, releases)
    causes = causes_of(edge, incident_id, programs=programs, anew=anew, keeps=keeps)
    return replace(facts, causes=causes)
