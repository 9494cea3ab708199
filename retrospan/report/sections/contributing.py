"""What the detectors found: contributing factors, not causes."""

from collections import Counter

from retrospan.documents import finding_row
from retrospan.finding_times import times_of
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
    many = [finding for finding in findings if finding.flow_id is None]
    timed = sum(bool(times_of(finding)) for finding in many)
    return Section(
        key="contributing",
        title="Contributing factors",
        blocks=[
            log.say(
                basis,
                "{detectors} reported {findings}. They stand beside the incident; none of them is "
                "claimed as its cause. {many} of them are about many flows: {timed} ran in the "
                "window's time, {all} are true of all data and tell no time.",
                detectors=plural(len({finding.detector for finding in findings}), "detector"),
                findings=plural(len(findings), "finding"),
                many=len(many),
                timed=timed,
                all=len(many) - timed,
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
