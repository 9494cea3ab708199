"""What the incident took from the error budgets, and when an alert would have told."""

from collections.abc import Sequence

from analyzer.slo.backtest import Firing, backtest
from analyzer.slo.evaluate import SloReport
from analyzer.slo.evaluate import report as evaluated
from analyzer.slo.ledger import Spending
from analyzer.slo.model import BurnRule
from analyzer.slo.timeline import Timeline, timeline
from retrospan.report.charts.burn import burn_chart
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section
from retrospan.report.numbers import decimal, of, percent, plural
from retrospan.text import Words
from retrospan.timespan import humane, utc
from store.conclusions import Evidence as Pointer
from store.model import JsonValue

CAUSES_MAX = 8
SILENT = (
    "No service level objective was given (--slo FILE), so nothing is said about an error budget."
)


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    blocks: list[Block] = []
    if not facts.slos:
        blocks.append(log.say(Basis(question="service level objectives", data=[]), SILENT))
    at_ns = min(facts.incident.end_ns, facts.data_end_ns or facts.incident.end_ns) + 1
    for one in evaluated(facts.slos, facts.slo_facts, at_ns):
        blocks += _objective(facts, one, log)
    return Section(key="budget", title="Error budget spent", blocks=blocks)


def _objective(facts: IncidentFacts, one: SloReport, log: EvidenceLog) -> list[Block]:
    if one.sli is None:
        said = log.say(_basis(one, []), "{slo}: {reason}.", slo=_named(one), reason=one.reason)
        return [said]
    line = timeline(one.slo, facts.slo_facts)
    events = line.events_of(line.between(one.since_ns, one.at_ns))
    basis = _basis(
        one,
        [[event.flow_id, event.at_ns, event.good, str(event.weight)] for event in events],
        [Pointer(kind="span", trace_id=trace) for trace in _traces(facts, one.bad_flow_ids)],
    )
    inside = sum(event.at_ns >= facts.incident.start_ns for event in events if event.good is False)
    blocks: list[Block] = [
        log.say(
            basis,
            "{slo}: in the {window} up to {until} UTC {good} of {valid} were good "
            "({sli}, target {target}){unknown}; {budget}.",
            slo=_named(one),
            window=humane(one.at_ns - one.since_ns),
            until=utc(one.at_ns, 0),
            good=Words(str(decimal(one.sli.good)).removesuffix(".0")),
            valid=Words(str(decimal(one.sli.valid)).removesuffix(".0")),
            sli=percent(one.sli.value),
            target=percent(one.objective.target),
            unknown=Words(
                f", {plural(one.sli.unknown, 'flow')} cannot be judged" if one.sli.unknown else ""
            ),
            budget=_left(one),
        )
    ]
    if one.bad_flow_ids:
        blocks.append(
            log.say(
                basis,
                "Of its bad flows, {inside} ended after the incident's start.",
                inside=of(inside, len(one.bad_flow_ids)),
            )
        )
        blocks += _causes(one.spending, basis, log)
    for history in backtest(one.slo, one.objective, line):
        blocks.append(_alert(facts, history.rule, history.firings, line, one, log))
    chart = burn_chart(facts, one, line, log)
    return [*blocks, chart] if chart is not None else blocks


def _left(one: SloReport) -> Words:
    left = one.budget_remaining
    if left is None:
        return Words("what is left of the budget is not known")
    if left < 0:
        return Words(f"the budget was spent {decimal(1 - left)} times over")
    return Words(f"{percent(left)} of the budget was left")


def _named(one: SloReport) -> str:
    return f"{one.slo.title or one.slo.name} / {one.objective.name}"


def _basis(one: SloReport, data: Sequence[JsonValue], examples: Sequence[Pointer] = ()) -> Basis:
    """The objective as it was declared belongs to what a sentence rests on."""
    slo = one.slo
    return Basis(
        question="flows that count for the objective, with their judgement",
        parameters={
            "slo": slo.name,
            "objective": one.objective.name,
            "target": str(one.objective.target),
            "method": slo.method.value,
            "good": None if slo.good is None else slo.good.text,
            "valid": None if slo.valid is None else slo.valid.text,
            "since_ns": one.since_ns,
            "until_ns": one.at_ns,
        },
        data=data,
        examples=examples,
    )


def _traces(facts: IncidentFacts, flow_ids: Sequence[str]) -> list[str]:
    wanted = set(flow_ids)
    return [
        min(flow.trace_ids) for flow in facts.inside if flow.flow_id in wanted and flow.trace_ids
    ]


def _causes(spending: Sequence[Spending], basis: Basis, log: EvidenceLog) -> list[Block]:
    """Causes rarer among good flows than among bad ones; the others explain nothing."""
    telling = [it for it in spending if (it.share_of_good or 0) < it.spent]
    if not telling:
        return []
    ordered = sorted(
        telling, key=lambda it: ((it.share_of_good or 0) - it.spent, it.dimension, it.cause)
    )
    rows = [
        [it.dimension, it.cause, it.bad_flows, percent(it.spent), percent(it.share_of_good)]
        for it in ordered
    ]
    return [
        log.table(
            basis,
            "Who spent it: what bad flows have more often than good ones",
            ["by", "cause", "bad flows (n)", "share of what was spent", "share of good flows"],
            rows,
            rows_max=CAUSES_MAX,
            more="retrospan slo report --ledger",
        )
    ]


def _alert(
    facts: IncidentFacts,
    rule: BurnRule,
    firings: Sequence[Firing],
    line: Timeline,
    one: SloReport,
    log: EvidenceLog,
) -> Block:
    basis = Basis(
        question="when the alert rule would have fired",
        parameters={
            "slo": one.slo.name,
            "objective": one.objective.name,
            "threshold": str(rule.threshold),
            "long_ns": rule.long_ns,
            "short_ns": rule.short_ns,
        },
        data=[[event.at_ns, event.good, str(event.weight)] for event in line.events],
    )
    incident = facts.incident
    told = [
        it
        for it in firings
        if it.fired_ns <= incident.end_ns and (it.resolved_ns or it.fired_ns) >= incident.start_ns
    ]
    windows = Words(f"{humane(rule.long_ns)} and {humane(rule.short_ns)}")
    if not told:
        return log.say(
            basis,
            "The {severity} alert (burn of {threshold} over {windows}) would not have fired in "
            "this incident.",
            severity=rule.severity,
            threshold=decimal(rule.threshold),
            windows=windows,
        )
    first = told[0]
    return log.say(
        basis,
        "The {severity} alert (burn of {threshold} over {windows}) would have fired at {fired} "
        "UTC, {after} after the first bad flow it saw, with {spent} of the period's budget gone"
        "{resolved}.",
        severity=rule.severity,
        threshold=decimal(rule.threshold),
        windows=windows,
        fired=utc(first.fired_ns, 0),
        after=humane(first.fired_ns - first.first_bad_ns),
        spent=percent(first.spent),
        resolved=Words(
            "; it had not resolved when the data ended"
            if first.resolved_ns is None
            else f", and resolved at {utc(first.resolved_ns, 0)} UTC"
        ),
    )
