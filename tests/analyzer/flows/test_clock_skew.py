"""How far clocks run apart is estimated over all calls of a pair of services."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from store.lease import Store
from store.model import Batch, Span
from store.read import ClockSkew, read_clock_skew
from store.write import write_batch
from tests.analyzer.builder import MS, make_span


def calls(ahead_ms: float, *, way: float = 1, number: int = 5, failed: int = 0) -> list[Span]:
    """Calls of 10 ms from a to b, whose clock is so far ahead; the last ones fail and end apart."""
    spans: list[Span] = []
    for n in range(number):
        bad = n >= number - failed
        client = make_span("call", 0, 10, number=2 * n + 1, trace=f"{n + 1:032x}", kind="client",
                           service="a", status="error" if bad else "unset")  # fmt: skip
        end = 900 if bad else 10 - way
        spans += [
            client,
            make_span("work", way + ahead_ms, end + ahead_ms, number=2 * n + 2, kind="server",
                      service="b", trace=client.trace_id, parent=client.span_id),
        ]  # fmt: skip
    return spans


def skew(folder: Path, spans: Sequence[Span]) -> list[ClockSkew]:
    store = Store(folder / "s.duckdb")
    batch = Batch(source="t", content_sha256="c", reader="t", rules_sha256="0", spans=spans)
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    with store.lease("test") as session:
        return read_clock_skew(session)


@pytest.mark.parametrize("ahead", [0.0, 250.0, -3_000.0])
def test_the_offset_is_what_it_was_made(tmp_path: Path, ahead: float) -> None:
    (one,) = skew(tmp_path, calls(ahead))
    assert (one.caller, one.callee, one.calls) == ("a", "b", 5)
    assert one.offset_ns == ahead * MS
    assert one.low_ns <= one.offset_ns <= one.high_ns


def test_clocks_disagree_for_certain_only_when_work_lies_outside_its_call(tmp_path: Path) -> None:
    (near,) = skew(tmp_path, calls(0.5))
    assert not near.certain
    assert near.offset_ns == 0.5 * MS


def test_work_outside_its_call_shows_that_clocks_disagree(tmp_path: Path) -> None:
    (far,) = skew(tmp_path, calls(40))
    assert far.certain


def test_calls_that_failed_say_nothing(tmp_path: Path) -> None:
    (one,) = skew(tmp_path, calls(7, number=9, failed=5))
    assert (one.calls, one.offset_ns) == (4, 7 * MS)
