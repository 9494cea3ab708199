"""Rows of the waterfall, whatever shape the spans are in."""

from hypothesis import given
from hypothesis import strategies as st

from dashboards.components.waterfall import columns
from dashboards.span_tree import RowFlag, lay_out
from store.model import Span


def span(number: int, parent: int | None, start: int = 0, **more: object) -> Span:
    values: dict[str, object] = {
        "trace_id": f"{1:032x}",
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "name": f"span {number}",
        "kind": "internal",
        "service": "shop",
        "start_ns": start,
        "end_ns": start + 1,
    }
    return Span(**(values | more))  # type: ignore[arg-type]  # the record's own names


@given(st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=12), st.randoms())
def test_every_span_gets_one_row_even_when_parents_run_in_a_circle(
    parents: list[int | None], mixer: object
) -> None:
    spans = [span(number, parent, number) for number, parent in enumerate(parents)]
    tree = lay_out(spans, None)
    assert sorted(row.span.span_id for row in tree.rows) == [one.span_id for one in spans]
    mixer.shuffle(spans)  # type: ignore[attr-defined]  # hypothesis hands out a Random
    assert lay_out(spans, None) == tree


def test_children_follow_their_parent_by_start() -> None:
    tree = lay_out([span(1, None), span(3, 1, 5), span(2, 1, 9), span(4, 3, 6)], None)
    assert [(row.span.span_id[-1], row.depth) for row in tree.rows] == [
        ("1", 0),
        ("3", 1),
        ("4", 2),
        ("2", 1),
    ]


def test_a_span_without_its_parent_is_shown_and_marked() -> None:
    tree = lay_out([span(1, None), span(2, 99)], None)
    assert tree.parents_missing == 1
    assert tree.rows[1].flags & RowFlag.PARENT_MISSING


def test_the_first_error_is_the_one_no_failed_child_explains() -> None:
    spans = [
        span(1, None, 0, status="error"),
        span(2, 1, 5, status="error"),
        span(3, 2, 6),
        span(4, 1, 9, status="error"),
    ]
    tree = lay_out(spans, None)
    assert tree.first_error() == tree.find(f"{2:016x}")


def test_an_unfinished_span_is_drawn_to_the_end_of_the_recording() -> None:
    tree = lay_out([span(1, None, 0, end_ns=5_000_000), span(2, 1, 1_000_000, end_ns=None)], None)
    sent = columns(tree)
    assert sent["cols"]["dur"] == [5.0, 4.0]
    assert sent["cols"]["flags"][1] & RowFlag.UNFINISHED


def test_a_chain_of_ten_thousand_parents_does_not_run_out_of_stack() -> None:
    tree = lay_out([span(n, n - 1 if n else None, n) for n in range(10_000)], None)
    assert len(tree.rows) == 10_000
