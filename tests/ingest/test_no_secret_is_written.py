"""No byte of a secret reaches a file: not the store, not its write-ahead log, not the spool.

What this cannot prove: that a text is secret which neither its name nor its shape betrays.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.fast.encode import encode
from ingest.limits import Limits
from ingest.otlp.documents import Walker
from ingest.own_rules import OwnRules
from ingest.pipeline import IngestSettings, ingest_paths
from ingest.reader import Item
from ingest.receivers.intake import READER, Body, Intake
from ingest.receivers.loader import Loader
from ingest.receivers.settings import ReceiverLimits
from ingest.receivers.spool import Spool
from store.lease import Store
from store.read import read_decisions, read_logs, read_spans
from store.span_table import SpanTable
from tests.ingest.planting import (
    LUHN_NS,
    LUHN_SPAN,
    LUHN_TRACE,
    OWN_PATTERN,
    SHAPES,
    Planter,
    left_in,
)

RULES = OwnRules(names=("acme.phone",), patterns={"acme": OWN_PATTERN})
SETTINGS = IngestSettings(redaction_key=b"a key for tests only", own_rules=RULES)
PLANTERS = st.builds(
    Planter,
    body=st.text("abcdefghkmnprstuvwxy23456789", min_size=12, max_size=20),
    around=st.sampled_from(["", "note", "GET /pay", "é", '{"a": 1}']),
    order=st.permutations(range(len(SHAPES))),
)


@pytest.fixture
def planter() -> Planter:
    return Planter("s3cretbody", "note", range(len(SHAPES)))


def ids_and_times(store: Store) -> None:
    """What is exempt is as it was sent."""
    with store.lease("test") as session:
        (span,), (log,) = read_spans(session), read_logs(session)
    assert (span.trace_id, span.span_id, span.start_ns) == (LUHN_TRACE, LUHN_SPAN, LUHN_NS)
    assert (span.end_ns, span.events[0].time_ns) == (LUHN_NS + 10, LUHN_NS)
    assert (span.links[0].trace_id, span.links[0].span_id) == (LUHN_TRACE, LUHN_SPAN)
    assert (log.trace_id, log.span_id, log.time_ns) == (LUHN_TRACE, LUHN_SPAN, LUHN_NS)


@settings(max_examples=6, deadline=None)
@given(planter=PLANTERS)
def test_nothing_secret_of_a_file_is_in_the_store_or_its_log(planter: Planter) -> None:
    with TemporaryDirectory() as name:
        inputs, outputs = Path(name, "in"), Path(name, "out")
        inputs.mkdir()
        outputs.mkdir()
        (inputs / "a.json").write_text(json.dumps(planter.otlp()) + f"\n{{{planter.text()}")
        (inputs / "b.jsonl").write_text(json.dumps(planter.decision()))
        store = Store(outputs / "s.duckdb")
        with store.lease("keeps the write-ahead log", create=True):
            ingest_paths(store, [str(inputs)], SETTINGS)
            assert (outputs / "s.duckdb.wal").stat().st_size > 0
            assert left_in(outputs, planter.secrets) == set()
        assert left_in(outputs, planter.secrets) == set()
        ids_and_times(store)
        with store.lease("test") as session:
            (decision,) = read_decisions(session)
        assert (decision.trace_id, decision.span_id) == (LUHN_TRACE, LUHN_SPAN)
        assert decision.record["time"] == "2026-11-22T10:11:12.123456789Z"


@settings(max_examples=6, deadline=None)
@given(planter=PLANTERS)
def test_nothing_secret_of_a_request_is_in_the_spool_or_the_store(planter: Planter) -> None:
    def items() -> Iterator[Item]:
        return Walker(Limits()).walk(planter.otlp(), "request")

    with TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "s.duckdb")
        spool = Spool(folder / "spool", ReceiverLimits(), READER, SETTINGS.rules_sha256())
        Intake(spool, SETTINGS, ReceiverLimits()).receive(lambda: (items(), None))
        assert sum(path.stat().st_size for path in (folder / "spool").iterdir()) > 1000
        assert left_in(folder, planter.secrets) == set()
        loader = Loader(store, spool, lambda: None, pytest.fail)
        spool.close()
        loader.stop()
        spool.release()
        assert left_in(folder, planter.secrets) == set()
        ids_and_times(store)


def test_the_search_would_find_what_was_not_redacted(planter: Planter, tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_text(json.dumps(planter.otlp()))
    outputs = tmp_path / "out"
    outputs.mkdir()
    store = Store(outputs / "s.duckdb")
    bare = IngestSettings(redaction_key=b"a key for tests only", redact=False)
    with store.lease("keeps the write-ahead log", create=True):
        ingest_paths(store, [str(source)], bare)
        found = left_in(outputs, planter.secrets)
    # Trace states of links are not stored, bytes are stored as base64.
    assert len(found) > 0.85 * len(planter.secrets)


def protobuf_of(document: dict[str, Any]) -> bytes:
    """The request as protobuf; JSON writes ids as hex where protobuf's own JSON has base64."""
    written = json.dumps(document)
    for text in set(re.findall(r'"(?:traceId|spanId)": "([0-9a-f]+)"', written)):
        written = written.replace(f'"{text}"', f'"{b64encode(bytes.fromhex(text)).decode()}"')
    data: bytes = Parse(written, ExportTraceServiceRequest()).SerializeToString()
    return data


