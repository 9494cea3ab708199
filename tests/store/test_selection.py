"""Which flows a selection finds, and what a wrong id is told."""

from collections.abc import Callable

import pytest

from store.conclusions import Flow, FlowOutcome
from store.errors import NotFoundError
from store.lease import Session
from store.model import Batch, Span
from store.read import (
    FlowSelection,
    counts,
    read_code_digests,
    read_dirty,
    read_flow,
    read_flows,
    read_incident,
)
from store.write import replace_flows, write_batch


def flow(number: int, **fields: str) -> Flow:
    """A flow without steps."""
    return Flow(
        flow_id=f"order-{number}",
        name=fields.get("name", "payment"),
        version="1",
        outcome=FlowOutcome(fields.get("outcome", "succeeded")),
        start_ns=100 - number,
        end_ns=None,
        trace_ids=(),
        span_count=0,
        decision_ids=(),
        architecture="unknown",
        replayability="R0",
        complete=False,
        service="shop",
        services=("shop", fields.get("service", "bank")),
        steps=(),
        critical_path=(),
    )


@pytest.fixture
def full(session: Session, span: Callable[..., Span], batch: Callable[..., Batch]) -> Session:
    """Three flows with a span each, whose attributes differ."""
    spans = [
        span(
            n,
            attributes={"http.response.status_code": 500 + n, 'odd"/~key': "it's"},
            resource={"zone": "a"},
        )
        for n in (1, 2, 3)
    ]
    write_batch(session, batch(*spans))
    flows = [flow(1), flow(2, outcome="failed", service="mail"), flow(3, name="refund")]
    done = replace_flows(
        session,
        generation=read_dirty(session).generation,
        flows=flows,
        members={f.flow_id: [(s.trace_id, s.span_id)] for f, s in zip(flows, spans, strict=True)},
        sagas=(),
        findings=(),
        code_digest="c1",
    )
    assert done
    return session


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (FlowSelection(), [3, 2, 1]),
        (FlowSelection(limit=2), [3, 2]),
        (FlowSelection(flow_ids=("order-1", "order-9")), [1]),
        (FlowSelection(flow_ids=()), []),
        (FlowSelection(since_ns=98), [2, 1]),
        (FlowSelection(since_ns=97, until_ns=99), [3, 2]),
        (FlowSelection(service="mail"), [2]),
        (FlowSelection(service="shop"), [3, 2, 1]),
        (FlowSelection(outcome=FlowOutcome.FAILED), [2]),
        (FlowSelection(outcome="failed"), [2]),
        (FlowSelection(name="refund", version="1"), [3]),
        (FlowSelection(version="2"), []),
        (FlowSelection(where=(("http.response.status_code", "502"),)), [2]),
        (FlowSelection(where=(('odd"/~key', "it's"), ("zone", "a")), limit=1), [3]),
        (FlowSelection(where=(("zone", "a"),), flow_ids=("order-2",)), [2]),
        (FlowSelection(where=(("zone", "' OR '1'='1"),)), []),
        (FlowSelection(service="' OR '1'='1"), []),
    ],
)
def test_a_selection_finds_its_flows(
    full: Session, selection: FlowSelection, expected: list[int]
) -> None:
    assert [f.flow_id for f in read_flows(full, selection)] == [f"order-{n}" for n in expected]


def test_a_wrong_id_is_shown_the_nearest_ones(full: Session) -> None:
    assert read_flow(full, "order-1") == flow(1)
    with pytest.raises(NotFoundError, match=r"no flow ordr-1; nearest: order-1, "):
        read_flow(full, "ordr-1")
    with pytest.raises(NotFoundError, match="no flow zzz; the store holds 3"):
        read_flow(full, "zzz")
    with pytest.raises(NotFoundError, match="no incident i1"):
        read_incident(full, "i1")


def test_nothing_is_replaced_when_data_came_in_meanwhile(
    full: Session, span: Callable[..., Span], batch: Callable[..., Batch]
) -> None:
    read_at = read_dirty(full).generation
    write_batch(full, batch(span(9, trace_id="e" * 32)))
    done = replace_flows(
        full,
        generation=read_at,
        flows=[flow(1, name="late")],
        members={},
        sagas=(),
        findings=(),
        code_digest="c2",
        removed_flow_ids=["order-2"],
    )
    assert not done
    assert [f.name for f in read_flows(full)] == ["refund", "payment", "payment"]
    assert read_dirty(full).trace_ids == ("e" * 32,)
    assert read_code_digests(full) == ("c1",)


def test_counts_say_what_the_store_holds(full: Session, session: Session) -> None:
    got = counts(full)
    assert (got.spans, got.flows, got.underived_traces) == (3, 3, 0)
    assert (got.data_start_ns, got.data_end_ns) == (
        1_700_000_000_000_000_000,
        1_700_000_000_050_000_000,
    )


def test_an_empty_store_has_no_time(session: Session) -> None:
    got = counts(session)
    assert (got.spans, got.data_start_ns, got.data_end_ns) == (0, None, None)
    assert read_flows(session) == []
