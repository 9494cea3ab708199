"""What re-executing the recorded flows showed."""

from collections import Counter
from collections.abc import Sequence

from retrospan.canonical import digest
from retrospan.report import bases, by_code
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section
from retrospan.report.numbers import of, plural
from retrospan.report.what_ifs import AS_RECORDED, Compared, compared
from store.conclusions import ReplayResult

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
    what_ifs = compared(facts)
    for one in what_ifs:
        blocks += _what_if(facts, one, log)
    if facts.left_out:
        blocks.append(
            log.say(
                bases.replay_basis(facts, [], "left out"),
                "Of {run} run over this window, this report leaves out {left_out} by choice.",
                run=plural(len(facts.left_out) + len(what_ifs), "what-if"),
                left_out=len(facts.left_out),
            )
        )
    elif not what_ifs:
        blocks.append(
            log.say(
                bases.replay_basis(facts, [], "any"),
                "No what-if was run, so nothing is said about whether a change would have helped.",
            )
        )
    blocks += by_code.told(facts, log)
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
    silent = sum(not result.flags for result in results if result.verdict == "diverged")
    blocks: list[Block] = [
        log.say(
            basis,
            "The program flagged a doubt of its own in {flagged} replays; {silent} diverged "
            "without any.",
            flagged=of(flagged, len(results)),
            silent=of(silent, len(results)),
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


def _what_if(facts: IncidentFacts, one: Compared, log: EvidenceLog) -> list[Block]:
    basis = bases.replay_basis(facts, one.runs, one.scenario)
    n = len(one.usable)
    blocks: list[Block] = [
        log.say(
            basis,
            "What if {scenario}: {usable} replays make a claim (the unchanged control came out as "
            "recorded, and the program had no doubt that matters).",
            scenario=one.scenario,
            usable=of(n, len(one.runs)),
        ),
        log.say(
            basis,
            "Of those, {fewer} flows make fewer calls, {more} make more, {differing} end "
            "differently; of {violated} with a saga violation {violated_usable} are among them, "
            "and {violated_fewer} of these make fewer calls.",
            fewer=of(one.fewer, n),
            more=of(one.more, n),
            differing=of(one.differing, n),
            violated=plural(one.violated, "flow"),
            violated_usable=one.violated_usable,
            violated_fewer=one.violated_fewer,
        ),
    ]
    if one.doubled:
        blocks.append(
            log.say(
                basis,
                "{doubled} did something more than once; {usable} of them are among those that "
                "make a claim, and {once} of these would have done it once. A call answered with "
                "an error is taken to have had no effect; a run in which one times out does not "
                "count.",
                doubled=plural(one.doubled, "flow"),
                usable=one.doubled_usable,
                once=one.doubled_once,
            )
        )
    claims = Counter(result.claim or "" for result in one.usable)
    for claim in sorted(claims):
        blocks.append(
            log.say(
                basis,
                "Claim class {claim}, " + CLAIMS.get(claim, "not described") + ": {n}.",
                claim=claim,
                n=of(claims[claim], n),
            )
        )
    return blocks + _what_if_tables(one, basis, log)


def _what_if_tables(one: Compared, basis: Basis, log: EvidenceLog) -> list[Block]:
    blocks: list[Block] = []
    if one.usable:
        ends = [[old, new, one.changes[old, new]] for old, new in sorted(one.changes)]
        blocks.append(
            log.table(
                basis, "Ends, unchanged and what-if", ["unchanged", "what-if", "flows (n)"], ends
            )
        )
    moved = sorted(
        op
        for op in one.calls_before.keys() | one.calls_after.keys()
        if one.calls_before[op] != one.calls_after[op]
    )
    if moved:
        rows = [[op, one.calls_before[op], one.calls_after[op]] for op in moved]
        blocks.append(
            log.table(
                basis,
                "Operations called a different number of times",
                ["operation", "unchanged (n)", "what-if (n)"],
                rows,
            )
        )
    silent = Counter(result.reason or "–" for result in one.runs if result not in one.usable)
    if silent:
        ordered = sorted(silent, key=lambda reason: (-silent[reason], reason))
        blocks.append(
            log.table(
                basis,
                "Why replays make no claim",
                ["in words", "replays (n)"],
                [[reason, silent[reason]] for reason in ordered],
                rows_max=REASONS_MAX,
                more="retrospan replay run --all --scenario FILE",
            )
        )
    return blocks
