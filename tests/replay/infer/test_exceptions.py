"""What single recordings do otherwise is an exception, not a rule; and it is doubted."""

from replay.engine import Folds, replay_recording
from replay.infer.grow import grow
from replay.infer.tree import Leaf
from replay.infer.view import Ref
from replay.leaves import Scalar
from replay.recording import alter, recording_of
from replay.settings import ReplaySettings
from tests.replay.kinds import Kind, true_flow
from tests.replay.worlds import (
    MS,
    Abort,
    Answering,
    Body,
    Engine,
    Reply,
    Task,
    attempt_until,
    dice,
    must,
)

SURE: Ref = ("answer", "model", "sure")
WORD: Ref = ("answer", "model", "word")
AGES: list[Ref] = [("input", f"age{number}") for number in range(4)]


def columns(rows: int) -> dict[Ref, list[Scalar]]:
    roll = dice("exceptions")
    return {ref: [round(roll.random(), 4) for _ in range(rows)] for ref in (SURE, *AGES)}


def test_two_recordings_that_do_otherwise_make_no_threshold_and_are_doubted() -> None:
    """Some age or other parts them from all the rest."""
    told = columns(150)
    labels = [bool(sure < 0.7) for sure in told[SURE]]  # type: ignore[operator]
    odd = [row for row, label in enumerate(labels) if not label][:2]
    tree = grow(told, [label or row in odd for row, label in enumerate(labels)])
    assert _asked(tree.root) == {SURE}
    case: dict[Ref, Scalar] = {ref: 0.9 for ref in told}
    label, doubts = tree.read(case.get)
    assert label is False
    assert [word for word, _ in doubts] == ["impure_leaf"]


def test_a_word_that_one_recording_had_is_a_rule_as_before() -> None:
    words: list[Scalar] = [*["go"] * 30, "stop"]
    tree = grow({WORD: words}, [True] * 30 + [False])
    assert tree.read({WORD: "stop"}.get)[0] is False


def test_what_a_program_would_rather_ask_is_asked_before_what_it_asked_already() -> None:
    """Both part the last five; whether anything was undone says more than a status seen once."""
    status: Ref = ("status", "undo")
    undone: Ref = ("own", "undone")
    ended: list[Scalar] = [*["ok"] * 20, "409", *["503"] * 4]
    done: list[Scalar] = [*[True] * 20, True, *[False] * 4]
    labels = ["compensated"] * 20 + ["partially"] + ["not"] * 4
    tree = grow({status: ended, undone: done}, labels, lambda ref: int(ref != undone))
    case: dict[Ref, Scalar] = {status: "503", undone: True}
    assert tree.read(case.get)[0] == "partially"


def test_what_was_drawn_was_drawn_to_decide_however_rarely() -> None:
    drawn: Ref = ("draw", "gate")
    lots: list[Scalar] = [0.01, 0.02, *(row / 100 for row in range(10, 90))]
    tree = grow({drawn: lots}, [lot < 0.05 for lot in lots])  # type: ignore[operator]
    assert tree.read({drawn: 0.015}.get) == (True, [("low_support", 2)])


def opened(engine: Engine, given: Body, version: str = "1") -> Task:
    """Open two accounts and sign; where signing fails, close both by the names they got."""
    made: list[tuple[tuple[str, str], str]] = []
    try:
        for op in (FIRST, SECOND):
            reply = yield from must(attempt_until(engine, op, "", given))
            made.append((op, str(reply.body["id"])))
        yield from must(attempt_until(engine, SIGN, "", given))
        return "succeeded", None
    except Abort:
        for op, name in reversed(made):
            closing = (op[0], "POST /closures")
            yield from attempt_until(engine, closing, name, {"id": name}, undoes=(op, ""))
        return "compensated" if made else "failed", None


FIRST, SECOND, SIGN = ("bank", "POST /accounts"), ("crm", "POST /accounts"), ("desk", "POST /signs")


def world(seed: object, index: int) -> Answering:
    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        roll = dice("opened", seed, index, op, key)
        if op == SIGN and roll.random() < 0.3:
            return Reply(status="503", latency=20 * MS)
        return Reply(status="ok", latency=20 * MS, body={"id": f"{op[0]}_{roll.random()}"})

    return answering


def test_what_failed_and_left_nothing_to_name_is_not_undone_and_that_is_doubted() -> None:
    """The second account was always opened, so no recording shows what its failure does."""
    kinds: dict[str, Kind] = {"opened": (opened, world, lambda seed, index: {"order": index})}
    recordings = [recording_of(true_flow("opened", n, kinds=kinds)) for n in range(100)]
    failed = alter(recordings[0], "crm POST /accounts", status="418", response={})
    result = replay_recording(failed, Folds(recordings, ReplaySettings()))
    called = [event["op"] for event in result.events if event["event"] == "call"]
    assert called == ["bank POST /accounts", "crm POST /accounts", "bank POST /closures"]
    assert {flag.split()[0] for flag in result.flags} >= {"novel_failure", "unbound_key"}


def _asked(node: object) -> set[Ref]:
    if isinstance(node, Leaf):
        return set()
    return {node.test.ref} | _asked(node.yes) | _asked(node.no)  # type: ignore[attr-defined]
