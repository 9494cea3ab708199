"""Programs: what they are made of, what they doubt, and how they travel."""

import json
from typing import Any

import pytest

from replay.engine import program_of, replay_flows, replay_with
from replay.fidelity import fidelity
from replay.infer.grow import grow
from replay.infer.program import Program, from_json, to_json
from replay.infer.tree import Split
from replay.infer.view import Ref
from replay.interpret import Machine
from replay.leaves import Scalar
from replay.recording import recording_of
from replay.stated import statements_of
from store.conclusions import Flow
from store.errors import DataError
from tests.replay.kinds import true_flows
from tests.replay.worlds import (
    EPOCH_NS,
    MS,
    Abort,
    Body,
    Engine,
    Reply,
    Task,
    attempt_until,
    dice,
    flow_of,
    must,
)


@pytest.fixture(scope="module")
def program(payments: list[Flow]) -> Program:
    return program_of(payments, payments[0].flow_id)


def test_a_program_survives_the_way_through_json(program: Program) -> None:
    again = from_json(to_json(program))
    assert again.digest == program.digest
    assert to_json(again) == to_json(program)


def test_a_program_is_stated_rule_by_rule_with_what_it_rests_on(program: Program) -> None:
    rules = [(one.operation, one.rule) for one in statements_of(program)]
    said = dict(reversed(rules))
    charge, gate = "gateway-eu POST /charges", "gate risk-limit"
    assert said["risk POST /score"].startswith("runs ")
    assert any(
        op == charge and rule.startswith("is tried again if its status") for op, rule in rules
    )
    assert any(op == gate and rule.startswith("ends the flow if ") for op, rule in rules)
    undone = [op for op, rule in rules if rule.startswith("once the flow is given up, undoes ")]
    assert "inventory DELETE /reservations/{id}" in undone or any("refunds" in op for op in undone)
    assert all(one.seen > 0 for one in statements_of(program))


def test_a_stored_program_replays_to_the_same_digest(payments: list[Flow]) -> None:
    for flow in payments[:5]:
        stored = from_json(to_json(program_of(payments, flow.flow_id)))
        [direct] = replay_flows(payments, [flow.flow_id])
        assert replay_with(recording_of(flow), Machine(stored)) == direct


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format":"retrospan.program/9"}'])
def test_what_is_no_program_of_our_version_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        from_json(text)


def test_unknown_parts_of_a_program_are_refused(program: Program) -> None:
    document = json.loads(to_json(program))
    document["program"]["order"]["is"] = "Disorder"
    with pytest.raises(DataError, match="Disorder"):
        from_json(json.dumps(document))


def test_a_program_says_what_was_declared(program: Program) -> None:
    assert "gateway-eu POST /charges: at most 3 attempts" in program.declared
    assert any(
        fact.startswith("gateway-eu POST /refunds: compensates") for fact in program.declared
    )
    assert not any(fact.startswith("shipping") for fact in program.declared)


def test_the_payment_program_is_found_with_its_constructs(program: Program) -> None:
    reserve = program.operations["stock POST /reservations"]
    assert reserve.each is not None
    assert reserve.each.source == ("input", "items")
    assert reserve.each.workers == 0
    gate = program.operations["gate risk-limit"]
    assert gate.local
    assert set(gate.decided) == {"outcome"}
    assert program.recovery.stops is True
    assert program.recovery.order.name == "reverse_completion"
    assert program.abort.fatal["gateway-eu POST /charges"].keys() == {"402"}
    assert "mail POST /messages" not in program.abort.fatal
    assert program.operations["gateway-eu POST /charges"].request.noise == ("nonce",)
    before = program.order.before["shipping POST /shipments"]
    assert {"gateway-eu POST /charges", "risk POST /score"} <= before
    assert "risk POST /score" not in program.order.before["stock POST /reservations"]


def test_the_order_of_undoing_is_told_apart_by_version() -> None:
    flows = true_flows("payment", 150, version="2")
    assert program_of(flows, flows[0].flow_id).recovery.order.name in ("completion", "program")


