"""OTLP tables in Parquet give the records that OTLP gives."""

import gzip
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingest.exported_rows import FORMAT
from ingest.limits import Limits
from ingest.pipeline import IngestSettings, ingest_paths
from ingest.reader import MetricsSeen
from store.lease import Store
from store.model import LogRecord, Rejected, Span, SpanEvent, SpanLink
from tests.ingest.test_fuzz import check_read

ROW: dict[str, Any] = {
    "Timestamp": 1_760_738_064_624_180_001,
    "TraceId": "ab" * 16,
    "SpanId": "cd" * 8,
    "ParentSpanId": "",
    "TraceState": "",
    "ServiceName": "shop",
    "ResourceAttributes": '{"host.name":"h"}',
    "ScopeName": "lib",
    "SpanName": "GET /",
    "SpanKind": "SPAN_KIND_SERVER",
    "SpanAttributes": '{"n":1,"deep":{"a":[true]}}',
    "Duration": 5,
    "StatusCode": "STATUS_CODE_ERROR",
    "StatusMessage": "no",
    "Events.Timestamp": [1_760_738_064_624_180_002],
    "Events.Name": ["e"],
    "Events.Attributes": ['{"k":"v"}'],
    "Links.TraceId": ["ef" * 16],
    "Links.SpanId": ["12" * 8],
    "Links.Attributes": ["{}"],
}
TYPES = {"Timestamp": pa.timestamp("ns"), "Events.Timestamp": pa.list_(pa.timestamp("ns"))}


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    columns = {
        name: pa.array([row[name] for row in rows], type=TYPES.get(name)) for name in rows[0]
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def test_a_row_gives_a_span_to_the_nanosecond(read: Any) -> None:
    (span,) = read(parquet([ROW]), reader="parquet")
    assert span == Span(
        trace_id="ab" * 16,
        span_id="cd" * 8,
        parent_span_id=None,
        name="GET /",
        kind="server",
        service="shop",
        start_ns=1_760_738_064_624_180_001,
        end_ns=1_760_738_064_624_180_006,
        status="error",
        status_message="no",
        attributes={"n": 1, "deep": {"a": [True]}},
        resource={"host.name": "h", "service.name": "shop"},
        scope_name="lib",
        events=(SpanEvent(name="e", time_ns=1_760_738_064_624_180_002, attributes={"k": "v"}),),
        links=(SpanLink(trace_id="ef" * 16, span_id="12" * 8),),
    )


def test_a_bad_row_is_refused_alone(read: Any) -> None:
    rows = [ROW, {**ROW, "SpanId": ""}, {**ROW, "SpanAttributes": "5"}, {**ROW, "SpanName": "z"}]
    items = read(parquet(rows, row_group_size=2), reader="parquet")
    assert [type(item).__name__ for item in items] == ["Span", "Rejected", "Rejected", "Span"]
    assert [item.record for item in items[1:3]] == ["row 2", "row 3"]
    assert items[1].reason == "span id is missing, empty or all zero"


def test_tables_of_logs_and_metrics_are_told_by_their_columns(read: Any) -> None:
    log = {"Timestamp": 5, "TraceId": b"\xab" * 16, "SeverityNumber": 9, "Body": '"hello"'}
    (found,) = read(parquet([log]), reader="parquet")
    assert isinstance(found, LogRecord)
    assert (found.trace_id, found.body, found.severity_number) == ("ab" * 16, "hello", 9)
    metric = {"MetricName": "m", "Value": 1.0}
    assert read(parquet([metric] * 3), reader="parquet") == [MetricsSeen(3)]


def test_other_tables_are_refused_by_their_columns(read: Any) -> None:
    (item,) = read(parquet([{"a": 1}]), reader="parquet")
    assert item.reason.startswith("Parquet, but no OTLP table: has a; expected")


def test_a_file_past_the_limit_is_read_by_groups_of_rows(
    tmp_path: Path, store: Store, settings: IngestSettings
) -> None:
    rows = [{**ROW, "SpanId": f"{at:016x}", "Timestamp": at} for at in range(1, 2001)]
    path = tmp_path / "many.parquet"
    path.write_bytes(parquet(rows, row_group_size=50))
    limit = path.stat().st_size // 10
    limits = Limits(document_bytes=limit)
    report = ingest_paths(store, [str(path)], replace(settings, limits=limits))
    (file,) = report.files
    assert (file.format, file.spans, file.rejected) == ("parquet", 2000, [])

    packed = tmp_path / "many.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    report = ingest_paths(store, [str(packed)], replace(settings, limits=limits))
    (file,) = report.files
    assert [item.reason for item in file.rejected] == [
        f"document is larger than document_bytes = {limit}"
    ]


def test_a_group_of_rows_past_the_limit_is_refused_by_name(read: Any) -> None:
    rows = [{**ROW, "StatusMessage": "x" * size} for size in (1, 1, 5000)]
    limits = Limits(document_bytes=4000)
    options = {"row_group_size": 1, "compression": "none", "use_dictionary": False}
    found = read(parquet(rows, **options), limits, reader="parquet")
    assert [type(item) for item in found] == [Span, Span, Rejected]
    assert found[2].record == "row 3"
    assert found[2].reason == "row group 2 cannot be read: it is larger than document_bytes = 4000"


WHOLE = parquet([ROW, ROW])


@hypothesis_settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(WHOLE)), drop=st.integers(0, 8), put=st.binary(max_size=8))
def test_a_damaged_table_is_read_or_refused(at: int, drop: int, put: bytes) -> None:
    assert check_read("parquet", WHOLE[:at] + put + WHOLE[at + drop :])


def test_a_table_that_is_named_in_no_text_is_refused() -> None:
    """Found by fuzzing."""
    sink = io.BytesIO()
    named = {"format": FORMAT.encode(), "table": b"span\xb3"}
    pq.write_table(pa.table({"TraceId": ["1"]}).replace_schema_metadata(named), sink)
    (refused,) = check_read("parquet", sink.getvalue())
    assert "knows no table 'span\ufffd'" in refused.reason
