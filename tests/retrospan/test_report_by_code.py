"""The post-mortem tells what the team's own code did, beside the inferred program."""

from dataclasses import replace

from retrospan.report.build import build
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Statement, Table
from store.conclusions import Divergence, ReplayResult
from tests.retrospan import world


def result(flow_id: str, mode: str, verdict: str, **named: object) -> ReplayResult:
    made = ReplayResult(
        flow_id=flow_id, mode=mode, verdict=verdict, digest="d", outcome="succeeded",
        virtual_duration_ns=1, virtual_low_ns=1, virtual_high_ns=1, program_digest="code",
        program_flows=0, leave_one_out=False, flags=(), divergences=(), answers={},
    )  # fmt: skip
    return replace(made, **named)  # type: ignore[arg-type]


def report(*by_code: ReplayResult) -> tuple[str, list[Table]]:
    """What the replay section says, and its tables."""
    flows = list(world.FLOW_LIST)
    facts = IncidentFacts(
        incident=world.INCIDENT,
        flows=flows,
        controls=[result(flow.flow_id, "trace", "identical") for flow in flows],
        by_code=by_code,
    )
    section = next(it for it in build(facts).sections if it.key == "replay")
    said = " ".join(it.text for it in section.blocks if isinstance(it, Statement))
    return said, [it for it in section.blocks if isinstance(it, Table)]


def inside() -> list[str]:
    facts = IncidentFacts(incident=world.INCIDENT, flows=world.FLOW_LIST)
    return sorted(facts.inside_ids)


def test_code_results_stand_beside_those_of_the_program_and_are_not_counted_among_them() -> None:
    first = inside()[0]
    divergence = Divergence(
        kind="args_changed", step_id="s", recorded="a", replayed="b", path="header.idempotency-key"
    )
    run = result(
        first, "code", "diverged", divergences=(divergence,),
        reason="effects: shop POST /charge: 2 recorded, 1 now",
    )  # fmt: skip
    said, tables = report(run)
    assert "The team's own code (1 version, by the digest of its sources) ran on 1 flow" in said
    assert f"{len(inside())} of {len(inside())}" in said.partition("came out")[0]
    rows = {table.caption: table.rows for table in tables}
    assert rows["Verdicts of flows replayed both ways"] == [["identical", "diverged", 1]]
    assert rows["First divergence of the team's own code"] == [
        ["args_changed", "header.idempotency-key", 1]
    ]
    assert rows["Effects by the team's own code, and what could not run"] == [
        ["effects: shop POST /charge: 2 recorded, 1 now", 1]
    ]


def test_a_what_if_by_code_says_how_many_runs_make_a_claim() -> None:
    first, second = inside()[:2]
    said, _ = report(
        result(first, "code", "diverged", scenario="slow", claim="C1", control_verdict="identical"),
        result(second, "code", "diverged", scenario="slow", control_verdict="diverged"),
    )
    assert "What if slow, by the team's own code: 1 of 2 (50.0 %) runs make a claim" in said
    assert "(by class: C1 1)" in said


def test_without_code_results_nothing_is_said_of_code() -> None:
    said, _ = report()
    assert "own code" not in said