@pytest.mark.parametrize("form", ["otlp_json", "otlp_protobuf"])
def test_nothing_secret_is_in_whole_columns(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planter = Planter("s3cretbody", "note", range(len(SHAPES) - 1))  # the last is no built-in one
    document = planter.plain_spans(5)
    written = json.dumps(document).encode() + b"\n"
    source, outputs = tmp_path / "in.jsonl", tmp_path / "out"
    source.write_bytes(written if form == "otlp_json" else protobuf_of(document))
    outputs.mkdir()
    columns: list[int] = []

    def watched(*given: Any) -> SpanTable:
        columns.append(len(table := encode(*given)))
        return table

    for reader in ("otlp_json", "otlp_protobuf"):
        monkeypatch.setattr(f"ingest.readers.{reader}.encode", watched, raising=False)
    store = Store(outputs / "s.duckdb")
    with store.lease("keeps the write-ahead log", create=True):
        report = ingest_paths(store, [str(source)], replace(SETTINGS, own_rules=OwnRules()))
        assert left_in(outputs, planter.secrets) == set()
    assert report.total("spans") == 5
    assert columns == [5]
    assert left_in(outputs, planter.secrets) == set()


@pytest.mark.parametrize("redact", [True, False])
def test_nothing_secret_is_in_the_compressed_columns_of_the_spool(
    tmp_path: Path, redact: bool
) -> None:
    planter = Planter("s3cretbody", "note", range(len(SHAPES) - 1))
    whole = Body(protobuf_of(planter.plain_spans(5)), "traces", is_json=False)
    rules = replace(SETTINGS, own_rules=OwnRules(), redact=redact)
    limits = replace(ReceiverLimits(), column_bytes_min=0)
    spool = Spool(tmp_path / "spool", limits, READER, rules.rules_sha256())
    try:
        receipt = Intake(spool, rules, limits).receive(lambda: pytest.fail("walked"), whole)
        found = left_in(tmp_path / "spool", planter.secrets)
    finally:
        spool.close()
        spool.release()
    assert receipt.accepted == 5
    assert (found == set()) if redact else (len(found) > 0.85 * len(planter.secrets))


ID, OTHER = LUHN_TRACE, LUHN_SPAN
DOCUMENTS: dict[str, Any] = {
    "zipkin_v2": [
        {
            "traceId": ID,
            "id": OTHER,
            "kind": "CLIENT",
            "name": "get",
            "timestamp": 1_544_712_660_000_000,
            "duration": 5,
            "localEndpoint": {"serviceName": "shop", "ipv4": "10.0.0.1"},
            "remoteEndpoint": {"serviceName": "bank"},
            "annotations": [{"timestamp": 1_544_712_660_000_001, "value": "note"}],
            "tags": {"http.path": "/x", "error": "boom"},
        }
    ],
    "jaeger_json": {
        "data": [
            {
                "traceID": ID,
                "spans": [
                    {
                        "traceID": ID,
                        "spanID": OTHER,
                        "operationName": "get",
                        "references": [],
                        "startTime": 1_544_712_660_000_000,
                        "duration": 5,
                        "tags": [{"key": "http.url", "type": "string", "value": "/x"}],
                        "logs": [
                            {
                                "timestamp": 1_544_712_660_000_000,
                                "fields": [{"key": "event", "type": "string", "value": "boom"}],
                            }
                        ],
                        "processID": "p1",
                        "warnings": ["careful"],
                    }
                ],
                "processes": {
                    "p1": {
                        "serviceName": "shop",
                        "tags": [{"key": "host", "type": "string", "value": "h"}],
                    }
                },
            }
        ]
    },
    "datadog": [
        [
            {
                "trace_id": 7,
                "span_id": 8,
                "parent_id": 0,
                "name": "web.request",
                "resource": "GET /x",
                "service": "shop",
                "type": "web",
                "start": LUHN_NS,
                "duration": 5,
                "error": 1,
                "meta": {"http.url": "/x", "error.message": "boom"},
                "metrics": {"_dd.agent_psr": 1},
            }
        ]
    ],
    "xray": {
        "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "id": OTHER,
        "name": "shop",
        "start_time": 1_544_712_660.5,
        "end_time": 1_544_712_661.5,
        "http": {"request": {"method": "GET", "url": "https://a.example/x"}},
        "annotations": {"note": "v"},
        "metadata": {"debug": {"note": "v"}},
        "cause": {"exceptions": [{"id": OTHER, "type": "E", "message": "boom"}]},
    },
    "opa": {
        "decision_id": "4ca636c1",
        "labels": {"app": "shop"},
        "path": "shop/allow",
        "query": "x",
        "input": {"user": "joe"},
        "result": {"allow": True, "why": "because"},
        "requested_by": "10.0.0.1",
        "timestamp": "2026-11-22T10:11:12.123Z",
        "bundles": {"authz": {"revision": "r1"}},
    },
    "har": {
        "log": {
            "version": "1.2",
            "creator": {"name": "me", "version": "1"},
            "entries": [
                {
                    "startedDateTime": "2026-11-22T10:11:12.123Z",
                    "time": 5,
                    "request": {
                        "method": "POST",
                        "url": "https://a.example/x",
                        "httpVersion": "HTTP/1.1",
                        "headers": [{"name": "X-Note", "value": "v"}],
                        "queryString": [{"name": "q", "value": "v"}],
                        "cookies": [],
                        "postData": {"mimeType": "application/json", "text": "{}"},
                        "headersSize": -1,
                        "bodySize": 2,
                    },
                    "response": {
                        "status": 200,
                        "statusText": "OK",
                        "httpVersion": "HTTP/1.1",
                        "headers": [],
                        "cookies": [],
                        "content": {"size": 2, "mimeType": "application/json", "text": "{}"},
                        "redirectURL": "",
                        "headersSize": -1,
                        "bodySize": 2,
                    },
                    "cache": {},
                    "timings": {"send": 1, "wait": 3, "receive": 1},
                }
            ],
        }
    },
}
SPARED = frozenset(
    {
        "traceId",
        "trace_id",
        "id",
        "kind",
        "traceID",
        "spanID",
        "processID",
        "type",
        "version",
        "timestamp",
    }
    | {"startedDateTime", "method", "mimeType", "httpVersion", "key"}
)


@pytest.mark.parametrize("form", sorted(DOCUMENTS))
@pytest.mark.parametrize("spared", [SPARED, frozenset()], ids=["values", "everything"])
def test_nothing_secret_of_other_formats_is_in_the_store(
    planter: Planter, tmp_path: Path, form: str, spared: frozenset[str]
) -> None:
    planted = planter.in_every_text(DOCUMENTS[form], spared)
    source = tmp_path / "in.json"
    source.write_text(json.dumps(planted))
    outputs = tmp_path / "out"
    outputs.mkdir()
    store = Store(outputs / "s.duckdb")
    with store.lease("keeps the write-ahead log", create=True):
        report = ingest_paths(store, [str(source)], replace(SETTINGS, format=form))
        assert left_in(outputs, planter.secrets) == set()
    assert left_in(outputs, planter.secrets) == set()
    if spared:
        assert report.total("spans") + report.total("decisions") > 0
