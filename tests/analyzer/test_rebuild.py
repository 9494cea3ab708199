"""Rebuilding a store gives what deriving everything at once gives, however the data came."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import rebuild as module
from analyzer.assign import AssignSettings
from analyzer.code_digest import derivation_digest
from analyzer.gather import Gatherer
from analyzer.rebuild import RebuildSettings, rebuild
from analyzer.workers import concluding
from store.conclusions import Flow, SagaVerdict, Verdict
from store.errors import StoreBusyError
from store.lease import Store
from store.model import Batch, Span, SpanLink
from store.read import read_dirty, read_dirty_among, read_findings, read_flows, read_sagas
from store.write import write_batch
from tests.analyzer.builder import LATER_NS, Recording, make_span

SETTINGS = RebuildSettings()


def trace(number: int) -> str:
    return f"{number:032x}"


def broken(number: int) -> list[Span]:
    """A payment charged twice and never refunded."""
    flow = Recording(status="failed", flow_id=f"order-{number}", trace=trace(number))
    flow.charge(10, 20, key="k1", error="timeout", at_callee=201, callee_ref="ch-1")
    flow.charge(30, 40, key="k2", ref="ch-2")
    return flow.all_spans()


def heartbeat(number: int = 99) -> Span:
    """The orchestrator, heard of long after."""
    root = Recording(flow_id="later", trace=trace(number)).root()
    return replace(root, start_ns=LATER_NS, end_ns=LATER_NS + 1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def load(store: Store, spans: Sequence[Span]) -> None:
    name = str(sorted((span.trace_id, span.span_id) for span in spans))
    batch = Batch(source="t", content_sha256=name, reader="t/1", rules_sha256="0", spans=spans)
    with store.lease("test", create=True) as session:
        write_batch(session, batch)


def stored(store: Store) -> tuple[list[Flow], list[SagaVerdict]]:
    with store.lease("test") as session:
        return read_flows(session), read_sagas(session)


def test_flows_verdicts_and_findings_are_stored(store: Store) -> None:
    load(store, [*broken(1), heartbeat()])
    report = rebuild(store, SETTINGS)
    assert (report.flows, report.traces, report.findings, report.tries) == (2, 2, 1, 1)
    flows, sagas = stored(store)
    assert [flow.flow_id for flow in flows] == ["order-1", "later"]
    assert {saga.flow_id: saga.verdict for saga in sagas}["order-1"] is Verdict.VIOLATION
    with store.lease("test") as session:
        assert [it.detector for it in read_findings(session)] == ["duplicate_effect"]


def test_nothing_new_is_nothing_to_do(store: Store) -> None:
    load(store, broken(1))
    assert rebuild(store, SETTINGS).flows == 1
    assert rebuild(store, SETTINGS).flows == 0


def test_other_settings_derive_everything_again(store: Store) -> None:
    load(store, broken(1))
    rebuild(store, SETTINGS)
    other = RebuildSettings(grace_ns=1)
    assert derivation_digest(other) != derivation_digest(SETTINGS)
    assert rebuild(store, other).flows == 1


@pytest.mark.parametrize("cut", [1, 3])
def test_data_in_two_loads_ends_like_data_in_one(tmp_path: Path, cut: int) -> None:
    spans = [*broken(1), *broken(2), heartbeat()]
    parts, whole = Store(tmp_path / "parts.duckdb"), Store(tmp_path / "whole.duckdb")
    load(whole, spans)
    rebuild(whole, SETTINGS)
    for part in (spans[cut::5], [span for n, span in enumerate(spans) if n % 5 != cut % 5]):
        load(parts, part)
        rebuild(parts, SETTINGS)
    assert stored(parts) == stored(whole)


def test_chunks_end_like_all_traces_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow over two traces, linked traces, and flows of their own, one trace at a time."""
    named = [replace(span, trace_id=trace(40)) for span in broken(1)[1:2]]
    link = SpanLink(trace_id=trace(5), span_id=heartbeat(5).span_id)
    loose = [replace(heartbeat(number), attributes={}) for number in (5, 6, 7)]
    loose[2] = replace(loose[2], links=(link,))
    spans = [*broken(1), *named, *broken(2), *loose, heartbeat()]
    chunked, whole = Store(tmp_path / "chunked.duckdb"), Store(tmp_path / "whole.duckdb")
    load(whole, spans)
    rebuild(whole, SETTINGS)
    load(chunked, spans)
    monkeypatch.setattr(module, "TRACES_PER_CHUNK", 1)
    monkeypatch.setattr(module, "TRACES_PER_CHUNK_MAX", 1)
    rebuild(chunked, SETTINGS)
    assert stored(chunked) == stored(whole)
    with chunked.lease("test") as session:
        assert not read_dirty(session).trace_ids
    other = RebuildSettings(grace_ns=1)
    assert rebuild(chunked, other).traces == rebuild(whole, other).traces
    assert stored(chunked) == stored(whole)


