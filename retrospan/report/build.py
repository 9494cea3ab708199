"""A post-mortem built from an incident's facts; pure, and the same for the same facts."""

from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Document, EvidenceLog
from retrospan.report.sections import (
    contributing,
    decisions,
    impact,
    people,
    replays,
    residual,
    summary,
    timeline,
    unknowns,
)

SECTIONS = (
    summary,
    impact,
    timeline,
    residual,
    decisions,
    contributing,
    replays,
    unknowns,
    people,
)


def build(facts: IncidentFacts) -> Document:
    """The whole document, sections in reading order."""
    log = EvidenceLog()
    return Document(
        title=facts.incident.title,
        incident_id=facts.incident.incident_id,
        data_end_ns=facts.data_end_ns,
        sections=[module.section(facts, log) for module in SECTIONS],
        evidence=log.entries,
    )
