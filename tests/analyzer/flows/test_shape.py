"""Flows of one structure are one variant, whatever their ids, times, repeats and parallel order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from analyzer.derive import shape
from analyzer.derive.shape import outline
from store.conclusions import Step, StepOutcome
from tests.analyzer.builder import MS, START_NS, Recording

FLOW = Recording().flow()


def step(name: str, start: float, end: float | None, **more: object) -> Step:
    options: dict[str, object] = {
        "step_id": f"st_{name}_{start}_{end}",
        "outcome": StepOutcome.OK,
        **more,
    }
    return Step(
        key="",
        name=name,
        kind="call",
        service="orchestrator",
        callee=name,
        operation=name,
        start_ns=START_NS + int(start * MS),
        end_ns=None if end is None else START_NS + int(end * MS),
        attempts=(),
        **options,  # type: ignore[arg-type]
    )


def shape_of(*steps: Step) -> str:
    return shape(replace(FLOW, steps=steps))


def test_a_repeated_step_counts_once() -> None:
    once = shape_of(step("reserve", 0, 5), step("charge", 6, 9))
    assert once == shape_of(step("reserve", 0, 5), step("reserve", 5, 6), step("charge", 6, 9))
    assert once == shape_of(step("reserve", 0, 5), step("reserve", 1, 6), step("charge", 6, 9))


def test_a_repeated_sequence_counts_once() -> None:
    once = shape_of(step("read", 0, 1), step("write", 1, 2), step("close", 9, 10))
    loop = [step(name, at, at + 1) for at, name in enumerate(["read", "write"] * 4)]
    assert once == shape_of(*loop, step("close", 9, 10))


def test_the_order_of_steps_side_by_side_does_not_count() -> None:
    assert shape_of(step("a", 0, 5), step("b", 1, 4)) == shape_of(step("b", 0, 5), step("a", 1, 4))


def test_the_order_of_steps_one_after_the_other_does() -> None:
    assert shape_of(step("a", 0, 5), step("b", 5, 9)) != shape_of(step("b", 0, 5), step("a", 5, 9))


def test_one_after_the_other_is_not_side_by_side() -> None:
    assert shape_of(step("a", 0, 5), step("b", 5, 9)) != shape_of(step("a", 0, 5), step("b", 4, 9))


def test_how_a_step_ended_counts() -> None:
    refused = step("charge", 0, 5, outcome=StepOutcome.ERROR)
    assert shape_of(step("charge", 0, 5)) != shape_of(refused)


def test_a_missing_step_is_another_variant() -> None:
    assert shape_of(step("a", 0, 1), step("b", 1, 2)) != shape_of(step("a", 0, 1))


def test_what_a_step_did_inside_counts() -> None:
    outer = step("a", 0, 9)
    inner = step("b", 1, 2, parent_step_id=outer.step_id)
    assert shape_of(outer, inner) != shape_of(outer)
    assert shape_of(outer, inner) != shape_of(outer, replace(inner, parent_step_id=None))


def test_steps_that_contain_each_other_do_no_harm() -> None:
    """No recording makes such a loop; a store edited by hand might."""
    first = step("a", 0, 1, parent_step_id="st_b_1_2")
    assert shape_of(first, step("b", 1, 2, parent_step_id=first.step_id)).startswith("sh_")


def test_the_outline_is_readable() -> None:
    charge = step("charge", 6, 9, outcome=StepOutcome.TIMEOUT)
    inner = step("score", 6, 7, parent_step_id=charge.step_id)
    flow = replace(FLOW, steps=(step("b", 0, 5), step("a", 1, 4), charge, inner))
    assert outline(flow) == "a ∥ b → charge [timeout](score)"


@given(st.permutations(range(5)), st.integers(0, 10**6), st.integers(1, 9))
def test_order_of_arrival_and_time_of_day_do_not_matter(
    order: list[int], later: int, slower: int
) -> None:
    steps = [step(name, n * 2, n * 2 + 3 * (n % 2)) for n, name in enumerate("abcde")]
    moved = [
        replace(
            steps[n],
            start_ns=START_NS + later + (steps[n].start_ns - START_NS) * slower,
            end_ns=START_NS + later + ((steps[n].end_ns or 0) - START_NS) * slower,
        )
        for n in order
    ]
    assert shape_of(*steps) == shape_of(*moved)
