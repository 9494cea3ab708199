"""Whoever knows a usual template of post-mortems finds each of its headings in ours."""

import re

import pytest

from retrospan.report.build import build
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Blank, Document
from tests.retrospan import world
from tests.third_party import corpora_folder

HEADING = re.compile(r"^#{1,6} +(.*?)\s*$", re.MULTILINE)
ANSWERS = {
    r"title( of the incident)?|postmortem template": "title",
    r"executive summary|summary|issue summary|what happened|outage description": "summary",
    r"background": "blank Background",
    r"chain of events|.*timeline|incident timing": "timeline",
    r"start date/time|end date/time|duration": "timeline",
    r"date": "timeline",
    r".*impact|affected users|summary of impact": "impact",
    r"infrastructure impact": "impact",
    r"productivity impact": "blank Business impact",
    r"root cause.*|what caused the incident\?": "causes",
    r"root cause and mitigation": "causes",
    r"trigger.*": "blank Trigger",
    r"process breakdown.*": "blank Why people decided",
    r"contributing conditions analysis": "contributing",
    r"detection": "timeline",
    r"mitigation & resolution|resolution.*": "timeline",
    r"status|report status": "blank Status",
    r"authors|owner.*": "blank Owner",
    r"names of people involved|postmortem attendees": "blank Response",
    r"lessons learn.*|what went well\??|what went (wrong|badly)\??|.*lucky": "blank Lessons",
    r"what could have gone better\?": "blank Lessons",
    r"action items.*|next steps|recommendations|corrective and preventative.*": "blank Actions",
    r"open questions": "blank Open questions",
    r"support.*|appendix": "evidence",
}
ABSENT = {
    r"provide feedback.*": "a survey of customers belongs to a status page, not to an analysis",
}


@pytest.fixture(scope="module")
def document() -> Document:
    return build(
        IncidentFacts(incident=world.INCIDENT, flows=world.FLOW_LIST, sagas=world.SAGA_LIST)
    )


def places(document: Document) -> set[str]:
    """Where an answer may stand: sections, blanks, what every document has."""
    sections = {section.key for section in document.sections}
    blanks = {
        f"blank {block.label}"
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Blank)
    }
    return sections | blanks | {"title", "evidence", "left out"}


def test_every_heading_of_the_templates_has_its_place_or_a_reason(document: Document) -> None:
    folder = corpora_folder() / "postmortems" / "dastergon+postmortem-templates" / "templates"
    templates = sorted(folder.glob("*.md"))
    assert len(templates) >= 7
    headings = {
        (path.name, heading.partition(":")[0].lower())
        for path in templates
        for heading in HEADING.findall(path.read_text("utf-8"))
    }
    assert len(headings) > 60
    known = places(document)
    homeless = [
        (name, heading) for name, heading in sorted(headings) if _place(heading) not in known
    ]
    assert homeless == []


def _place(heading: str) -> str:
    """The place that answers a heading; "left out" for one that has a reason."""
    plain = re.sub(r"\s*\(.*\)$", "", heading).strip()
    if any(re.fullmatch(pattern, plain) for pattern in ABSENT):
        return "left out"
    found = [place for pattern, place in ANSWERS.items() if re.fullmatch(pattern, plain)]
    return found[-1] if found else f"nowhere: {plain}"


PAGERDUTY = {
    "Owner Responsibilities": "blank Owner",
    "Administration": "blank Status",
    "Create a Timeline": "timeline",
    "Document Impact": "impact",
    "Analyze the Incident": "causes",
    "Questions to Ask": "blank Why people decided",
    "Follow-Up Actions": "blank Actions",
    "Write External Messaging": "blank Messages",
    "Postmortem Review": "blank Owner",
}


def test_every_step_of_pagerdutys_guide_to_writing_one_has_its_place(document: Document) -> None:
    folder = corpora_folder() / "postmortems" / "PagerDuty+postmortem-docs" / "docs"
    text = (folder / "how_to_write" / "writing.md").read_text("utf-8")
    steps = [heading.partition("<")[0] for heading in HEADING.findall(text)]
    assert len(steps) >= 9
    assert set(steps) <= set(PAGERDUTY)
    assert {PAGERDUTY[step] for step in steps} <= places(document)
