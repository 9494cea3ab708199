"""What a release of a service does differently is told by the releases that were recorded."""

from dataclasses import replace

from replay.drawn import RELEASE
from replay.engine import replay_flows
from replay.fidelity import Fidelity, fidelity
from replay.recording import recording_of
from replay.train import lacking_of
from store.conclusions import Flow
from store.model import JsonValue
from tests.replay.kinds import Kind, true_flow
from tests.replay.worlds import MS, Abort, Answering, Body, Engine, Reply, Task, attempt_until, dice

LOOKUP, HAND_ON = ("register", "POST /lookups"), ("writer", "POST /records")


def release(index: int) -> str:
    return dice("release", index).choice(("1.0", "2.0"))


def looked_up(engine: Engine, given: Body, version: str = "1") -> Task:
    """Look something up and hand it on; the old release cannot read a list."""
    try:
        found = yield from attempt_until(engine, LOOKUP, "", {"order": given["order"]})
        if isinstance(found.body["text"], list) and release(given["order"]) == "1.0":
            raise Abort("list")
        yield from attempt_until(engine, HAND_ON, "", {"order": given["order"]})
        return "succeeded", None
    except Abort:
        return "failed", None


def world(seed: object, index: int) -> Answering:
    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        roll = dice("looked up", seed, index, op, number)
        text = f"text {roll.random()}"
        body: Body = {"text": [text, "more"] if roll.random() < 0.15 else text}
        return Reply(status="ok", latency=20 * MS, body=body if op == LOOKUP else {})

    return answering


KIND: dict[str, Kind] = {"looked up": (looked_up, world, lambda seed, index: {"order": index})}


def flows(*, told: bool) -> list[Flow]:
    made = [true_flow("looked up", index, kinds=KIND) for index in range(150)]
    if not told:
        return made
    return [
        replace(flow, draws=[{"kind": "release", "service": "reader", "value": release(index)}])
        for index, flow in enumerate(made)
    ]


def measured(made: list[Flow]) -> Fidelity:
    return fidelity(replay_flows(made, [flow.flow_id for flow in made]))


def test_a_release_that_cannot_read_an_answer_is_told_from_one_that_can() -> None:
    known, unknown = measured(flows(told=True)), measured(flows(told=False))
    assert known.right >= 0.99 * known.flows, known
    assert known.doubted == 0, known
    assert unknown.right < known.right, unknown
    assert unknown.silent == 0, unknown


def test_releases_are_input_and_neither_draws_nor_what_the_flow_was_asked() -> None:
    (flow, *_) = flows(told=True)
    drawn: list[JsonValue] = [{"kind": "random", "value": 0.5}, *flow.draws]
    recording = recording_of(replace(flow, input=None, draws=drawn))
    assert recording.input == {f"{RELEASE}reader": release(0)}
    assert recording.draws == ({"kind": "random", "value": 0.5},)
    assert any("retrospan.flow.input" in name for name in lacking_of([recording]))
