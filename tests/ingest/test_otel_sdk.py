"""What the SDK itself prints is read as if it had been exported."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry._logs import LogRecord as SdkLogRecord
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from ingest.limits import Limits
from ingest.reader import claimant, discover
from ingest.readers.otel_sdk import READER
from store.model import LogRecord, Rejected, Span
from tests.third_party import corpora_folder

RESOURCE = Resource({"service.name": "shop"})
JAVASCRIPT = {
    "name": "chat",
    "kind": 2,
    "spanContext": {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"},
    "parentSpanContext": {"spanId": "00f067aa0ba902b7"},
    "startTime": [1_770_131_992, 242_000_001],
    "endTime": [1_770_131_994, 21_415_667],
    "status": {"code": 2, "message": "refused"},
    "attributes": {"gen_ai.request.model": "m", "list": [1, "a"]},
    "events": [{"name": "first", "time": [1_770_131_993, 5], "attributes": {"n": 1.5}}],
    "links": [{"context": {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                           "spanId": "00f067aa0ba902b7"}}],
    "resource": {"attributes": {"service.name": "web"}},
}  # fmt: skip


def read(text: str) -> list[object]:
    head = text.encode()
    assert claimant(head, discover()) is READER
    return list(READER.read(io.BytesIO(head), Limits()))


def test_what_pythons_console_exporter_prints_is_read_whole() -> None:
    out = io.StringIO()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out)))
    tracer = provider.get_tracer("pay")
    state = trace.TraceState([("ot", "th:8"), ("z", "1")])
    above = trace.SpanContext(1, 2, True, trace.TraceFlags(1), state)
    link = trace.Link(trace.SpanContext(5, 6, is_remote=False), {"q": 1})
    with tracer.start_as_current_span(
        "charge",
        context=trace.set_span_in_context(trace.NonRecordingSpan(above)),
        kind=trace.SpanKind.CLIENT,
        attributes={"n": [1, 2], "half": 0.5, "yes": True},
        links=[link],
    ) as one:
        one.add_event("sent", {"k": "v"})
        one.set_status(trace.StatusCode.ERROR, "declined")
    with tracer.start_as_current_span("other"):
        pass

    first, second = read(out.getvalue())
    assert isinstance(first, Span)
    assert isinstance(second, Span)
    assert (first.trace_id, first.parent_span_id) == (f"{1:032x}", f"{2:016x}")
    assert (first.name, first.kind, first.service) == ("charge", "client", "shop")
    assert (first.status, first.status_message) == ("error", "declined")
    assert first.trace_state == "ot=th:8,z=1"
    assert (first.attributes["n"], first.attributes["half"], first.attributes["yes"]) == (
        [1, 2], 0.5, True,
    )  # fmt: skip
    assert [(it.name, it.attributes) for it in first.events] == [("sent", {"k": "v"})]
    assert [(it.trace_id, it.span_id) for it in first.links] == [(f"{5:032x}", f"{6:016x}")]
    assert first.end_ns is not None
    assert first.start_ns <= first.events[0].time_ns <= first.end_ns
    assert (second.name, second.parent_span_id, second.status) == ("other", None, "unset")


def test_what_pythons_log_exporter_prints_is_read_whole() -> None:
    out = io.StringIO()
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(ConsoleLogRecordExporter(out=out)))
    provider.get_logger("pay").emit(
        SdkLogRecord(
            timestamp=1_700_000_000_000_000_000,
            body={"a": 1},
            severity_number=SeverityNumber.WARN,
            event_name="pay.refused",
            attributes={"x": "y"},
        )
    )
    (log,) = read(out.getvalue())
    assert isinstance(log, LogRecord)
    assert (log.time_ns, log.severity_number) == (1_700_000_000_000_000_000, 13)
    assert (log.event_name, log.body, log.attributes["x"]) == ("pay.refused", {"a": 1}, "y")
    assert (log.service, log.trace_id) == ("shop", None)


def test_a_span_object_of_javascript_is_read_to_the_nanosecond() -> None:
    (one,) = read(json.dumps([JAVASCRIPT]))
    assert isinstance(one, Span)
    assert (one.kind, one.status, one.status_message) == ("client", "error", "refused")
    assert (one.start_ns, one.end_ns) == (1_770_131_992_242_000_001, 1_770_131_994_021_415_667)
    assert (one.parent_span_id, one.service) == ("00f067aa0ba902b7", "web")
    assert one.events[0].time_ns == 1_770_131_993_000_000_005
    assert one.attributes["list"] == [1, "a"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"startTime": [1]}, "startTime is not [seconds, nanoseconds]"),
        ({"startTime": "yesterday"}, "startTime 'yesterday' is not RFC 3339"),
        ({"spanContext": {"traceId": "", "spanId": "b7ad6b7169203331"}}, "trace id is missing"),
        ({"attributes": [1]}, "attributes is an array, expected an object"),
    ],
)
def test_a_broken_one_is_refused_with_its_reason_and_the_next_is_read(
    broken: dict[str, object], reason: str
) -> None:
    documents = [JAVASCRIPT | broken, JAVASCRIPT]
    refused, kept = READER.read(io.BytesIO(json.dumps(documents).encode()), Limits())
    assert isinstance(refused, Rejected)
    assert refused.record == "line 1 [0]"
    assert reason in refused.reason
    assert isinstance(kept, Span)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*JAVASCRIPT, "context", "body", "x"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_document_makes_it_fail(value: object) -> None:
    for name in ("context", "spanContext", "body", "startTime", "kind", "events", "resource"):
        written = json.dumps([value, JAVASCRIPT | {name: value}]).encode()
        for item in READER.read(io.BytesIO(written), Limits()):
            assert isinstance(item, Span | LogRecord | Rejected)


def test_the_spans_of_the_ai_kit_in_the_corpora_are_read() -> None:
    folder = corpora_folder() / "agents" / "Arize-ai+openinference"
    files = sorted(folder.rglob("v6-spans/a*.json"))
    assert len(files) == 9
    for path in files:
        for item in read(Path(path).read_text()):
            assert isinstance(item, Span)
            assert item.attributes
