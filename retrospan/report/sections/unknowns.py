"""What could not be seen, and which data would settle it."""

from collections import Counter

from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section
from retrospan.report.numbers import of, percent, plural
from store.conclusions import Verdict
from store.model import JsonValue

ROWS_MAX = 20
UNSETTLED = (Verdict.UNKNOWN, Verdict.SUSPECTED, Verdict.OPEN)


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    blocks: list[Block] = [
        _incomplete(facts, log),
        *_checks(facts, log),
        *_gaps(facts, log),
        *_rejects(facts, log),
        *_quality(facts, log),
    ]
    return Section(key="unknowns", title="What could not be seen", blocks=blocks)


def _incomplete(facts: IncidentFacts, log: EvidenceLog) -> Block:
    partial = [flow for flow in facts.inside if not flow.complete]
    basis = Basis(
        question="flows of the window with missing or unfinished spans, or without a known end",
        parameters=bases.window(facts),
        data=[
            [flow.flow_id, flow.outcome.value, flow.complete]
            for flow in facts.inside
            if not flow.complete or flow in facts.open_at_end
        ],
        examples=[bases.pointer(flow) for flow in partial],
    )
    return log.say(
        basis,
        "{partial} flows of the window have missing or unfinished spans; {open} have no known end.",
        partial=of(len(partial), len(facts.inside)),
        open=of(len(facts.open_at_end), len(facts.inside)),
    )


def _checks(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """Checks without an answer, and the data each one asks for."""
    unsettled = [
        (check.check, check.verdict.value, ", ".join(sorted(check.missing)) or "–")
        for saga in facts.sagas_inside
        for check in saga.checks
        if check.verdict in UNSETTLED
    ]
    basis = bases.verdicts(facts)
    if not unsettled:
        said = "Every saga check of the window has an answer, or does not apply."
        return [log.say(basis, said)] if facts.sagas_inside else []
    counted = Counter(unsettled)
    ordered = sorted(counted, key=lambda entry: (-counted[entry], entry))
    rows = [[*entry, counted[entry]] for entry in ordered]
    return [
        log.table(
            basis,
            "Checks without an answer, and what would settle them",
            ["check", "verdict", "missing", "sagas (n)"],
            rows,
            rows_max=ROWS_MAX,
            more="retrospan sagas list --json",
        )
    ]


def _gaps(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """What flows say was not recorded of them."""
    counted = Counter(gap for flow in facts.inside for gap in sorted(set(flow.evidence_gaps)))
    if not counted:
        return []
    basis = Basis(
        question="evidence gaps of the window's flows",
        parameters=bases.window(facts),
        data=[[flow.flow_id, *flow.evidence_gaps] for flow in facts.inside if flow.evidence_gaps],
    )
    rows = [[gap, counted[gap]] for gap in sorted(counted, key=lambda gap: (-counted[gap], gap))]
    return [
        log.table(
            basis,
            f"Not recorded (n = {len(facts.inside)} flows)",
            ["gap", "flows (n)"],
            rows,
            rows_max=ROWS_MAX,
            more="retrospan flows list --json",
        )
    ]


def _rejects(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    total = sum(facts.rejects.values())
    basis = Basis(
        question="input records kept aside, by reason",
        data=[[reason, count] for reason, count in sorted(facts.rejects.items())],
    )
    if not total:
        return [log.say(basis, "No input record was refused.")]
    return [
        log.say(
            basis,
            "{records} could not be read and take no part in any number above; the reason named "
            "most often is {reason}.",
            records=plural(total, "input record"),
            reason=min(facts.rejects, key=lambda reason: (-facts.rejects[reason], reason)),
        )
    ]


def _quality(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """Services by how much of the evidence they give, the poorest first."""
    if facts.quality is None or not facts.quality.services:
        return []
    services = facts.quality.services
    scores: list[JsonValue] = [
        [one.service, str(one.score), one.spans, one.applicable] for one in services
    ]
    gaps: list[JsonValue] = [
        [one.gap.name, one.service, one.checked, one.affected, one.undetermined]
        for one in facts.quality.gaps
    ]
    basis = Basis(
        question="gaps of the recorded data by service",
        data=[*scores, *gaps],
        examples=[entry for one in facts.quality.gaps for entry in one.evidence],
    )
    rows = [
        [
            one.service,
            percent(one.score),
            one.spans,
            "–" if one.best is None else one.best.gap.attribute,
            "–" if one.best is None else one.best.gap.makes_unknowable,
        ]
        for one in services
    ]
    return [
        log.table(
            basis,
            "How much of the evidence each service gives",
            ["service", "coverage", "spans (n)", "worth adding first", "which now hides"],
            rows,
            rows_max=ROWS_MAX,
            more="retrospan quality report",
        )
    ]
