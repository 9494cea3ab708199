"""Random numbers that were recorded decide branches and waits as they did then."""

from dataclasses import replace

from replay.engine import program_of, replay_flows
from replay.fidelity import fidelity
from store.conclusions import Flow
from tests.replay.kinds import Kind, true_flow
from tests.replay.worlds import (
    MS,
    Answering,
    Body,
    Engine,
    Reply,
    Task,
    attempt_until,
    dice,
)

SCORE, GATE = ("model", "POST /scores"), ("", "audit")
REVIEW, PAY = ("desk", "POST /reviews"), ("bank", "POST /payments")


def audited(engine: Engine, given: Body, version: str = "1") -> Task:
    """Score, send one in eight good ones to an audit by lot, pay with drawn jitter."""
    scored = yield from attempt_until(engine, SCORE, "", {})
    lot = dice("lot", engine.seed).random()
    outcome = "audit" if scored.body["score"] > 0.5 and lot < 0.125 else "pass"
    local = Reply(status="ok", latency=10_000, body={"outcome": outcome}, draw=lot)
    yield ("call", GATE, "", {}, {"local": local})
    if outcome == "audit":
        yield from attempt_until(engine, REVIEW, "", {})
    yield from attempt_until(engine, PAY, "", {}, times=4, base_ms=2_000, jitter=0.8)
    return "succeeded", None


def world(seed: object, index: int) -> Answering:
    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        roll = dice("audited", seed, index, op, number)
        latency = int(40 * MS * roll.lognormvariate(0, 0.4))
        if op == PAY and roll.random() < 0.5 and number < 4:
            return Reply(status="503", latency=latency, draw=roll.random())
        body: Body = {"score": round(roll.random(), 4)} if op == SCORE else {}
        return Reply(status="ok", latency=latency, body=body)

    return answering


KIND: dict[str, Kind] = {"audited": (audited, world, lambda seed, index: {"order": index})}


def flows(count: int) -> list[Flow]:
    return [true_flow("audited", index, kinds=KIND) for index in range(count)]


def test_a_branch_taken_by_lot_is_taken_again_where_the_lot_was_recorded() -> None:
    made = flows(150)
    ids = [flow.flow_id for flow in made]
    known = fidelity(replay_flows(made, ids))
    assert known.right >= 0.97 * known.flows, known
    assert known.silent == 0, known
    gate = program_of(made, ids[0]).operations["gate audit"]
    assert "outcome" in gate.decided
    blind = program_of([replace(flow, draws=()) for flow in made], ids[0])
    assert "outcome" not in blind.operations["gate audit"].decided


def test_drawn_jitter_gives_narrow_times() -> None:
    made = flows(150)
    retried = [f for f in made if any(len(step.attempts) > 1 for step in f.steps)]
    ids = [flow.flow_id for flow in retried]
    drawn = fidelity(replay_flows(made, ids))
    assert drawn.right >= 0.95 * drawn.flows, drawn
    assert drawn.late == 0, drawn
    undrawn = fidelity(replay_flows([replace(flow, draws=()) for flow in made], ids))
    assert drawn.width_ppm * 4 < undrawn.width_ppm, (drawn, undrawn)
