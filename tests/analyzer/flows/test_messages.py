"""Work that messages tie together is one flow, its steps under the message that caused them."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from store.conclusions import Flow, FlowOutcome, StepOutcome
from store.model import AttributeValue, Span, SpanLink
from tests.analyzer.builder import MS, at, make_span

EXTRACT, STORE = "documents.extracted", "documents.stored"


def trace(number: int) -> str:
    return f"{number:032x}"


def message(place: str, name: str) -> dict[str, AttributeValue]:
    return {"messaging.destination.name": place, "messaging.message.id": name}


def sent(number: int, place: str, name: str, start: float, parent: int, service: str) -> Span:
    return make_span(
        f"send {place}", start, start + 1, number=number, parent=f"{parent:016x}",
        kind="producer", service=service, trace=trace(parent), attributes=message(place, name),
    )  # fmt: skip


def received(
    number: int, place: str, name: str, start: float, service: str, **more: object
) -> Span:
    options: dict[str, object] = {"trace": trace(number), **more}
    return make_span(
        f"process {place}", start, start + 10, number=number, kind="consumer", service=service,
        attributes=message(place, name), **options,  # type: ignore[arg-type]
    )  # fmt: skip


def choreography() -> list[Span]:
    """A request, an extraction, a write: three services, three traces, no parents between them."""
    return [
        make_span("POST /documents", 0, 5, number=1, kind="server", service="intake"),
        sent(11, EXTRACT, "m1", 2, 1, "intake"),
        received(2, EXTRACT, "m1", 20, "extractor"),
        sent(12, STORE, "m2", 25, 2, "extractor"),
        received(3, STORE, "m2", 40, "writer"),
        make_span(
            "insert", 42, 44, number=13, parent=f"{3:016x}", kind="client", service="writer",
            trace=trace(3), attributes={"db.system": "postgresql", "db.operation": "INSERT"},
        ),
    ]  # fmt: skip


def flow_of(spans: list[Span], settings: AssignSettings | None = None) -> Flow:
    (rows,) = assign(spans, [], [], settings or AssignSettings())
    return derive(rows, DeriveSettings())


def test_messages_make_one_flow_of_many_traces() -> None:
    flow = flow_of(choreography())
    assert flow.flow_id == f"trace:{trace(1)}"
    assert flow.trace_ids == [trace(1), trace(2), trace(3)]
    assert flow.architecture == "choreographed"


def test_a_step_stands_under_the_message_that_caused_it() -> None:
    first, second, insert = flow_of(choreography()).steps
    assert (first.kind, first.callee) == ("message", "extractor")
    assert second.parent_step_id == first.step_id
    assert insert.parent_step_id == second.step_id


def test_what_became_of_a_message_is_what_its_receiver_says() -> None:
    spans = choreography()
    spans[2] = received(2, EXTRACT, "m1", 20, "extractor", status="error")
    assert flow_of(spans).steps[0].attempts[0].callee_outcome is StepOutcome.ERROR
    spans.append(received(4, EXTRACT, "m1", 60, "extractor"))
    assert flow_of(spans).steps[0].attempts[0].callee_outcome is StepOutcome.OK


def test_links_tie_as_messages_do() -> None:
    bare = [
        make_span("POST /documents", 0, 5, number=1, kind="server", service="intake"),
        make_span(
            "send", 2, 3, number=11, parent=f"{1:016x}", kind="producer", service="intake",
        ),
        make_span(
            "process", 20, 30, number=2, kind="consumer", service="extractor", trace=trace(2),
            links=[SpanLink(trace_id=trace(1), span_id=f"{11:016x}")],
        ),
    ]  # fmt: skip
    (step,) = flow_of(bare).steps
    assert (step.callee, step.attempts[0].callee_span_id) == ("extractor", f"{2:016x}")


def test_a_conversation_ties_messages_of_different_ids() -> None:
    spans = [
        make_span("send", n, n + 1, number=n, kind="producer", service="a", trace=trace(n),
                  attributes={"messaging.message.conversation_id": "c-7"})
        for n in (1, 2)
    ]  # fmt: skip
    (rows,) = assign(spans, [], [], AssignSettings())
    assert rows.ties == ["conversation c-7"]
    assert "conversation c-7" in rows.aliases


def test_the_same_message_id_in_two_queues_is_two_messages() -> None:
    spans = [received(1, "orders", "1", 0, "a"), received(2, "refunds", "1", 0, "a")]
    assert len(assign(spans, [], [], AssignSettings())) == 2


def test_baggage_ties_where_it_is_configured() -> None:
    copied = make_span("a", 0, 1, number=1, trace=trace(1), attributes={"baggage.order": "o 7"})
    header = make_span(
        "b", 1, 2, number=2, trace=trace(2),
        attributes={"http.request.header.baggage": ["user=x, order=o%207;ttl=1"]},
    )  # fmt: skip
    (rows,) = assign([copied, header], [], [], AssignSettings(baggage_keys=("order",)))
    assert rows.flow_id == "corr:order=o 7"
    assert rows.ties == ["baggage order o 7"]
    assert len(assign([copied, header], [], [], AssignSettings())) == 2


def test_messages_that_claim_to_cause_each_other_do_no_harm() -> None:
    spans = [
        make_span("x", 0, 9, number=n, kind="consumer", service="a", trace=trace(n),
                  links=[SpanLink(trace_id=trace(other), span_id=f"{other:016x}")])
        for n, other in ((1, 2), (2, 3), (3, 2))
    ]  # fmt: skip
    assert flow_of(spans).span_count == 3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_arrival_does_not_matter(seed: int) -> None:
    shuffled = choreography()
    random.Random(seed).shuffle(shuffled)
    assert flow_of(shuffled) == flow_of(choreography())


def told(spans: list[Span], number: int, status: str) -> list[Span]:
    """The same spans; one of them says how the flow ended."""
    output = {"retrospan.flow.output": f'{{"status": "{status}"}}'}
    return [
        replace(span, attributes={**span.attributes, **output})
        if span.span_id == f"{number:016x}"
        else span
        for span in spans
    ]


def accepted() -> list[Span]:
    """The choreography, its request answered with 202 long before the end."""
    root, *others = choreography()
    return [replace(root, attributes={"http.response.status_code": 202}), *others]


def test_a_flow_of_messages_ends_with_the_last_of_their_work() -> None:
    flow = flow_of(accepted())
    assert flow.end_ns == at(50)


def test_a_flow_of_messages_ends_as_the_last_that_tells_says() -> None:
    assert flow_of(told(accepted(), 3, "completed")).outcome is FlowOutcome.SUCCEEDED
    assert flow_of(told(accepted(), 3, "failed")).outcome is FlowOutcome.FAILED


def test_an_early_answer_does_not_say_that_all_messages_were_worked_on() -> None:
    spans = accepted()
    assert flow_of(spans).outcome is FlowOutcome.SUCCEEDED
    spans[4] = replace(spans[4], status="error")
    assert flow_of(spans).outcome is FlowOutcome.UNKNOWN


def test_a_dead_letter_is_no_delivery() -> None:
    spans = accepted()
    spans[4] = replace(spans[4], status="error")
    dead = received(9, f"{STORE}.dead", "m2", 70, "dead-letters")
    spans.append(replace(dead, links=[SpanLink(trace_id=trace(2), span_id=f"{12:016x}")]))
    message = flow_of(spans).steps[1]
    assert (message.callee, message.attempts[0].callee_outcome) == ("writer", StepOutcome.ERROR)


def test_the_time_in_a_queue_belongs_to_whoever_then_worked() -> None:
    path = {int(one.span_id, 16): one.self_ns // MS for one in flow_of(accepted()).critical_path}
    assert sum(path.values()) == 50
    # 5 to 20 and 30 to 40 the messages waited.
    assert path == {1: 4, 11: 1, 2: 24, 12: 1, 3: 18, 13: 2}


def test_a_child_workflow_that_goes_on_alone_does_not_keep_its_parent_open() -> None:
    """Its run is tied by a link, but its parent did not send it a message."""
    spans = [
        make_span("RunWorkflow:Order", 0, 20, number=1, status="ok", service="orders"),
        make_span(
            "RunChildWorkflow:Ship", 5, 9, number=2, parent=f"{1:016x}", service="orders",
            attributes={"retrospan.step.kind": "call"},
        ),
        make_span(
            "RunWorkflow:Ship", 6, 900, number=3, trace=trace(3), service="shipping",
            links=[SpanLink(trace_id=trace(1), span_id=f"{2:016x}")],
        ),
        make_span(
            "POST /labels", 10, 12, number=4, parent=f"{3:016x}", trace=trace(3), kind="client",
            service="shipping", attributes={"service.peer.name": "printer"},
        ),
    ]  # fmt: skip
    flow = flow_of(spans)
    assert (flow.outcome, flow.end_ns) == (FlowOutcome.SUCCEEDED, at(20))
    child, label = flow.steps
    assert label.parent_step_id == child.step_id


def test_a_message_needs_no_answer_to_be_replayed() -> None:
    gaps = flow_of(accepted()).evidence_gaps
    assert not any("no response bodies" in gap and "send" in gap for gap in gaps)
    assert any("no request bodies" in gap and "send" in gap for gap in gaps)
