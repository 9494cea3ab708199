"""A log's word on a decision wins over a span's, whichever is loaded first."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from store.lease import Session, Store
from store.model import Batch, Decision, Span
from store.read import counts as counts_of
from store.read import read_decisions, read_dirty
from store.write import write_batch
from tests.store.conftest import TRACE

OTHER = "1" * 32


def of_log(decision_id: str = "d-1", span: int = 9, **fields: object) -> Decision:
    plain: dict[str, object] = {
        "decision_id": decision_id, "time_ns": 50, "chosen": "pay", "trace_id": TRACE,
        "span_id": f"{span:016x}", "record": {"decision_id": decision_id},
    }  # fmt: skip
    return Decision(**{**plain, **fields})  # type: ignore[arg-type]


def of_span(decision_id: str = "d-1", span: int = 1, **fields: object) -> Decision:
    record = {"decision_id": decision_id, "derived_from": "span"}
    return of_log(decision_id, span, **{"record": record, **fields})


def stored(session: Session) -> list[tuple[str, str]]:
    return [
        (it.decision_id, "span" if "derived_from" in it.record else "log")
        for it in read_decisions(session)
    ]


@pytest.mark.parametrize(
    ("decisions", "kept"),
    [
        ((of_log(), of_span()), [("d-1", "log")]),
        ((of_log(), of_span("span:x/1", span=9)), [("d-1", "log")]),
        ((of_log(), of_span("d-2")), [("d-1", "log"), ("d-2", "span")]),
        ((of_log(), of_log("d-2"), of_span("span:x/1", span=9)), [("d-1", "log"), ("d-2", "log")]),
        ((of_span(time_ns=7), of_span(time_ns=8, chosen="b")), [("d-1", "span")]),
    ],
)
def test_what_stands_in_the_end_does_not_depend_on_the_order(
    decisions: Sequence[Decision], kept: Sequence[tuple[str, str]], tmp_path: Path,
    batch: Callable[..., Batch],
) -> None:  # fmt: skip
    answers = []
    for number, order in enumerate(itertools.permutations(decisions)):
        with Store(tmp_path / f"{number}.duckdb").lease("test", create=True) as session:
            for decision in order:
                write_batch(session, batch(decisions=[decision]))
            assert stored(session) == list(kept)
            answers.append(read_decisions(session))
    assert all(answer == answers[0] for answer in answers)


def test_one_batch_may_hold_both(session: Session, batch: Callable[..., Batch]) -> None:
    counts = write_batch(session, batch(decisions=[of_span(), of_log(), of_span("d-2", span=9)]))
    assert stored(session) == [("d-1", "log")]
    assert (counts.decisions, counts.superseded, counts.duplicates) == (1, 0, 0)


def test_derived_decisions_are_not_counted_as_read(
    session: Session, batch: Callable[..., Batch]
) -> None:
    counts = write_batch(session, batch(decisions=[of_span()]))
    assert (counts.decisions, counts.superseded, counts.duplicates) == (0, 0, 0)
    assert counts_of(session).decisions == 1
    again = write_batch(session, batch(decisions=[of_span()]))
    assert again.superseded == again.duplicates == 0


def test_leaves_of_the_proof_are_numbered_without_gaps(
    session: Session, batch: Callable[..., Batch]
) -> None:
    """What is taken out again was never a leaf."""
    for decision in (of_span("a"), of_log("b"), of_log("a"), of_span("c"), of_log("d", span=3)):
        write_batch(session, batch(decisions=[decision]))
    rows = session.cursor.execute(
        "SELECT decision_id, leaf_index FROM decisions ORDER BY decision_id"
    ).fetchall()
    assert rows == [("a", 1), ("b", 0), ("c", None), ("d", 2)]


def test_the_flow_of_a_replaced_decision_is_derived_again(
    session: Session, batch: Callable[..., Batch], span: Callable[..., Span]
) -> None:
    write_batch(session, batch(span(1, trace_id=OTHER), decisions=[of_span(trace_id=OTHER)]))
    session.cursor.execute("DELETE FROM dirty_traces")
    write_batch(session, batch(decisions=[of_log()]))
    assert OTHER in read_dirty(session).trace_ids


def test_decisions_of_one_span_in_two_versions_keep_the_later_one(
    session: Session, batch: Callable[..., Batch]
) -> None:
    unfinished = of_span("span:x/1", time_ns=5, chosen="begun")
    finished = of_span("span:x/1", time_ns=9, chosen="done")
    for decision in (finished, unfinished):
        write_batch(session, batch(decisions=[decision]))
    assert [it.chosen for it in read_decisions(session)] == ["done"]
