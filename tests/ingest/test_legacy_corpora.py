"""Traces that others recorded before OpenTelemetry are read whole; refusals are listed here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.reader import HEAD_BYTES, claimant, discover
from store.model import Rejected, Span
from tests.ingest.test_corpora import of, read_all
from tests.ingest.test_fuzz import check_read
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora

# The reader of each file, by a part of its path; the first that fits counts.
READERS = {
    "fixtures/otlp2jaeger-in": "otlp_json",
    "fixtures/otlp2jaeger-multi-in": "otlp_json",
    "fixtures/otel_traces_": "otlp_json",
    "fixtures/db_traces_": "otlp_json",
    "testdata/ocproto_batch_": None,
    "fixtures/query_0": None,
    "DependencyGraph/": None,
    "uiconv/fixtures/trace_empty.json": None,
    "trace/jaeger/": "jaeger_json",
    "/jaegertracing+": "jaeger_json",
    "/uber-research+": "jaeger_json",
    "zipkinv1/": "zipkin_v1",
    "zipkin_v2_notimestamp": "zipkin_v1",  # its content is v1, whatever its name says
    "/FudanSELab+": "zipkin_v1",
    "zipkin": "zipkin_v2",
    "/DataDog+": "datadog",
    "/aws/xray/": "xray",
}
# Spans refused, and parts of spans that are read without them: (record, beginning of the reason).
REFUSED = {
    "uiconv/fixtures/trace_invalid_json.json": [("line 1 [0]", "duration 'invalid'")],
    "uiconv/fixtures/trace_scan_error.json": [("line 1", "not JSON: trailing comma")],
    "testdata/proto_batch_no_binary_tags_02.json": [
        ("line 1 spans [1].references[2]", "span id is missing"),
    ],
    "testdata/thrift_batch_no_binary_tags_02.json": [
        ("line 1 spans [1].references[2]", "span id is missing"),
    ],
}
SPANS_EXPECTED = {
    "jaeger_json": 276,
    "zipkin_v2": 221,
    "zipkin_v1": 35,
    "datadog": 276,
    "xray": 3,
}
MUTATED = (
    "CRISP/test_cases/2.json",
    "thrift/jaeger/fixtures/thrift_batch_01.json",
    "zipkin-lens/testdata/skew.json",
    "testdata/zipkin_v1_error_batch.json",
    "testdata/zipkin_v1_thrift_local_component.json",
    "snapshots/test_multi_trace.json",
    "testdata/awsValidAwsFields.txt",
)


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Every file of the corpora's traces of other formats."""
    found = sorted(path for path in (corpora_folder() / "othertraces").rglob("*") if path.is_file())
    assert len(found) > 170
    return found


