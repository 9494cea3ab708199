"""Data that comes late joins the flow it belongs to; what was said before is still found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import rebuild as module
from analyzer.rebuild import RebuildSettings, rebuild
from store.conclusions import ReplayResult
from store.errors import NotFoundError
from store.lease import Store
from store.model import Batch, Span
from store.read import read_flow, read_flows, read_replays
from store.write import write_batch, write_replays
from tests.analyzer.builder import Recording, make_span
from tests.analyzer.flows.test_messages import choreography, trace

SETTINGS = RebuildSettings()
REPLAY = ReplayResult(
    flow_id="", mode="trace", verdict="identical", digest="d", outcome="succeeded",
    virtual_duration_ns=1, virtual_low_ns=1, virtual_high_ns=1, program_digest="p",
    program_flows=100, leave_one_out=True, flags=(), divergences=(), answers={},
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def load(store: Store, spans: Sequence[Span]) -> None:
    name = str(sorted((span.trace_id, span.span_id) for span in spans))
    batch = Batch(source="t", content_sha256=name, reader="t/1", rules_sha256="0", spans=spans)
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, SETTINGS)


def of_trace(number: int) -> list[Span]:
    return [span for span in choreography() if span.trace_id == trace(number)]


def replay(store: Store, *flow_ids: str) -> None:
    with store.lease("test") as session:
        write_replays(session, [replace(REPLAY, flow_id=flow_id) for flow_id in flow_ids])


def replayed(store: Store) -> list[str]:
    with store.lease("test") as session:
        return [result.flow_id for result in read_replays(session)]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (3, 1, 2)])
def test_messages_join_flows_whenever_their_traces_come(
    store: Store, order: tuple[int, ...]
) -> None:
    for number in order:
        load(store, of_trace(number))
    with store.lease("test") as session:
        (flow,) = read_flows(session)
    assert flow.trace_ids == tuple(trace(number) for number in (1, 2, 3))


def test_messages_join_flows_over_the_edge_of_a_chunk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRACES_PER_CHUNK", 1)
    load(store, choreography())
    with store.lease("test") as session:
        assert len(read_flows(session)) == 1


def test_a_flow_is_found_by_the_id_it_had_before_it_was_joined(store: Store) -> None:
    load(store, of_trace(3))
    with store.lease("test") as session:
        assert read_flow(session, f"trace:{trace(3)}").span_count == 2
    load(store, [*of_trace(1), *of_trace(2)])
    with store.lease("test") as session:
        assert read_flow(session, f"trace:{trace(3)}").flow_id == f"trace:{trace(1)}"


def test_an_id_that_became_several_flows_names_them(store: Store) -> None:
    batch = make_span("batch", 0, 9, number=1)
    parts = [
        make_span("one", 1, 5, number=n, parent=batch.span_id,
                  attributes={"retrospan.flow.id": f"order-{n}"})
        for n in (2, 3)
    ]  # fmt: skip
    load(store, parts)
    with store.lease("test") as session, pytest.raises(NotFoundError, match="order-2, order-3"):
        read_flow(session, f"trace:{batch.trace_id}")


def test_replays_of_a_flow_that_changed_or_went_are_gone(store: Store) -> None:
    load(store, of_trace(1))
    load(store, of_trace(3))
    replay(store, f"trace:{trace(1)}", f"trace:{trace(3)}")
    load(store, of_trace(2))
    assert replayed(store) == []


def test_replays_of_other_flows_stay(store: Store) -> None:
    load(store, [*of_trace(1), *Recording(trace=trace(9)).all_spans()])
    replay(store, f"trace:{trace(1)}", "order-1")
    load(store, of_trace(2))
    assert replayed(store) == ["order-1"]


def test_replays_of_a_flow_derived_again_to_the_same_stay(store: Store) -> None:
    load(store, of_trace(1))
    replay(store, f"trace:{trace(1)}")
    again = RebuildSettings(grace_ns=SETTINGS.grace_ns + 1)
    assert rebuild(store, again).flows == 1
    assert replayed(store) == [f"trace:{trace(1)}"]
