"""A batch goes in once and comes back as it was."""

from pathlib import Path

from store.lease import Store
from store.model import Batch, Span
from store.read import counts, read_dirty, read_spans
from store.write import write_batch

SPAN = Span(
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="00f067aa0ba902b7",
    parent_span_id=None,
    name="POST /payments",
    kind="server",
    service="payments",
    start_ns=1_700_000_000_000_000_000,
    end_ns=1_700_000_000_050_000_000,
    attributes={
        "http.route": "/payments",
        "raw": b"\x00\xff",
        "ratio": float("inf"),
        "n": 2**53 + 1,
    },
)


def test_a_span_comes_back_as_it_was_written(tmp_path: Path) -> None:
    batch = Batch(
        source="a.json", content_sha256="1", reader="otlp/1", rules_sha256="0", spans=[SPAN]
    )
    with Store(tmp_path / "s.duckdb").lease("test", create=True) as session:
        assert write_batch(session, batch).spans == 1
        assert write_batch(session, batch).known_batch
        assert read_spans(session) == [SPAN]
        assert read_spans(session, [SPAN.trace_id]) == [SPAN]
        assert read_dirty(session).trace_ids == (SPAN.trace_id,)
        assert counts(session).spans == 1
