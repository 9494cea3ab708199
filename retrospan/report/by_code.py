"""What the team's own code did on the recorded flows, beside what the inferred program did."""

from collections import Counter
from collections.abc import Sequence

from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog
from retrospan.report.numbers import of, plural
from store.conclusions import ReplayResult

ROWS_MAX = 10
MORE = "retrospan replay run --all --code MODULE:FUNCTION --json"


def told(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """Blocks for the replay section; none when no flow of the window was replayed by code."""
    results = facts.replays_inside(facts.by_code)
    unchanged = [result for result in results if result.scenario is None]
    blocks: list[Block] = []
    if unchanged:
        blocks += _unchanged(facts, unchanged, log)
    for name in sorted({result.scenario for result in results if result.scenario is not None}):
        runs = [result for result in results if result.scenario == name]
        blocks += _what_if(facts, name, runs, log)
    return blocks


def _unchanged(
    facts: IncidentFacts, results: Sequence[ReplayResult], log: EvidenceLog
) -> list[Block]:
    basis = bases.replay_basis(facts, results, "code")
    counted = Counter(result.verdict for result in results)
    codes = {result.program_digest for result in results if result.program_digest}
    blocks: list[Block] = [
        log.say(
            basis,
            "The team's own code ({codes}, by the digest of its sources) ran on {flows} of this "
            "window: {identical} identical, {equivalent} equivalent, {diverged} diverged, "
            "{unreplayable} not replayable.",
            codes=plural(len(codes), "version"),
            flows=plural(len(results), "flow"),
            identical=of(counted["identical"], len(results)),
            equivalent=of(counted["equivalent"], len(results)),
            diverged=of(counted["diverged"], len(results)),
            unreplayable=of(counted["unreplayable"], len(results)),
        )
    ]
    return blocks + _beside(facts, results, log) + _reasons(results, basis, log)


def _beside(facts: IncidentFacts, results: Sequence[ReplayResult], log: EvidenceLog) -> list[Block]:
    """Flows that were replayed both ways."""
    programs = {result.flow_id: result for result in facts.replays_inside(facts.controls)}
    both = [
        (programs[result.flow_id].verdict, result.verdict)
        for result in results
        if result.flow_id in programs
    ]
    if not both:
        return []
    used = [programs[result.flow_id] for result in results if result.flow_id in programs]
    pairs = Counter(both)
    return [
        log.table(
            bases.replay_basis(facts, [*used, *results], "code"),
            "Verdicts of flows replayed both ways",
            ["by the inferred program", "by the team's own code", "flows (n)"],
            [[*pair, pairs[pair]] for pair in sorted(pairs, key=lambda it: (-pairs[it], it))],
        )
    ]


def _reasons(results: Sequence[ReplayResult], basis: Basis, log: EvidenceLog) -> list[Block]:
    """Effects that the code has now, and why some could not run."""
    reasons = Counter(result.reason for result in results if result.reason)
    first = Counter(
        (result.divergences[0].kind, result.divergences[0].path or "–")
        for result in results
        if result.verdict == "diverged" and result.divergences
    )
    blocks: list[Block] = []
    if first:
        blocks.append(
            log.table(
                basis,
                "First divergence of the team's own code",
                ["kind", "path", "flows (n)"],
                [[*pair, first[pair]] for pair in sorted(first, key=lambda it: (-first[it], it))],
                rows_max=ROWS_MAX,
                more=MORE,
            )
        )
    if reasons:
        ordered = sorted(reasons, key=lambda it: (-reasons[it], it))
        blocks.append(
            log.table(
                basis,
                "Effects by the team's own code, and what could not run",
                ["in words", "flows (n)"],
                [[reason, reasons[reason]] for reason in ordered],
                rows_max=ROWS_MAX,
                more=MORE,
            )
        )
    return blocks


def _what_if(
    facts: IncidentFacts, name: str, runs: Sequence[ReplayResult], log: EvidenceLog
) -> list[Block]:
    basis = bases.replay_basis(facts, runs, f"code: {name}")
    claims = Counter(result.claim for result in runs if result.claim is not None)
    made = claims.total()
    listed = ", ".join(f"{claim} {claims[claim]}" for claim in sorted(claims)) or "none"
    other = sum(result.claim is not None and result.verdict == "diverged" for result in runs)
    return [
        log.say(
            basis,
            "What if {scenario}, by the team's own code: {made} runs make a claim (by class: "
            "{claims}), and {other} of those do something else than was recorded.",
            scenario=name,
            made=of(made, len(runs)),
            claims=listed,
            other=of(other, made),
        )
    ]
