"""A post-mortem built from an incident's facts; pure, and the same for the same facts.

Who it is for decides which sections it has, never what a section says: the same sentence has the
same evidence id for every reader.
"""

from collections.abc import Mapping, Sequence
from types import ModuleType

from retrospan.audience import Audience
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Document, EvidenceLog
from retrospan.report.sections import (
    apart,
    budget,
    causes,
    contributing,
    decisions,
    example,
    impact,
    people,
    playbooks,
    replays,
    residual,
    summary,
    timeline,
    unknowns,
)

SECTIONS: Mapping[Audience, Sequence[ModuleType]] = {
    Audience.ENGINEER: (
        summary,
        impact,
        budget,
        timeline,
        example,
        residual,
        decisions,
        causes,
        apart,
        contributing,
        playbooks,
        replays,
        unknowns,
        people,
    ),
    Audience.RISK: (summary, impact, residual, decisions, causes, replays, unknowns, people),
    Audience.LEADER: (summary, impact, budget, timeline, causes, people),
}


def build(facts: IncidentFacts, audience: Audience = Audience.ENGINEER) -> Document:
    """The whole document, sections in reading order."""
    log = EvidenceLog()
    return Document(
        title=facts.incident.title,
        incident_id=facts.incident.incident_id,
        audience=audience.value,
        objectives=facts.slo_files,
        left_out=facts.left_out,
        data_end_ns=facts.data_end_ns,
        sections=[module.section(facts, log) for module in SECTIONS[audience]],
        evidence=log.entries,
    )