def reader_of(path: Path) -> str | None:
    (name, *_) = [name for part, name in READERS.items() if part in str(path)]
    return name


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, however deep."""
    if isinstance(value, dict):
        yield value
        # Jaeger's UI writes whole spans into the references to them.
        value = [item for key, item in value.items() if key != "references"]
    if isinstance(value, list):
        for item in value:
            yield from objects(item)


def jaeger_spans(item: dict[str, Any]) -> int:
    ids = {"spanID", "spanId", "span_id", "SpanID"} & item.keys()
    return bool(ids and {"duration", "Duration"} & item.keys())


def zipkin_v1_spans(item: dict[str, Any]) -> int:
    values = {note["value"] for note in item.get("annotations", ())}
    sides = bool(values & {"cs", "cr"}) + bool(values & {"sr", "ss"})
    return max(1, sides) if "id" in item and {"traceId", "trace_id"} & item.keys() else 0


COUNTS: dict[str, Callable[[dict[str, Any]], int]] = {
    "jaeger_json": jaeger_spans,
    "zipkin_v1": zipkin_v1_spans,
    "zipkin_v2": lambda item: {"id", "traceId"} <= item.keys(),
    "datadog": lambda item: {"span_id", "name", "start"} <= item.keys(),
    "xray": lambda item: {"id", "start_time"} <= item.keys(),
}


def test_every_file_has_the_one_reader_of_its_format(files: list[Path]) -> None:
    for path in files:
        found = claimant(path.read_bytes()[:HEAD_BYTES], discover())
        assert (found.name if found else None) == reader_of(path), path


def test_no_file_of_other_kinds_is_claimed_by_these_readers() -> None:
    """Parquet, histories, cassettes, exports: whatever else the corpora hold."""
    for folder in ("agents", "postmortems", "rca", "slo", "workflows"):
        for path in (corpora_folder() / folder).rglob("*"):
            if path.is_file() and path.name != "genaiTestTrace.json":
                with path.open("rb") as stream:
                    head = stream.read(HEAD_BYTES)
                for name in (*SPANS_EXPECTED, "jaeger_thrift"):
                    assert not discover()[name].sniff(head), (name, path)


def test_every_span_of_every_file_is_read(files: list[Path]) -> None:
    totals = dict.fromkeys(SPANS_EXPECTED, 0)
    for path in files:
        name = reader_of(path)
        if name not in SPANS_EXPECTED:
            continue
        found = sum(isinstance(item, Span) for item in read_all(path))
        totals[name] += found
        try:
            document = json.loads(path.read_text())
        except ValueError:
            assert str(path).endswith("trace_scan_error.json")
            continue
        refused = sum(" spans " not in record for record, _ in of(REFUSED, path) or ())
        assert found == sum(map(COUNTS[name], objects(document))) - refused, path
    assert totals == SPANS_EXPECTED


def test_nothing_is_refused_that_is_not_listed(files: list[Path]) -> None:
    for path in files:
        if reader_of(path) is None:
            continue
        refused = [item for item in read_all(path) if isinstance(item, Rejected)]
        listed = of(REFUSED, path) or []
        assert [item.record for item in refused] == [record for record, _ in listed], path
        for item, (_, reason) in zip(refused, listed, strict=True):
            assert item.reason.startswith(reason), path


def spans_at(end: str) -> list[Span]:
    (path,) = [
        path for path in (corpora_folder() / "othertraces").rglob("*") if str(path).endswith(end)
    ]
    found = [item for item in read_all(path) if isinstance(item, Span)]
    return sorted(found, key=lambda span: (span.span_id, span.name))


# What Jaeger writes for a value that OTLP has a field for.
FIELD_TAGS = (
    "span.kind",
    "error",
    "w3c.tracestate",
    "otel.scope.name",
    "otel.scope.version",
    "otel.library.name",
    "otel.library.version",
    "otel.status_description",
)


def comparable(span: Span, microseconds: bool) -> dict[str, Any]:
    fields = {name: getattr(span, name) for name in Span.__slots__}
    fields["attributes"] = {k: v for k, v in span.attributes.items() if k not in FIELD_TAGS}
    fields["links"] = [(link.trace_id, link.span_id) for link in span.links]
    if microseconds:
        fields["start_ns"] //= 1000
        fields["end_ns"] //= 1000
        fields["events"] = [(e.name, e.time_ns // 1000, e.attributes) for e in span.events]
    return fields


@pytest.mark.parametrize(
    ("one", "other", "exact"),
    [
        ("utils/fixtures/otlp2jaeger-in.json", "utils/fixtures/otlp2jaeger-out.json", True),
        (
            "utils/fixtures/otlp2jaeger-multi-in-combined.json",
            "utils/fixtures/oltp2jaeger-multi-out.json",
            False,
        ),
        (
            "cassandra/tracestore/fixtures/otel_traces_01.json",
            "cassandra/tracestore/fixtures/cas_01.json",
            True,
        ),
        (
            "elasticsearch/tracestore/fixtures/otel_traces_01.json",
            "elasticsearch/tracestore/fixtures/es_01.json",
            True,
        ),
        (
            "elasticsearch/tracestore/fixtures/otel_traces_01.json",
            "elasticsearch/tracestore/fixtures/es_01_string_tags.json",
            True,
        ),
        ("jaeger/fixtures/domain_01.json", "jaeger/fixtures/thrift_batch_01.json", True),
        ("jaeger/fixtures/domain_02.json", "jaeger/fixtures/thrift_batch_02.json", True),
        ("json/fixtures/domain_01.json", "json/fixtures/ui_01.json", False),
        ("json/fixtures/domain_es_01.json", "json/fixtures/es_01.json", True),
        ("core/fixtures/domain_01.json", "core/fixtures/es_01.json", True),
    ],
)
def test_the_same_trace_is_equal_in_two_spellings(one: str, other: str, exact: bool) -> None:
    """Where one side was written in microseconds, nanoseconds say nothing."""
    wanted, found = spans_at(one), spans_at(other)
    assert [comparable(span, not exact) for span in found] == [
        comparable(span, not exact) for span in wanted
    ]
    assert found


def test_the_halves_of_real_zipkin_traces_have_ids_of_their_own() -> None:
    for name in ("smartthings-oauth-authorization", "ascend", "messaging2", "skew", "envoy"):
        spans = spans_at(f"testdata/{name}.json")
        assert len({(span.trace_id, span.span_id) for span in spans}) == len(spans), name
        clients = {span.span_id for span in spans if span.kind == "client"}
        halves = [s for s in spans if "retrospan.original.span_id" in s.attributes]
        assert halves, name
        if name not in ("envoy", "messaging2"):  # whose server half came alone
            assert {half.parent_span_id for half in halves} <= clients, name


@settings(max_examples=60, deadline=None)
@given(
    end=st.sampled_from(MUTATED),
    at=st.integers(0, 2000),
    drop=st.integers(0, 40),
    put=st.binary(max_size=8),
)
def test_damaged_real_files_never_break_their_reader(
    end: str, at: int, drop: int, put: bytes
) -> None:
    (path,) = [
        path for path in (corpora_folder() / "othertraces").rglob("*") if str(path).endswith(end)
    ]
    data = path.read_bytes()
    name = reader_of(path)
    assert name is not None
    check_read(name, data[:at] + put + data[at + drop :])
