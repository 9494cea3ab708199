"""Answers are found by request, each on its rung of the ladder."""

from replay.infer.binding import Binding, Request
from replay.infer.expression import Constant
from replay.match import Answers
from replay.recording import RecordedAttempt, RecordedStep, Recording


def attempt(number: int, **request: str) -> RecordedAttempt:
    return RecordedAttempt(
        span_id=f"s{number}", start_ns=number * 10, end_ns=number * 10 + 5, status="ok",
        request=request, response={"n": number},
    )  # fmt: skip


def answers(*steps: tuple[str, list[RecordedAttempt]]) -> Answers:
    recording = Recording(
        flow_id="f", name="n", version="1", service="s", outcome="succeeded", duration_ns=99,
        input={}, output={},
        steps=[
            RecordedStep(step_id=key, op="op", key=key, kind="call", local=False, attempts=made)
            for key, made in steps
        ],
    )  # fmt: skip
    return Answers.of(recording)


BOUND = Request(bound={"a": Binding(Constant("x"), (), 1)}, noise=("t",))


def test_an_explicit_key_wins_whatever_the_request_says() -> None:
    found = answers(("k", [attempt(1, a="other")])).find("op", "k", {"a": "x"}, BOUND)
    assert found.rung == "explicit"


def test_without_a_key_the_request_decides_the_rung() -> None:
    rungs = {
        "exact": {"a": "x"},
        "denoised": {"a": "x", "t": "17:04"},
        "bound": {"a": "y", "t": "17:04"},
        "structural": {},
    }
    for rung, recorded in rungs.items():
        found = answers(("", [attempt(1, **recorded)])).find("op", "", {"a": "x"}, BOUND)
        assert found.rung == rung


def test_attempts_are_handed_out_one_by_one_and_then_missing() -> None:
    store = answers(("k", [attempt(1), attempt(2)]))
    found = store.find("op", "k", {}, BOUND)
    taken = [store.take("op", found) or store.lend("op") for _ in range(3)]
    assert [answer.response.get("n") for answer in taken] == [1, 2, None]
    assert [answer.rung for answer in taken] == ["explicit", "explicit", "missing"]
    assert store.counts["explicit"] == 2
    assert store.counts["missing"] == 1


def test_an_unknown_key_takes_the_most_similar_request() -> None:
    store = answers(("k1", [attempt(1, a="x")]), ("k2", [attempt(2, a="y")]))
    found = store.find("op", "other", {"a": "y"}, BOUND)
    assert (found.key, found.rung, found.ambiguous) == ("k2", "structural", False)


def test_requests_that_cannot_be_told_apart_are_ambiguous_and_not_silent() -> None:
    store = answers(("k1", [attempt(1, a="x")]), ("k2", [attempt(2, a="x")]))
    found = store.find("op", "other", {"a": "x"}, BOUND)
    assert found.ambiguous
    store.take("op", found)
    assert store.counts["ambiguous"] == 1


def test_each_recorded_stream_serves_one_instance() -> None:
    store = answers(("k1", [attempt(1)]), ("k2", [attempt(2)]))
    found = [store.find("op", key, {}, BOUND) for key in ("a", "b", "c")]
    assert [stream.key for stream in found] == ["k1", "k2", "c"]
    assert [stream.rung for stream in found] == ["structural", "structural", "missing"]


def test_an_operation_never_recorded_is_missing() -> None:
    assert answers(("k", [attempt(1)])).find("elsewhere", "k", {}, BOUND).rung == "missing"
