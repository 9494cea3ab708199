"""Which records make which flow, in whatever order they come."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.assign import AssignSettings, FlowRows, assign
from analyzer.derive import DeriveSettings, derive
from store.model import Attributes, Decision, LogRecord, Span, SpanLink
from tests.analyzer.builder import Recording, at, make_span


def trace(number: int) -> str:
    return f"{number:032x}"


def lone(number: int, attributes: Attributes | None = None, **more: object) -> Span:
    """A trace of one span."""
    options: dict[str, object] = {"trace": trace(number), **more}
    return make_span("work", number, number + 1, number=number, attributes=dict(attributes or {}),
                     **options)  # type: ignore[arg-type]  # fmt: skip


def ids(spans: list[Span], settings: AssignSettings | None = None) -> dict[str, list[str]]:
    flows = assign(spans, [], [], settings or AssignSettings())
    return {flow.flow_id: sorted({span.trace_id for span in flow.spans}) for flow in flows}


def log(trace_id: str | None, attributes: Attributes | None = None) -> LogRecord:
    return LogRecord(
        time_ns=at(5), observed_ns=at(5), trace_id=trace_id, span_id=None, severity_number=9,
        severity_text="INFO", event_name="", body="x", service="a", attributes=attributes or {},
    )  # fmt: skip


def test_a_trace_by_itself_is_a_flow_named_after_it() -> None:
    assert ids([lone(1), lone(2)]) == {
        f"trace:{trace(1)}": [trace(1)],
        f"trace:{trace(2)}": [trace(2)],
    }


def test_an_explicit_flow_id_ties_traces_and_names_the_flow() -> None:
    spans = [lone(2, {"retrospan.flow.id": "f"}), lone(1, {"retrospan.flow.id": "f"})]
    (flow,) = assign(spans, [], [], AssignSettings())
    assert flow.flow_id == "f"
    assert flow.ties == ["flow id f"]
    assert flow.aliases == [f"trace:{trace(1)}", f"trace:{trace(2)}"]


def test_a_saga_id_ties_traces() -> None:
    spans = [lone(1, {"retrospan.saga.id": "s"}), lone(2, {"retrospan.saga.id": "s"})]
    assert ids(spans) == {f"trace:{trace(1)}": [trace(1), trace(2)]}


def test_a_workflow_run_names_the_flow() -> None:
    run = {"temporalWorkflowID": "w", "temporalRunID": "r"}
    assert ids([lone(1, run), lone(2, run)]) == {"wf:w/r": [trace(1), trace(2)]}


def test_a_configured_key_correlates_traces_and_nothing_else_does() -> None:
    spans = [lone(1, {"order": "7"}), lone(2, {"order": "7"}), lone(3, {"order": "8"})]
    settings = AssignSettings(correlation_keys=["order"])
    assert ids(spans, settings) == {
        "corr:order=7": [trace(1), trace(2)],
        "corr:order=8": [trace(3)],
    }
    assert len(ids(spans)) == 3


def test_links_tie_traces_but_never_two_flows_with_names_of_their_own() -> None:
    link = [SpanLink(trace_id=trace(1), span_id=f"{1:016x}")]
    assert ids([lone(1), lone(2, links=link)]) == {f"trace:{trace(1)}": [trace(1), trace(2)]}
    named = [
        lone(1, {"retrospan.flow.id": "a"}),
        lone(2, {"retrospan.flow.id": "b"}, links=link),
    ]
    assert ids(named) == {"a": [trace(1)], "b": [trace(2)]}


def test_a_batch_with_many_links_ties_none_of_them() -> None:
    links = [SpanLink(trace_id=trace(n), span_id=f"{n:016x}") for n in range(1, 5)]
    spans = [*(lone(n) for n in range(1, 5)), lone(9, links=links)]
    assert len(ids(spans, AssignSettings(links_max=3))) == 5


def test_a_message_ties_sender_and_receiver() -> None:
    message = {"messaging.message.id": "m1", "messaging.destination.name": "q"}
    spans = [lone(1, message, kind="producer"), lone(2, message, kind="consumer")]
    assert ids(spans) == {f"trace:{trace(1)}": [trace(1), trace(2)]}


def test_a_trace_with_several_flows_is_split_at_their_roots() -> None:
    spans = [make_span("batch", 0, 9, number=1)]
    for n in (2, 3):
        spans.append(
            make_span("one", 1, 5, number=n, parent=spans[0].span_id,
                      attributes={"retrospan.flow.id": f"f{n}"})
        )  # fmt: skip
        spans.append(make_span("part", 2, 3, number=n + 10, parent=spans[-1].span_id))
    flows = {flow.flow_id: len(flow.spans) for flow in assign(spans, [], [], AssignSettings())}
    assert flows == {"f2": 2, "f3": 2, f"trace:{spans[0].trace_id}": 1}


def test_logs_and_decisions_follow_their_trace_or_the_flow_they_name() -> None:
    spans = [lone(1, {"retrospan.flow.id": "f"})]
    decisions = [
        Decision(decision_id="a", time_ns=1, chosen="x", trace_id=trace(1)),
        Decision(decision_id="b", time_ns=2, chosen="x", flow_id="f"),
        Decision(decision_id="c", time_ns=3, chosen="x", flow_id="other"),
    ]
    logs = [log(trace(1)), log(None, {"retrospan.flow.id": "f"}), log(trace(7))]
    (flow,) = assign(spans, logs, decisions, AssignSettings())
    assert [it.decision_id for it in flow.decisions] == ["a", "b"]
    assert len(flow.logs) == 2


def mixed() -> list[Span]:
    """Flows of all sorts of ties at once."""
    flow = Recording(status="failed", trace=trace(100))
    flow.refund(flow.charge(30, 40, ref="ch-1"), 50, 60, http=500)
    link = [SpanLink(trace_id=trace(1), span_id=f"{1:016x}")]
    return [
        *flow.all_spans(),
        lone(1), lone(2, links=link), lone(3, {"order": "7"}), lone(4, {"order": "7"}),
        lone(5, {"retrospan.flow.id": "a"}, links=link),
        lone(6, {"retrospan.flow.id": "b"}, links=link),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_flows_do_not_depend_on_the_order_of_arrival(seed: int) -> None:
    config = AssignSettings(correlation_keys=["order"])

    def derived(spans: list[Span]) -> list[tuple[FlowRows, object]]:
        flows = assign(spans, [], [], config)
        return [(rows, derive(rows, DeriveSettings())) for rows in flows]

    shuffled = mixed()
    random.Random(seed).shuffle(shuffled)
    assert derived(shuffled) == derived(mixed())


def test_late_data_merges_flows_and_keeps_the_old_ids_as_aliases() -> None:
    early = assign([lone(1), lone(2)], [], [], AssignSettings())
    tie = replace(lone(2), links=[SpanLink(trace_id=trace(1), span_id=f"{1:016x}")])
    (merged,) = assign([lone(1), tie], [], [], AssignSettings())
    assert {flow.flow_id for flow in early} == {merged.flow_id, *merged.aliases}


def sent(number: int, conversation: str) -> Span:
    return lone(number, {"messaging.message.conversation_id": conversation}, kind="producer")


def test_a_value_that_very_many_traces_share_ties_none_and_says_so() -> None:
    """It names a topic, not a flow; else all traces of the topic would be one flow."""
    limited = AssignSettings(correlation_keys=("tenant",), traces_per_value_max=3)
    few = [sent(number, "few") for number in range(1, 4)]
    many = [sent(number, "many") for number in range(4, 8)]
    whole = [lone(number, {"tenant": "acme"}) for number in range(8, 12)]
    flows = {flow.flow_id: flow for flow in assign([*few, *many, *whole], [], [], limited)}
    assert len(flows) == 1 + 4 + 4
    assert len(flows[f"trace:{trace(1)}"].spans) == 3
    for number, name in ((4, "conversation many"), (8, "corr:tenant=acme")):
        flow = flows[f"trace:{trace(number)}"]
        assert flow.ties == ["trace id", f"none by {name}: more than 3 traces share it"]
        assert name in flow.aliases
    (alone,) = assign([many[0]], [], [], limited, overused=["conversation many"])
    assert alone.ties[-1] == "none by conversation many: more than 3 traces share it"