def test_a_verdict_at_the_edge_is_settled_when_the_edge_moves(store: Store) -> None:
    load(store, broken(1))
    rebuild(store, SETTINGS)
    assert {it.check: it.verdict for it in stored(store)[1][0].checks}["S1"] is Verdict.OPEN
    load(store, [heartbeat()])
    rebuild(store, SETTINGS)
    saga = next(saga for saga in stored(store)[1] if saga.flow_id == "order-1")
    assert {it.check: it.verdict for it in saga.checks}["S1"] is Verdict.VIOLATION


def test_late_links_merge_flows_and_the_old_ones_go(store: Store) -> None:
    first = replace(heartbeat(1), attributes={})
    second = replace(heartbeat(2), attributes={})
    load(store, [first, second])
    rebuild(store, SETTINGS)
    assert len(stored(store)[0]) == 2
    link = SpanLink(trace_id=first.trace_id, span_id=first.span_id)
    load(store, [replace(second, span_id="f" * 16, links=(link,))])
    report = rebuild(store, SETTINGS)
    assert (report.removed, len(stored(store)[0])) == (1, 1)


def test_late_data_joins_an_older_flow_by_a_correlation_key(store: Store) -> None:
    settings = RebuildSettings(assign=AssignSettings(correlation_keys=["order"]))
    for number in (1, 2):
        load(store, [replace(heartbeat(number), attributes={"order": "7"})])
        rebuild(store, settings)
    (flow,) = stored(store)[0]
    assert (flow.flow_id, list(flow.trace_ids)) == ("corr:order=7", [trace(1), trace(2)])


@pytest.mark.parametrize(("trace_id", "tries"), [(trace(1), 2), (trace(2), 1)])
def test_data_that_comes_in_meanwhile_is_derived_too(
    store: Store, monkeypatch: pytest.MonkeyPatch, trace_id: str, tries: int
) -> None:
    """What was derived is made again only when its own traces were touched."""
    load(store, broken(1))
    late = broken(2)
    if trace_id == trace(1):
        late.append(replace(late[0], trace_id=trace_id, span_id="e" * 16))
    waiting = [late]
    write = module._write

    def interrupted(*args: object) -> AbstractSet[str] | None:
        if waiting:
            load(store, waiting.pop())
        return write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_write", interrupted)
    assert rebuild(store, SETTINGS).tries == tries
    assert [flow.flow_id for flow in stored(store)[0]] == ["order-1", "order-2"]
    with store.lease("test") as session:
        assert not read_dirty(session).trace_ids


