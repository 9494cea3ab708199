"""Incidents looked for in a store by burn rate, and kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.slo.evaluate import read_facts, read_regions
from analyzer.slo.model import Slo
from analyzer.slo.timeline import timeline
from retrospan.incident import found
from store import read, write
from store.conclusions import Incident

if TYPE_CHECKING:
    from retrospan.edge import Edge


def search(edge: "Edge", slos: Sequence[Slo] = ()) -> tuple[list[Incident], int]:
    """The incidents of the stored flows, and how many flows there are. Those that are new are
    kept. Each kind of flow, and each region of it, is held to a default objective; `slos` come
    beside it."""
    with edge.reading("looking for incidents") as session:
        flows = read.read_flows(session)
        sagas = read.read_sagas(session)
        findings = read.read_findings(session)
        facts = read_facts(session) if slos else []
        regions = read_regions(session)
        known = {one.incident_id for one in read.read_incidents(session)}
    lines = [
        (f"{one.name} {objective.name}".strip(), objective.budget, timeline(one, facts))
        for one in slos
        for objective in one.objectives
    ]
    incidents = found(flows, sagas, findings, lines, regions)
    with edge.lease("keeping incidents") as session:
        for incident in incidents:
            if incident.incident_id not in known:
                write.write_incident(session, incident)
    return incidents, len(flows)
