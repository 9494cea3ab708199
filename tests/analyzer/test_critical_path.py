"""The critical path covers the flow's duration exactly, and only with what gated it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.derive.critical_path import critical_path
from analyzer.derive.tree import plant
from store.model import Span, SpanLink
from tests.analyzer.builder import MS, make_span


def path_of(spans: list[Span]) -> dict[int, float]:
    """Span number to milliseconds on the path."""
    return {
        int(segment.span_id, 16): segment.self_ns / MS for segment in critical_path(plant(spans))
    }


def below(number: int, start: float, end: float | None, parent: int = 1, **more: object) -> Span:
    options: dict[str, object] = {"parent": f"{parent:016x}", **more}
    return make_span(f"s{number}", start, end, number=number, **options)  # type: ignore[arg-type]


ROOT = make_span("root", 0, 100, number=1)


def test_gaps_between_calls_are_the_roots_own_time() -> None:
    assert path_of([ROOT, below(2, 10, 30), below(3, 50, 90)]) == {1: 40, 2: 20, 3: 40}


def test_of_parallel_calls_only_the_last_to_finish_counts() -> None:
    assert path_of([ROOT, below(2, 10, 60), below(3, 10, 90)]) == {1: 20, 3: 80}


def test_a_call_that_overlaps_the_gating_one_did_not_gate_it() -> None:
    assert path_of([ROOT, below(2, 10, 60), below(3, 50, 90)]) == {1: 60, 3: 40}


def test_a_child_longer_than_its_parent_is_clipped() -> None:
    spans = [ROOT, below(2, 10, 50), below(3, 20, 400, parent=2), below(4, 30, 300, parent=3)]
    assert path_of(spans) == {1: 60, 2: 10, 3: 10, 4: 20}


def test_inner_calls_take_the_time_from_the_outer_one() -> None:
    assert path_of([ROOT, below(2, 10, 90), below(3, 20, 80, parent=2)]) == {1: 20, 2: 20, 3: 60}


def test_work_tied_by_a_link_counts_while_the_flow_still_runs() -> None:
    sent = below(2, 10, 20, kind="producer")
    done = make_span(
        "consume", 40, 80, number=3, kind="consumer", trace="0" * 31 + "2",
        links=[SpanLink(trace_id=sent.trace_id, span_id=sent.span_id)],
    )  # fmt: skip
    assert path_of([ROOT, sent, done]) == {1: 50, 2: 10, 3: 40}


def test_a_flow_without_an_end_has_no_path() -> None:
    assert path_of([make_span("root", 0, None, number=1), below(2, 10, 30)]) == {}


def test_an_unfinished_call_is_left_out() -> None:
    assert path_of([ROOT, below(2, 10, None), below(3, 20, 40)]) == {1: 80, 3: 20}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-20, 150), st.integers(0, 120), st.integers(1, 12)), max_size=12)
)
def test_self_times_add_up_to_the_duration(shape: list[tuple[int, int, int]]) -> None:
    """Whatever the children's times, clocks running wrong included."""
    spans = [ROOT]
    for number, (start, length, parent) in enumerate(shape, 2):
        spans.append(below(number, start, start + length, parent=min(parent, number - 1)))
    segments = critical_path(plant(spans))
    assert sum(segment.self_ns for segment in segments) == 100 * MS
    assert all(segment.self_ns > 0 for segment in segments)
