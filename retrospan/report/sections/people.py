"""The blanks that no trace can fill."""

from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Blank, EvidenceLog, Section

BLANKS = (
    ("Owner", "who owns this post-mortem, and who reviewed it"),
    ("Status", "draft, in review or final, and since when"),
    ("Severity", "the severity by your own scale, and who was told"),
    ("Background", "what a reader from elsewhere has to know of these services"),
    ("Detection", "who or what noticed it first: an alert, a customer, a colleague"),
    ("Response", "who took part, and what each of them did to end it"),
    ("Messages", "what customers and colleagues were told, when and by whom"),
    ("Business impact", "what it cost besides: contracts, trust, people's time"),
    ("Trigger", "what set it off, apart from why it could happen"),
    ("Root cause", "the cause as you see it after reading the evidence above"),
    ("Why people decided", "what was known at each decision, and why it made sense then"),
    ("Clearing up", "who checks and undoes the effects left standing, and by when"),
    ("Actions", "each action with type, owner and due date"),
    ("Lessons", "what went well, what went badly, where we were lucky"),
    ("Open questions", "what nobody knows yet, and who finds out"),
)
"""Each answers a heading of the usual templates that telemetry cannot answer."""


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    """The same blanks for every incident: `facts` has no say in them."""
    del facts, log
    return Section(
        key="people",
        title="For people to fill in",
        blocks=[Blank(label=label, prompt=prompt) for label, prompt in BLANKS],
    )
