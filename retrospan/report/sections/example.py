"""One telling flow, call by call."""

from collections import Counter

from retrospan.report import bases
from retrospan.report.charts.undoing import undoing_chart
from retrospan.report.charts.waterfall import waterfall_chart
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Block, EvidenceLog, Section
from retrospan.report.numbers import plural
from store.conclusions import Flow, Verdict


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    flow = telling(facts)
    if flow is None:
        said = log.say(bases.outcomes(facts), "No flow of this window was affected.")
        return Section(key="example", title="One flow, call by call", blocks=[said])
    left = sum(one.flow_id == flow.flow_id for one in bases.residuals(facts))
    blocks: list[Block] = [
        log.say(
            bases.flow_basis(flow),
            "{flow} ended {outcome}, with {steps}, {attempts} and {left} left standing. Of the "
            "affected flows it is the one with most effects left standing, then most attempts.",
            flow=flow.flow_id,
            outcome=flow.outcome.value,
            steps=plural(len(flow.steps), "step"),
            attempts=plural(flow.attempt_count, "attempt"),
            left=plural(left, "effect"),
        )
    ]
    blocks += [
        chart
        for chart in (waterfall_chart(flow, log), undoing_chart(facts, flow, log))
        if chart is not None
    ]
    return Section(key="example", title="One flow, call by call", blocks=blocks)


def telling(facts: IncidentFacts) -> Flow | None:
    """The affected flow that shows most; the earliest of equals."""
    left = Counter(one.flow_id for one in bases.residuals(facts))
    violated = {saga.flow_id for saga in facts.sagas_inside if saga.verdict is Verdict.VIOLATION}
    return min(
        facts.affected_inside,
        key=lambda flow: (
            -left[flow.flow_id],
            flow.flow_id not in violated,
            -flow.attempt_count,
            flow.start_ns,
            flow.flow_id,
        ),
        default=None,
    )
