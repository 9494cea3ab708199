"""Reads the layout of hyperdxio/hyperdx's hdx-eval: OTLP traces and logs, metrics one a line.

The time of the fault is the one its truth tells ("45 min ago"), counted from the end of the data.
Versions come from events of rollouts; decoys are the other services named as distractors.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.rootcause.telemetry import (
    Call,
    Case,
    Change,
    Line,
    Measurement,
    RecordedCall,
    Telemetry,
    calls_of,
    template_of,
)
from benchmarks.lib.rootcause.cases import Truth

MINUTE_NS = 60_000_000_000
AGO = re.compile(r"(\d+) min(?:utes)? ago")
ROLLOUT = "deployment.rollout"
ERROR_CODE = 2


def cases(folder: Path) -> Iterator[tuple[str, Case, Truth]]:
    """Each scenario with its recording of two hours."""
    for place in sorted((folder / "packages" / "hdx-eval" / "src" / "scenarios").iterdir()):
        told = json.loads((place / "ground-truth.json").read_text("utf-8"))
        expected = told["expected"]
        ago = AGO.search(expected["rootCause"])
        data = folder / "generated" / place.name
        if ago is None or not data.is_dir():
            continue
        cause = expected["affectedService"]
        others = {one.get("service", cause) for one in told["distractors"]} - {cause}
        yield (
            "hdx-eval",
            _case(data, int(ago.group(1))),
            Truth(name=place.name, causes=(cause,), decoys=tuple(sorted(others))),
        )


def _case(data: Path, minutes_ago: int) -> Case:
    spans = list(_spans(data / "traces.jsonl.gz"))
    last = max(span.end_ns for span in spans)
    end = -(-last // MINUTE_NS) * MINUTE_NS  # the recording goes over whole minutes
    onset = end - minutes_ago * MINUTE_NS
    calls = calls_of(spans)
    records = list(_records(data / "logs.jsonl.gz"))
    lines = [_line(service, record) for service, record in records]
    measured = list(_measurements(data / "metrics.native.jsonl.gz"))
    return Case(
        baseline=_part(calls, lines, measured, 0, onset),
        incident=_part(calls, lines, measured, onset, end + 1),
        onset_ns=onset,
        changes=[
            Change(
                at_ns=int(record["timeUnixNano"]),
                kind="deploy",
                service=service,
                name=str(_values(record["attributes"]).get("service.version", "")),
                text=_text(record),
            )
            for service, record in records
            if _values(record.get("attributes", ())).get("event.name") == ROLLOUT
        ],
        bad=frozenset(span.trace_id for span in spans if span.failed and span.start_ns >= onset),
    )


def _part(
    calls: Sequence[Call],
    lines: Sequence[Line],
    measured: Sequence[Measurement],
    since_ns: int,
    until_ns: int,
) -> Telemetry:
    return Telemetry(
        calls=[one for one in calls if since_ns <= one.start_ns < until_ns],
        lines=[one for one in lines if since_ns <= one.at_ns < until_ns],
        measurements=[one for one in measured if since_ns <= one.at_ns < until_ns],
    )


def _read(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _values(attributes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values()), None) for one in attributes}


def _spans(path: Path) -> Iterator[RecordedCall]:
    for document in _read(path):
        for group in document["resourceSpans"]:
            resource = _values(group["resource"]["attributes"])
            for span in (one for scope in group["scopeSpans"] for one in scope["spans"]):
                status = span.get("status", {})
                where = (
                    ("version", resource.get("service.version")),
                    ("instance", resource.get("k8s.pod.name")),
                )
                yield RecordedCall(
                    trace_id=span["traceId"],
                    span_id=span["spanId"],
                    parent_id=span.get("parentSpanId", ""),
                    service=resource["service.name"],
                    operation=span["name"],
                    start_ns=int(span["startTimeUnixNano"]),
                    end_ns=int(span["endTimeUnixNano"]),
                    failed=status.get("code") == ERROR_CODE,
                    error=status.get("message", ""),
                    where=tuple((name, value) for name, value in where if value),
                )


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in _read(path):
        for group in document["resourceLogs"]:
            service = _values(group["resource"]["attributes"])["service.name"]
            for scope in group["scopeLogs"]:
                for record in scope["logRecords"]:
                    yield service, record


def _text(record: Mapping[str, Any]) -> str:
    return str(next(iter(record.get("body", {}).values()), ""))


def _line(service: str, record: Mapping[str, Any]) -> Line:
    return Line(
        at_ns=int(record["timeUnixNano"]),
        service=service,
        severity=record.get("severityNumber", 9),
        template=template_of(_text(record)),
        trace_id=record.get("traceId", ""),
        span_id=record.get("spanId", ""),
    )


def _measurements(path: Path) -> Iterator[Measurement]:
    """Gauges as they are, running totals as what was added, histograms and summaries as the mean;
    each pod and each set of attributes is a series of its own."""
    totals: dict[tuple[str, str], float] = {}
    for one in _read(path):
        pod = one["resourceAttributes"].get("k8s.pod.name", "")
        told = " ".join(str(value) for _, value in sorted(one["attributes"].items()))
        name = " ".join(filter(None, (one["metricName"], told, pod)))
        key = (one["serviceName"], name)
        if one["kind"] == "gauge":
            value = float(one["value"])
        elif one["kind"] == "sum":
            value = float(one["value"]) - totals.get(key, float(one["value"]))
            totals[key] = float(one["value"])
        elif one["count"]:
            value = float(one["sum"]) / float(one["count"])
        else:
            continue
        yield Measurement(one["timeUnixMs"] * 1_000_000, one["serviceName"], name, value)
