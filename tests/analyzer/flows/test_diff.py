"""Two flows are compared step by step, and two runs of one thing do not differ."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from analyzer.derive.diff import FlowDiff, diff
from store.conclusions import Flow
from tests.analyzer.builder import Recording
from tests.analyzer.flows.test_messages import accepted, flow_of
from tests.analyzer.flows.test_shape import FLOW, step


def flow(*names: str, number: int = 1, slow: float = 1) -> Flow:
    """Steps one after the other, ten milliseconds each."""
    steps = [
        replace(
            step(name, n * 10 * slow, n * 10 * slow + 9 * slow),
            step_id=f"{number}-{n}",
            key=f"order-{number}",
        )
        for n, name in enumerate(names)
    ]
    return replace(FLOW, flow_id=f"order-{number}", steps=tuple(steps))


def changes(found: FlowDiff) -> list[tuple[str, str]]:
    return [
        (one.change, (one.b or one.a).name)  # type: ignore[union-attr]
        for one in found.steps
        if one.change != "same"
    ]


def test_two_runs_of_one_thing_are_the_same_however_long_they_took() -> None:
    found = diff(flow("a", "b", "c"), flow("a", "b", "c", number=2, slow=3))
    assert found.same
    assert [one.took_b_ns for one in found.steps] == [27_000_000] * 3
    assert found.steps[0].share_a == 0.009


def test_steps_of_one_flow_only_are_added_and_removed_where_they_were() -> None:
    found = diff(flow("a", "b", "d"), flow("a", "c", "d", number=2))
    assert changes(found) == [("removed", "b"), ("added", "c")]
    assert not found.same


def test_the_one_step_that_moved_is_named_and_no_other() -> None:
    found = diff(flow("a", "b", "c", "d"), flow("d", "a", "b", "c", number=2))
    assert changes(found) == [("moved", "d")]


def test_steps_side_by_side_have_no_order_that_could_differ() -> None:
    first, second = step("a", 0, 5), step("b", 1, 6)
    later = (replace(second, step_id="y", start_ns=first.start_ns), replace(first, step_id="x"))
    found = diff(replace(FLOW, steps=(first, second)), replace(FLOW, steps=later))
    assert found.same


def test_attempts_statuses_and_outcomes_are_told() -> None:
    fine, failing = Recording(), Recording(status="failed")
    fine.charge(10, 20, ref="ch-1")
    failing.charge(10, 20, http=503)
    failing.charge(30, 40, http=503)
    found = diff(fine.flow(), failing.flow())
    assert {one.field: (one.a, one.b) for one in found.fields}["outcome"][0] == "succeeded"
    (charge,) = found.steps
    told = {one.field: (one.a, one.b) for one in charge.fields}
    assert told["attempts"] == (1, 2)
    assert told["statuses"] == (["ok"], ["503", "503"])
    assert told["outcome"] == ("ok", "error")


def test_of_several_of_a_name_those_of_one_key_belong_together() -> None:
    a, b = Recording(), Recording()
    for key, start in (("sku-1", 10), ("sku-2", 30)):
        a.reserve(start, start + 5, key)
    for key, start in (("sku-2", 10), ("sku-1", 30)):
        b.reserve(start, start + 5, key)
    found = diff(a.flow(), b.flow())
    assert all(one.a and one.b and one.a.key == one.b.key for one in found.steps)
    assert [change for change, _ in changes(found)] == ["moved"]


def test_too_many_steps_are_compared_without_their_order() -> None:
    names = [f"s{n}" for n in range(1_001)]
    found = diff(flow(*names), flow(*reversed(names), number=2))
    assert not found.order_compared
    assert found.same or changes(found) == []


@given(st.permutations(list("aabcd")), st.permutations(list("abcde")))
def test_every_step_of_either_flow_is_told_once(one: list[str], other: list[str]) -> None:
    a, b = flow(*one), flow(*other, number=2)
    found = diff(a, b)
    assert sorted(it.a.step_id for it in found.steps if it.a) == sorted(s.step_id for s in a.steps)
    assert [it.b.step_id for it in found.steps if it.b] == [s.step_id for s in b.steps]


@given(st.permutations(list("abcdef")))
def test_a_flow_never_differs_from_itself(names: list[str]) -> None:
    assert diff(flow(*names), flow(*names)).same


def test_a_message_that_nobody_could_work_on_differs_from_one_that_was() -> None:
    good, bad = accepted(), accepted()
    bad[4] = replace(bad[4], status="error")
    found = diff(flow_of(good), flow_of(bad))
    (told,) = found.steps[1].fields
    assert (told.field, told.a, told.b) == ("callee_outcomes", ["ok"], ["error"])
