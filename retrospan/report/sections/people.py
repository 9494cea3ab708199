"""The blanks that no trace can fill."""

from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Blank, EvidenceLog, Section

BLANKS = (
    ("Owner", "who owns this post-mortem, and who reviewed it"),
    ("Severity", "the severity by your own scale, and who was told"),
    ("Root cause", "the cause as you see it after reading the evidence above"),
    ("Why people decided", "what was known at each decision, and why it made sense then"),
    ("Clearing up", "who checks and undoes the effects left standing, and by when"),
    ("Actions", "each action with type, owner and due date"),
    ("Lessons", "what went well, what went badly, where we were lucky"),
)


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    """The same blanks for every incident: `facts` has no say in them."""
    del facts, log
    return Section(
        key="people",
        title="For people to fill in",
        blocks=[Blank(label=label, prompt=prompt) for label, prompt in BLANKS],
    )
