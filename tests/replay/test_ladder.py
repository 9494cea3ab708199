"""A changed program gets the answer it means, or is told that it may not be."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.ladder import Entry, Ladder, Match
from replay.leaves import Scalar
from replay.noise import Noise, id_shape, time_shape
from tests.replay.altered_calls import CHANGES, Asked, Case
from tests.replay.altered_calls import recorded as recorded_calls

SURE = ("explicit", "exact", "denoised", "bound")


def judged(case: Case) -> Counter[str]:
    """How each request came out, and whether a right answer could be told at all."""
    ladder = Ladder(case.entries, Noise(), case.given)
    told: Counter[str] = Counter()
    for asked in case.asked:
        match = ladder.find(asked.op, "", asked.request)
        told[verdict(case, asked, match)] += 1
        told["decidable" if decidable(case, asked) else "undecidable"] += 1
    return told


def verdict(case: Case, asked: Asked, match: Match) -> str:
    poll = "" if decidable(case, asked) else " poll"
    if match.number is None:
        return f"right{poll}" if asked.means is None else f"missed{poll}"
    if asked.means is not None:
        if case.entries[match.number].answer == case.entries[asked.means].answer:
            return f"right{poll}"
    elif match.rung == "structural":
        return f"labelled{poll}"
    labelled = match.rung not in SURE or match.ambiguous
    return f"labelled{poll}" if labelled else f"silently wrong{poll}"


def decidable(case: Case, asked: Asked) -> bool:
    """Polls are equal requests with different answers: nothing in them tells which is meant."""
    return asked.op != "export GET /jobs"


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_program_gets_the_right_answers_and_no_wrong_one_in_silence(change: str) -> None:
    told: Counter[str] = Counter()
    for seed in range(300):
        roll = Random(f"{change} {seed}")
        told += judged(CHANGES[change](roll, recorded_calls(roll, polls=seed % 2 == 0)))
    assert told["decidable"] > 2_500
    assert told["silently wrong"] + told["silently wrong poll"] == 0, told
    assert told["right"] >= 0.99 * told["decidable"], told


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=4),
    st.booleans(),
)
def test_several_changes_at_once_are_never_silently_wrong(
    seed: int, changes: list[str], polls: bool
) -> None:
    roll = Random(seed)
    case = recorded_calls(roll, polls)
    for change in changes:
        case = CHANGES[change](roll, case)
    told = judged(case)
    assert told["silently wrong"] + told["silently wrong poll"] == 0, told


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(sorted(CHANGES)), max_size=3))
def test_each_entry_answers_once_and_sessions_do_not_see_each_other(
    seed: int, changes: list[str]
) -> None:
    roll = Random(seed)
    case = recorded_calls(roll, polls=True)
    for change in changes:
        case = CHANGES[change](roll, case)
    ladder = Ladder(case.entries, Noise(), case.given)
    alone = [ladder.find(a.op, "", a.request, "one") for a in case.asked]
    sure = [m.number for m in alone if m.rung in SURE]
    assert len(sure) == len(set(sure))
    again = [ladder.find(a.op, "", a.request, "two") for a in case.asked]
    assert again == alone
    assert set(ladder.unread("one")) == set(range(len(case.entries))) - {m.number for m in alone}


def entry(answer: str, key: str = "", **request: Scalar) -> Entry:
    return Entry(op="op", key=key, request=request, answer={"a": answer}, label=answer)


def test_polls_are_handed_out_in_order_and_flagged() -> None:
    ladder = Ladder([entry("wait", job=1), entry("done", job=1)], Noise(), {})
    matches = [ladder.find("op", "", {"job": 1}) for _ in range(3)]
    assert [m.number for m in matches] == [0, 1, None]
    assert all(m.ambiguous for m in matches[:2])
    assert matches[2].rung == "missing"
    assert [near.taken for near in matches[2].near] == [True, True]


def test_equal_requests_with_equal_answers_are_not_ambiguous() -> None:
    ladder = Ladder([entry("same", job=1), entry("same", job=1)], Noise(), {})
    assert [ladder.find("op", "", {"job": 1}).ambiguous for _ in range(2)] == ["", ""]


def test_an_explicit_key_wins_over_an_equal_request() -> None:
    ladder = Ladder([entry("one", "k1", a=1), entry("two", "k2", a=1)], Noise(), {})
    match = ladder.find("op", "k2", {"a": 1})
    assert (match.number, match.rung, match.ambiguous) == (1, "explicit", "")


def test_a_key_that_was_never_recorded_takes_no_answer_of_another_key() -> None:
    ladder = Ladder([entry("one", "k1", a=1, b=2)], Noise(), {})
    match = ladder.find("op", "k9", {"a": 1, "b": 3})
    assert match.rung == "missing"
    assert match.near[0].differences == (("b", 2, 3),)


def test_an_id_made_anew_is_followed_into_later_requests() -> None:
    """The program makes an id, sends it twice; the replay makes another one."""
    old, new = "6f1d8a3c5b7e9f10", "a0b1c2d3e4f50617"
    entries = [
        Entry(op="open", key="", request={"id": old, "n": 1}, answer={"ok": True}, label="open"),
        Entry(op="close", key="", request={"id": old}, answer={"ok": True, "n": 1}, label="close"),
        Entry(op="close", key="", request={"id": "ffff8a3c5b7e9f10"}, answer={"n": 2}, label="no"),
    ]
    ladder = Ladder(entries, Noise(), {"other": "ffff8a3c5b7e9f10"})
    assert ladder.find("open", "", {"id": new, "n": 1}).rung == "denoised"
    match = ladder.find("close", "", {"id": new})
    assert (match.number, match.rung, match.ambiguous) == (1, "bound", "")


def test_an_answer_given_instead_is_followed_into_later_requests() -> None:
    entries = [
        Entry(op="charge", key="", request={"n": 1}, answer={"id": "ch-000111"}, label="charge"),
        Entry(op="refund", key="", request={"id": "ch-000111", "n": 9}, answer={}, label="refund"),
    ]
    ladder = Ladder(entries, Noise(), {})
    first = ladder.find("charge", "", {"n": 1})
    assert first.number is not None
    ladder.answered(first.number, {"id": "ch-999999"})
    assert ladder.find("refund", "", {"id": "ch-999999", "n": 9}).rung == "bound"


def test_a_value_known_from_the_input_is_no_noise_though_it_looks_like_an_id() -> None:
    one, two = "6f1d8a3c5b7e9f10", "a0b1c2d3e4f50617"
    ladder = Ladder([entry("one", id=one), entry("two", id=two)], Noise(), {"x": one, "y": two})
    assert ladder.find("op", "", {"id": two}).number == 1
    assert ladder.find("op", "", {"id": "0123456789abcdef"}).rung == "missing"


def test_noise_is_named_learned_or_configured() -> None:
    recorded: dict[str, Scalar] = {"salt": 1, "body.seq": 7, "header.Date": "x", "a": 1}
    entries = [Entry(op="op", key="", request=recorded, answer={})]
    asked: dict[str, Scalar] = {"salt": 2, "body.seq": 8, "header.Date": "y", "a": 1}
    noise = Noise(learned={"op": frozenset({"salt"})}, configured=("body.*",))
    assert Ladder(entries, noise, {}).find("op", "", asked).rung == "denoised"
    assert Ladder(entries, Noise(), {}).find("op", "", asked).rung == "missing"


@pytest.mark.parametrize(
    ("path", "value", "fresh"),
    [
        ("a", "0b9d0f0e-5c1f-4f0a-9d35-0a35a3d3f8c1", True),
        ("a", "01ARZ3NDEKTSV4RRFFQ69G5FAV", True),
        ("a", "2026-11-22T10:00:00.123Z", True),
        ("a", "6f1d8a3c5b7e9f10", True),
        ("a", 1_790_000_000_123, True),
        ("created_at", 1_790_000_000, True),
        ("amount", 1_790_000_000, False),
        ("a", "order-000203", False),
        ("a", "deadbeefdeadbeef" + "x", False),
        ("a", "1234567890123456", False),
        ("a", True, False),
        ("a", None, False),
        ("a", 12.5, False),
    ],
)
def test_shapes_of_values_made_for_one_call(path: str, value: Scalar, fresh: bool) -> None:
    assert (id_shape(value) or time_shape(path, value)) is fresh
