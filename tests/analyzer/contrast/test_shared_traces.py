"""Facts are of a flow's own spans, also where flows share a trace."""

from pathlib import Path

from analyzer.contrast import read_facts
from store.conclusions import Flow, FlowOutcome
from store.lease import Store
from store.model import Batch, Span
from store.read import counts
from store.write import write_batch
from store.write_derived import replace_flows

SHARED, OWN = f"{1:032x}", f"{2:032x}"


def span_of(trace_id: str, number: int, colour: str) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=f"{number:016x}",
        parent_span_id=None,
        name="paint",
        kind="internal",
        service="painter",
        start_ns=number * 1_000,
        end_ns=number * 1_000 + 10,
        attributes={"colour": colour},
        resource={"host.name": f"host-{colour}"},
    )


def flow_of(flow_id: str, spans: list[Span]) -> Flow:
    return Flow(
        flow_id=flow_id,
        name="paint",
        outcome=FlowOutcome.SUCCEEDED,
        start_ns=spans[0].start_ns,
        end_ns=spans[-1].end_ns,
        trace_ids=tuple(sorted({span.trace_id for span in spans})),
        span_count=len(spans),
        architecture="central",
        replayability="R0",
        complete=True,
        service="painter",
        services=("painter",),
        version="",
        decision_ids=(),
        steps=(),
        critical_path=(),
    )


def test_spans_of_another_flow_in_the_same_trace_are_not_counted(tmp_path: Path) -> None:
    red, blue = span_of(SHARED, 1, "red"), span_of(SHARED, 2, "blue")
    own = [span_of(OWN, 3, "blue"), span_of(OWN, 4, "blue")]
    held = {"one": [red], "whole": own, "other": [blue]}
    batch = Batch(
        source="test", content_sha256="0" * 64, reader="test/1", rules_sha256="0" * 64,
        spans=[red, blue, *own],
    )  # fmt: skip
    with Store(tmp_path / "shared.duckdb").lease("test", create=True) as session:
        write_batch(session, batch)
        replace_flows(
            session,
            generation=counts(session).generation,
            flows=[flow_of(flow_id, spans) for flow_id, spans in held.items()],
            members={
                flow_id: [(span.trace_id, span.span_id) for span in spans]
                for flow_id, spans in held.items()
            },
            sagas=[],
            findings=[],
            code_digest="test",
        )
        facts = read_facts(session, list(held))
    bearers = {(of.name, value): mask for (of, value), mask in facts.values.items()}
    assert {name: bearers["colour", name] for name in ("red", "blue")} == {"red": 1, "blue": 6}
    assert bearers["host.name", "host-red"] == 1
