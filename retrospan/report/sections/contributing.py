"""What the detectors found: contributing factors, not causes."""

from collections import Counter

from retrospan.documents import finding_row
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, EvidenceLog, Section
from retrospan.report.numbers import plural
from store.conclusions import Finding

DETECTORS_MAX = 25


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    findings = facts.findings_here
    basis = Basis(
        question="findings of the window's flows and of the population",
        parameters=bases.window(facts),
        data=[finding_row(finding) for finding in findings],
        examples=[entry for finding in findings for entry in finding.evidence],
    )
    if not findings:
        said = log.say(basis, "No detector reported a finding for this window.")
        return Section(key="contributing", title="Contributing factors", blocks=[said])
    groups = Counter(_group(finding) for finding in findings)
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        first.setdefault(_group(finding), finding)
    rows = [
        [
            severity,
            detector,
            verdict,
            groups[group],
            example.message,
            example.remedy or "–",
        ]
        for group, example in first.items()
        for severity, detector, verdict in [group]
    ]
    return Section(
        key="contributing",
        title="Contributing factors",
        blocks=[
            log.say(
                basis,
                "{detectors} reported {findings}. They stand beside the incident; none of them is "
                "claimed as its cause.",
                detectors=plural(len({finding.detector for finding in findings}), "detector"),
                findings=plural(len(findings), "finding"),
            ),
            log.table(
                basis,
                "Findings by detector, the first of each told in full",
                ["severity", "detector", "verdict", "findings (n)", "example", "remedy"],
                rows,
                rows_max=DETECTORS_MAX,
                more="retrospan findings list",
            ),
        ],
    )


def _group(finding: Finding) -> tuple[str, str, str]:
    return finding.severity, finding.detector, finding.verdict.value
