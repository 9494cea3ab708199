"""The incident in three lines."""

from collections.abc import Sequence

from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import EvidenceLog, Section, Statement
from retrospan.report.numbers import of, plural
from retrospan.report.sections import causes
from retrospan.report.what_ifs import AS_RECORDED, compared
from retrospan.timespan import utc
from store.conclusions import SagaVerdict, Verdict


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    return Section(
        key="summary",
        title="Summary",
        blocks=[
            _happened(facts, log),
            _left(facts, log),
            _replayed(facts, log),
            *([causes.first(facts, log)] if facts.causes is not None else []),
        ],
    )


def _happened(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    incident = facts.incident
    start, end = utc(incident.start_ns, 0), utc(incident.end_ns, 0)
    affected = of(len(facts.affected_inside), len(facts.inside))
    normal = of(sum(flow.flow_id in facts.affected for flow in facts.outside), len(facts.outside))
    if not facts.sagas_inside:
        return log.say(
            bases.everything(facts),
            "Between {start} and {end} UTC, {affected} flows did not do what they were started "
            "for; in the rest of the data it was {normal}.",
            start=start,
            end=end,
            affected=affected,
            normal=normal,
        )
    outside = [saga for saga in facts.sagas if saga.flow_id not in facts.inside_ids]
    return log.say(
        bases.everything(facts),
        "Between {start} and {end} UTC, {violated} sagas broke a rule (in the rest of the data "
        "{violated_outside}); {affected} flows were affected by that or did not do what they were "
        "started for (in the rest of the data {normal}).",
        start=start,
        end=end,
        violated=of(_violated(facts.sagas_inside), len(facts.sagas_inside)),
        violated_outside=of(_violated(outside), len(outside)),
        affected=affected,
        normal=normal,
    )


def _violated(sagas: Sequence[SagaVerdict]) -> int:
    return sum(saga.verdict is Verdict.VIOLATION for saga in sagas)


def _left(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    unsure = sum(
        saga.verdict in (Verdict.UNKNOWN, Verdict.OPEN, Verdict.SUSPECTED)
        for saga in facts.sagas_inside
    )
    if not facts.sagas_inside:
        return log.say(
            bases.verdicts(facts),
            "No saga was verified in this window: no data.",
        )
    if not bases.residuals(facts):
        return log.say(
            bases.verdicts(facts),
            "No effect was found left standing; {n} were verified and {unsure} of them could not "
            "be settled.",
            n=plural(len(facts.sagas_inside), "saga"),
            unsure=unsure,
        )
    return bases.left_standing(facts, log)


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
            + ("is told here." if facts.left_out else "was run."),
            same=of(same, len(controls)),
        )
    one = what_ifs[0]
    if one.doubled:
        return log.say(
            bases.replay_basis(facts, [*controls, *one.runs], one.scenario),
            "Re-executed from the recording alone, {same} flows came out as recorded; with "
            "{scenario}, {judged} flows that did something more than once can be judged, and "
            "{once} of these would have done it once.",
            same=of(same, len(controls)),
            scenario=one.scenario,
            judged=of(one.doubled_usable, one.doubled),
            once=one.doubled_once,
        )
    return log.say(
        bases.replay_basis(facts, [*controls, *one.runs], one.scenario),
        "Re-executed from the recording alone, {same} flows came out as recorded; with "
        "{scenario}, {judged} flows with a saga violation can be judged, {fewer} of these make "
        "fewer calls than they did, and {differing} flows end differently.",
        same=of(same, len(controls)),
        scenario=one.scenario,
        judged=of(one.violated_usable, one.violated),
        fewer=one.violated_fewer,
        differing=of(one.differing, len(one.usable)),
    )
