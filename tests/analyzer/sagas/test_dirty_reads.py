"""Flows that built on what another flow took back: found by what they asked for, not by guesses."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sagas.dirty_reads import DirtyRead, dirty_reads, undone_effects
from store.conclusions import Flow, Verdict
from tests.analyzer.sagas.telling import OK, Answer, Telling
from tests.analyzer.sagas.worlds import Plan, flows_of, plans, tell
from tests.analyzer.test_samples import sample


def found(flows: Iterable[Flow]) -> list[DirtyRead]:
    flows = list(flows)
    return dirty_reads(flows, undone_effects(flows))


def reader(at: float, reference: str, *, number: int = 2, answer: Answer = OK) -> Telling:
    """A flow that ships something under a reference another flow was given."""
    told = Telling(number=number, offset=at)
    told.call(
        "shipper", "POST /shipments", 0, 5, key="ship", idempotency_key="ship", answer=answer,
        saga={"step": "ship", "role": "compensatable"}, request={"uses": reference},
    )  # fmt: skip
    return told


def undone_from_to(plan: Plan) -> tuple[float, float]:
    """The time, in milliseconds, between the end of the first step and the first undoing."""
    (flow,) = flows_of(tell(plan).spans)
    (effect, *_) = [it for every in undone_effects([flow]).values() for it in every]
    return effect.made_ns / 1e6 - flow.start_ns / 1e6, effect.undone_ns / 1e6 - flow.start_ns / 1e6


@settings(max_examples=25, deadline=None)
@given(plan=plans(aborts=True), share=st.floats(0.05, 0.95), answered=st.booleans())
def test_a_flow_that_used_what_was_taken_back_is_found(
    plan: Plan, share: float, answered: bool
) -> None:
    made, taken_back = undone_from_to(plan)
    answer = OK if answered else Answer(status=409)
    other = reader(made + share * (taken_back - made), "ref-1-w0", answer=answer)
    reads = found(flows_of([*tell(plan).spans, *other.told()]))
    wanted = Verdict.VIOLATION if answered else Verdict.SUSPECTED
    assert [(it.flow_id, it.step, it.verdict) for it in reads] == [("trip-2", "ship", wanted)]
    assert reads[0].undone.flow_id == "trip-1"


@settings(max_examples=25, deadline=None)
@given(plan=plans(aborts=True))
def test_what_was_used_after_it_was_taken_back_is_another_fault(plan: Plan) -> None:
    _, taken_back = undone_from_to(plan)
    other = reader(taken_back + 1_000, "ref-1-w0")
    assert found(flows_of([*tell(plan).spans, *other.told()])) == []


@settings(max_examples=25, deadline=None)
@given(plan=plans(aborts=False))
def test_what_stands_may_be_used(plan: Plan) -> None:
    other = reader(50, "ref-1-w0")
    assert found(flows_of([*tell(plan).spans, *other.told()])) == []


def test_flows_that_share_stock_do_not_read_each_other() -> None:
    assert found(sample("payment-brownout").flows.values()) == []