def test_two_that_derive_at_once_begin_at_both_ends_and_do_nothing_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, [replace(heartbeat(number), attributes={}) for number in range(1, 5)])
    monkeypatch.setattr(module, "TRACES_PER_CHUNK", 1)
    monkeypatch.setattr(module, "TRACES_PER_CHUNK_MAX", 1)
    order: list[str] = []
    gather = Gatherer.gather

    def noted(self: Gatherer, chunk: Sequence[str]) -> object:
        order.extend(chunk)
        return gather(self, chunk)

    monkeypatch.setattr(Gatherer, "gather", noted)
    write, waiting = module._write, [2]

    def beside_another(*args: object) -> AbstractSet[str] | None:
        written = write(*args)  # type: ignore[arg-type]
        if len(order) == waiting[0]:  # now the other begins, and does all that is left
            waiting[0] = 99
            assert rebuild(store, SETTINGS).flows == 2
            left = args[-1]
            with store.lease("test") as session:
                return read_dirty_among(session, left)  # type: ignore[arg-type]
        return written

    monkeypatch.setattr(module, "_write", beside_another)
    assert rebuild(store, SETTINGS).flows == 2
    assert order == [trace(1), trace(2), trace(4), trace(3)]


@pytest.mark.parametrize(
    ("at_store", "worked", "spans", "size"),
    [(3.0, 2.0, 40_000, 4_000), (3.0, 2.0, 60_000, 2_000), (1.0, 3.0, 40_000, 2_000)],
)
def test_a_chunk_grows_while_waiting_takes_longer_than_the_work(
    store: Store, at_store: float, worked: float, spans: int, size: int
) -> None:
    with concluding(SETTINGS, 1) as conclude:
        rebuilding = module._Rebuilding(store, SETTINGS, conclude, "d", None)
        rebuilding._resize(at_store, worked, spans)
        assert rebuilding._size == size
        for _ in range(4):
            rebuilding._resize(3.0, 2.0, 1)
        assert rebuilding._size == module.TRACES_PER_CHUNK_MAX
        rebuilding._resize(3.0, 2.0, module.SPANS_PER_CHUNK_MAX + 1)
        assert rebuilding._size == module.TRACES_PER_CHUNK_MAX // 2


def test_other_data_that_never_stops_coming_does_not_keep_a_rebuild_from_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, [heartbeat(1)])
    write, numbers = module._write, iter(range(2, 99))

    def interrupted(*args: object) -> AbstractSet[str] | None:
        load(store, [replace(heartbeat(next(numbers)), attributes={})])
        return write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_write", interrupted)
    assert rebuild(store, SETTINGS).flows == 2
    with store.lease("test") as session:
        assert read_dirty(session).trace_ids == (trace(3),)


def test_data_that_never_stops_coming_ends_in_a_clear_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(store, broken(1))
    monkeypatch.setattr(module, "_write", lambda *args: None)
    with pytest.raises(StoreBusyError, match="data kept coming in"):
        rebuild(store, SETTINGS)


def test_progress_is_told(store: Store) -> None:
    load(store, [*broken(1), *broken(2)])
    told: list[tuple[str, int]] = []
    rebuild(store, SETTINGS, lambda stage, done: told.append((stage, done)))
    assert told == [("flows", 2)]


def test_a_conversation_of_very_many_traces_is_bounded_however_they_come(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told apart in the end as if all had come at once; and what is read does not grow with it."""
    settings = RebuildSettings(assign=AssignSettings(traces_per_value_max=4))
    talk = {"messaging.message.conversation_id": "all", "retrospan.flow.name": "talk"}
    spans = [
        make_span("say", n, n + 1, number=n, trace=trace(n), attributes=talk, kind="producer")
        for n in range(1, 16)
    ]
    read: list[int] = []
    gather = Gatherer.gather

    def counted(self: Gatherer, chunk: Sequence[str]) -> object:
        recorded, rows = gather(self, chunk)
        read.append(len(recorded.trace_ids))
        return recorded, rows

    monkeypatch.setattr(Gatherer, "gather", counted)
    for first in range(0, 15, 3):
        load(store, spans[first : first + 3])
        rebuild(store, settings)
        if first == 0:
            (flow,) = stored(store)[0]
            assert flow.ties == ("conversation all",)
    assert max(read) <= 4 + 3
    at_once = Store(tmp_path / "at_once.duckdb")
    load(at_once, spans)
    rebuild(at_once, settings)
    assert stored(store) == stored(at_once)
    flows, _ = stored(store)
    assert len(flows) == 15
    assert all(
        flow.ties[-1] == "none by conversation all: more than 4 traces share it" for flow in flows
    )
