"""What re-executing the recorded flows showed."""

from collections import Counter
from collections.abc import Sequence

from retrospan.documents import digest
from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section
from retrospan.report.numbers import of, plural
from store.conclusions import ReplayResult

AS_RECORDED = ("identical", "equivalent")
REASONS_MAX = 10
CLAIMS = {
    "C1": "exact inside the recording",
    "C2": "exact by recomputation",
    "C3": "an interval from donor flows",
    "C4": "a qualitative simulation",
}


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    controls = facts.replays_inside(facts.controls)
    basis = bases.replay_basis(facts, controls, None)
    blocks: list[Block] = []
    if controls:
        blocks += _control(controls, basis, log)
    else:
        blocks.append(log.say(basis, "No flow of this window has been replayed: no data."))
    what_ifs = facts.replays_inside(facts.what_ifs)
    for scenario in sorted({result.scenario or "" for result in what_ifs}):
        runs = [result for result in what_ifs if result.scenario == scenario]
        blocks += _what_if(facts, scenario, runs, log)
    if not what_ifs:
        blocks.append(
            log.say(
                bases.replay_basis(facts, [], "any"),
                "No what-if was run, so nothing is said about whether a change would have helped.",
            )
        )
    return Section(key="replay", title="Replay evidence", blocks=blocks)


def _control(results: Sequence[ReplayResult], basis: Basis, log: EvidenceLog) -> list[Block]:
    counted = Counter(result.verdict for result in results)
    programs = {result.program_digest for result in results if result.program_digest}
    held_out = sum(result.leave_one_out for result in results)
    blocks: list[Block] = [
        log.say(
            basis,
            "Control replays: {same} came out as recorded, {diverged} diverged, {not_possible} "
            "could not be replayed.",
            same=of(sum(counted[verdict] for verdict in AS_RECORDED), len(results)),
            diverged=of(counted["diverged"], len(results)),
            not_possible=of(counted["unreplayable"], len(results)),
        ),
        log.say(
            basis,
            "{held_out} replays used a program inferred from other flows only; {programs} in use.",
            held_out=of(held_out, len(results)),
            programs=plural(len(programs), "program"),
        ),
        log.say(
            basis,
            "Digest of all replay digests: {digest}.",
            digest=digest([[result.flow_id, result.digest] for result in results]),
        ),
    ]
    blocks += _flags(results, basis, log)
    blocks += _first_divergences(results, basis, log)
    return blocks


def _flags(results: Sequence[ReplayResult], basis: Basis, log: EvidenceLog) -> list[Block]:
    """Doubts and reasons, counted by their words."""
    flagged = sum(bool(result.flags) for result in results)
    blocks: list[Block] = [
        log.say(
            basis,
            "The program flagged a doubt of its own in {flagged} replays.",
            flagged=of(flagged, len(results)),
        )
    ]
    doubts = Counter(("flag", flag) for result in results for flag in sorted(set(result.flags)))
    doubts.update(("not replayable", result.reason) for result in results if result.reason)
    if doubts:
        ordered = sorted(doubts, key=lambda doubt: (-doubts[doubt], doubt))
        rows = [[*doubt, doubts[doubt]] for doubt in ordered]
        blocks.append(
            log.table(
                basis,
                "Doubts and reasons",
                ["kind", "in words", "replays (n)"],
                rows,
                rows_max=REASONS_MAX,
                more="retrospan replay run --all --json",
            )
        )
    return blocks


def _first_divergences(
    results: Sequence[ReplayResult], basis: Basis, log: EvidenceLog
) -> list[Block]:
    """How diverged replays first left the recording."""
    first = Counter(
        (result.divergences[0].kind, result.divergences[0].path or "–")
        for result in results
        if result.verdict == "diverged" and result.divergences
    )
    if not first:
        return []
    ordered = sorted(first, key=lambda pair: (-first[pair], pair))
    rows = [[*pair, first[pair]] for pair in ordered]
    return [
        log.table(
            basis,
            "First divergence of each diverged replay",
            ["kind", "path", "replays (n)"],
            rows,
            rows_max=REASONS_MAX,
            more="retrospan replay run --all --json",
        )
    ]


def believable(result: ReplayResult) -> bool:
    """Whether a what-if may be counted: its control passed, and the program had no doubt."""
    return (
        result.control_verdict in AS_RECORDED
        and not result.flags
        and result.verdict != "unreplayable"
    )


def _what_if(
    facts: IncidentFacts, scenario: str, runs: Sequence[ReplayResult], log: EvidenceLog
) -> list[Block]:
    basis = bases.replay_basis(facts, runs, scenario)
    usable = [result for result in runs if believable(result)]
    claims = sorted({result.claim for result in usable if result.claim})
    recorded = {flow.flow_id: flow.outcome.value for flow in facts.inside}
    changes = Counter((recorded[result.flow_id], result.outcome) for result in usable)
    differing = sum(count for (before, after), count in changes.items() if before != after)
    blocks: list[Block] = [
        log.say(
            basis,
            "What if {scenario}: {usable} replays count (the unchanged control passed and the "
            "program had no doubt); in {differing} of those the flow ends differently.",
            scenario=scenario,
            usable=of(len(usable), len(runs)),
            differing=of(differing, len(usable)),
        ),
    ]
    for claim in claims:
        blocks.append(
            log.say(
                basis,
                "Claim class {claim}, " + CLAIMS.get(claim, "not described") + ": {n}.",
                claim=claim,
                n=of(sum(result.claim == claim for result in usable), len(usable)),
            )
        )
    if changes:
        rows = [[before, after, changes[before, after]] for before, after in sorted(changes)]
        blocks.append(
            log.table(
                basis,
                "Recorded and replayed ends under the what-if",
                ["recorded", "replayed", "flows (n)"],
                rows,
            )
        )
    return blocks
