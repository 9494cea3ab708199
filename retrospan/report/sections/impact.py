"""The impact in numbers, each with its n."""

from collections import Counter

from retrospan.incident import FOUND_BY
from retrospan.report import bases
from retrospan.report.charts.effects import effects_chart
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section, Table
from retrospan.report.numbers import of, plural, share
from retrospan.text import Words
from store.conclusions import FlowOutcome, Verdict

SERVICES_MAX = 20


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    basis = bases.outcomes(facts)
    blocks: list[Block] = [
        log.say(
            basis,
            "{affected} flows of the window were affected, over {services}.",
            affected=of(len(facts.affected_inside), len(facts.inside)),
            services=plural(len(facts.incident.services), "service"),
        ),
        *_found_by(facts, log),
        _outcomes(facts, log),
    ]
    if facts.sagas_inside:
        blocks.append(_verdicts(facts, log))
        chart = effects_chart(facts, log)
        if chart is not None:
            blocks.append(chart)
    if facts.incident.services:
        named = ", ".join(facts.incident.services[:SERVICES_MAX])
        left = len(facts.incident.services) - SERVICES_MAX
        blocks.append(
            log.say(
                basis,
                "Services that affected flows passed through: {named}{left}.",
                named=named,
                left=Words(f" and {left} more" if left > 0 else ""),
            )
        )
    return Section(key="impact", title="Impact in numbers", blocks=blocks)


def _found_by(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """How the flows that made an incident of it relate to those counted here."""
    incident = facts.incident
    if incident.declared_by != FOUND_BY:
        return []
    return [
        log.say(
            Basis(
                question="flows the incident was found by, and affected flows of the window",
                parameters=bases.window(facts),
                data=[
                    [flow_id, flow_id in facts.affected] for flow_id in sorted(incident.flow_ids)
                ],
            ),
            "The incident was found by {bad} that failed or broke a rule; {both} of these are "
            "among the affected. What was undone as it should be counts as affected here, and was "
            "not counted there.",
            bad=plural(len(incident.flow_ids), "flow"),
            both=sum(flow_id in facts.affected for flow_id in incident.flow_ids),
        )
    ]


def _outcomes(facts: IncidentFacts, log: EvidenceLog) -> Table:
    inside = Counter(flow.outcome for flow in facts.inside)
    outside = Counter(flow.outcome for flow in facts.outside)
    rows = [
        [
            outcome.value,
            inside[outcome],
            share(inside[outcome], len(facts.inside)),
            outside[outcome],
            share(outside[outcome], len(facts.outside)),
        ]
        for outcome in FlowOutcome
        if inside[outcome] or outside[outcome]
    ]
    return log.table(
        bases.everything(facts),
        f"How flows ended: {len(facts.inside)} in the window, {len(facts.outside)} outside",
        ["outcome", "in window (n)", "share", "outside (n)", "share outside"],
        rows,
    )


def _verdicts(facts: IncidentFacts, log: EvidenceLog) -> Table:
    counted = Counter(saga.verdict for saga in facts.sagas_inside)
    rows = [
        [verdict.value, counted[verdict], share(counted[verdict], len(facts.sagas_inside))]
        for verdict in Verdict
        if counted[verdict]
    ]
    return log.table(
        bases.verdicts(facts),
        f"Saga verdicts in the window (n = {len(facts.sagas_inside)})",
        ["verdict", "sagas (n)", "share"],
        rows,
    )
