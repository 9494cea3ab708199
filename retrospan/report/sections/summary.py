"""The incident in three lines."""

from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import EvidenceLog, Section, Statement
from retrospan.report.numbers import of, plural, totals_text
from retrospan.report.what_ifs import AS_RECORDED, compared
from retrospan.timespan import utc
from store.conclusions import Verdict


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    return Section(
        key="summary",
        title="Summary",
        blocks=[_happened(facts, log), _left(facts, log), _replayed(facts, log)],
    )


def _happened(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    incident = facts.incident
    outside_affected = sum(flow.flow_id in facts.affected for flow in facts.outside)
    return log.say(
        bases.everything(facts),
        "Between {start} and {end} UTC, {affected} flows did not do what they were started for "
        "or left a saga violated; in the rest of the data it was {normal}.",
        start=utc(incident.start_ns, 0),
        end=utc(incident.end_ns, 0),
        affected=of(len(facts.affected_inside), len(facts.inside)),
        normal=of(outside_affected, len(facts.outside)),
    )


def _left(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    pairs = bases.residuals(facts)
    unsure = sum(
        saga.verdict in (Verdict.UNKNOWN, Verdict.OPEN, Verdict.SUSPECTED)
        for saga in facts.sagas_inside
    )
    if not facts.sagas_inside:
        return log.say(
            bases.verdicts(facts),
            "No saga was verified in this window: no data.",
        )
    if not pairs:
        return log.say(
            bases.verdicts(facts),
            "No effect was found left standing; {n} were verified and {unsure} of them could not "
            "be settled.",
            n=plural(len(facts.sagas_inside), "saga"),
            unsure=unsure,
        )
    return log.say(
        bases.residual_basis(facts),
        "{effects} of {flows} were never undone and need a person: {sums}.",
        effects=plural(len(pairs), "effect"),
        flows=plural(len({flow_id for flow_id, _ in pairs}), "flow"),
        sums=totals_text([effect for _, effect in pairs]),
    )


def _replayed(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    controls = facts.replays_inside(facts.controls)
    basis = bases.replay_basis(facts, controls, None)
    if not controls:
        return log.say(basis, "No flow of this window has been replayed: no data.")
    same = sum(result.verdict in AS_RECORDED for result in controls)
    what_ifs = compared(facts)
    if not what_ifs:
        return log.say(
            basis,
            "Re-executed from the recording alone, {same} flows came out as recorded; no what-if "
            "was run.",
            same=of(same, len(controls)),
        )
    one = what_ifs[0]
    results = [*controls, *one.runs]
    return log.say(
        bases.replay_basis(facts, results, one.scenario),
        "Re-executed from the recording alone, {same} flows came out as recorded; with "
        "{scenario}, {usable} replays make a claim: {fewer} of those flows make fewer calls, "
        "{differing} end differently.",
        same=of(same, len(controls)),
        scenario=one.scenario,
        usable=of(len(one.usable), len(one.runs)),
        fewer=one.fewer,
        differing=one.differing,
    )