def test_a_threshold_keeps_its_empty_gap_and_doubts_inside_it() -> None:
    place = ("answer", "score", "value")
    tree = grow({place: [1, 2, 3, 7, 8, 9] * 3}, [False, False, False, True, True, True] * 3)
    assert isinstance(tree.root, Split)
    assert (tree.root.low, tree.root.high) == (3, 7)
    assert tree.read(lambda ref: 4)[1] == [("threshold_gap", ["answer.score.value", "3", "7"])]
    assert tree.read(lambda ref: 8) == (True, [])


def test_two_questions_that_explain_the_same_are_rivals() -> None:
    one: Ref = ("answer", "a", "word")
    two: Ref = ("answer", "b", "word")
    columns: dict[Ref, list[Scalar]] = {one: ["x", "y"] * 6, two: ["p", "q"] * 6}
    tree = grow(columns, [True, False] * 6)
    agree = {one: "x", two: "p"}
    differ = {one: "x", two: "q"}
    assert tree.read(lambda ref: agree[ref]) == (True, [])
    assert tree.read(lambda ref: differ[ref])[1] == [
        ("rival_guard", ["answer.a.word", "answer.b.word"])
    ]


def test_a_branch_on_something_unrecorded_is_unreliable() -> None:
    roll = dice("hidden")
    columns: dict[Ref, list[Scalar]] = {("input", "n"): [roll.randrange(1000) for _ in range(100)]}
    tree = grow(columns, [roll.random() < 0.5 for _ in range(100)])
    assert not tree.reliable


PAGE = ("files", "GET /pages")
CHECK = ("quota", "GET /quota")
WRITE = ("files", "PUT /files")


def made(name: str, task: Any, count: int) -> list[Flow]:
    flows = []
    for index in range(count):
        given: Body = {"id": f"x-{index}", "parts": [f"p{n}" for n in range(1 + index % 5)]}

        def answering(op: tuple[str, str], key: str, number: int, index: int = index) -> Reply:
            roll = dice("a", name, index, op, key, number)
            status = "500" if op == PAGE and roll.random() < 0.03 else "ok"
            return Reply(status=status, latency=int(60 * MS * roll.lognormvariate(0, 0.4)))

        engine = Engine(answering, (name, index))
        outcome, end = engine.run(task(engine, given))
        flows.append(
            flow_of(
                engine.calls, flow_id=f"{name}-{index}", name=name, version="1",
                service="worker", given=given, output=None, outcome=outcome, end=end + MS,
                origin=EPOCH_NS,
            )
        )  # fmt: skip
    return flows


def one_by_one(engine: Engine, given: Body) -> Task:
    try:
        for part in given["parts"]:
            yield from must(attempt_until(engine, PAGE, part, {"part": part}))
    except Abort:
        return "failed"
    return "succeeded"


def two_at_once(engine: Engine, given: Body) -> Task:
    waiting = list(given["parts"])

    def worker() -> Task:
        while waiting:
            part = waiting.pop(0)
            yield ("call", WRITE, part, {"part": part}, {})

    yield ("all", [worker(), worker()])
    yield from attempt_until(engine, CHECK, "", {})
    return "succeeded"


def same_call_twice(engine: Engine, given: Body) -> Task:
    yield from attempt_until(engine, CHECK, "", {})
    yield from attempt_until(engine, WRITE, "", {"id": given["id"]})
    yield from attempt_until(engine, CHECK, "", {})
    return "succeeded"


@pytest.mark.parametrize(
    ("task", "op", "workers"),
    [(one_by_one, "files GET /pages", 1), (two_at_once, "files PUT /files", 2)],
)
def test_how_many_elements_run_at_once_is_found(task: Any, op: str, workers: int) -> None:
    flows = made(task.__name__, task, 150)
    program = program_of(flows, flows[0].flow_id)
    each = program.operations[op].each
    assert each is not None
    assert each.workers == workers
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    assert fidelity(results).right >= 145


def test_a_loop_ends_at_its_first_failure_where_the_recordings_do() -> None:
    flows = made("one_by_one", one_by_one, 150)
    each = program_of(flows, flows[0].flow_id).operations["files GET /pages"].each
    assert each is not None
    assert each.stops is True


def test_an_operation_at_two_places_becomes_two_nodes() -> None:
    flows = made("same_call_twice", same_call_twice, 120)
    program = program_of(flows, flows[0].flow_id)
    assert program.places == ("quota GET /quota",)
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    measured = fidelity(results)
    assert measured.right >= 118, measured
    assert measured.width_ppm < 150_000
