"""Reads the layout of IntelligentDDS/Nezha: spans, logs and metrics as CSV, one file a minute.

Traps of the data: `inject_timestamp` of Train Ticket is eight hours behind the spans, so
`inject_time` is read as UTC; the parent of a root is the word `root`; log cells are JSON in CSV.
"""

import csv
import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from analyzer.rootcause.telemetry import (
    Call,
    Case,
    Line,
    Measurement,
    RecordedCall,
    Telemetry,
    calls_of,
    template_of,
)
from benchmarks.lib.rootcause.cases import Truth

MINUTES = 3
SECOND_NS = 1_000_000_000
BASELINE_NS = 1800 * SECOND_NS
"""Measurements of so long before the fault are its baseline."""
_POD = re.compile(r"-[0-9a-f]{6,10}-[0-9a-z]{5}$")
_PREFIX = re.compile(r"^.*?SpanID: \S+ ")
_SEVERITY = {"ERROR": 17, "FATAL": 21, "WARN": 13, "WARNING": 13}
csv.field_size_limit(10_000_000)


def service_of(pod: str) -> str:
    return _POD.sub("", pod)


def cases(folder: Path) -> Iterator[tuple[str, Case, Truth]]:
    """The faults whose files are all there; system, case, truth."""
    for day in sorted((folder / "rca_data").iterdir()):
        faults = json.loads((day / f"{day.name}-fault_list.json").read_text("utf-8"))
        for hour in sorted(faults):
            for fault in faults[hour]:
                at = datetime.fromisoformat(fault["inject_time"]).replace(tzinfo=UTC)
                minutes = [f"{at + timedelta(minutes=n):%H_%M}" for n in range(MINUTES)]
                if all((day / "trace" / f"{one}_trace.csv.gz").is_file() for one in minutes):
                    truth = Truth(
                        name=f"{day.name} {fault['inject_time'][11:]} {fault['inject_type']}",
                        causes=(service_of(fault["inject_pod"]),),
                        sort=fault["inject_type"],
                    )
                    system = "Train Ticket" if day.name.startswith("2023-01") else "Online Boutique"
                    yield system, _case(folder, day, at, minutes), truth


def _case(folder: Path, day: Path, at: datetime, minutes: list[str]) -> Case:
    onset = int(at.timestamp()) * SECOND_NS
    calls = [
        call
        for one in minutes
        for call in _calls(day / "trace" / f"{one}_trace.csv.gz")
        if call.start_ns >= onset
    ]
    lines = [line for one in minutes for line in _lines(day / "log" / f"{one}_log.csv.gz")]
    measured = _measurements(day / "metric")
    last = onset + MINUTES * 60 * SECOND_NS
    return Case(
        baseline=Telemetry(
            calls=_calls(_fault_free(folder, day, "trace")),
            lines=_lines(_fault_free(folder, day, "log")),
            # the metrics of the recording without fault go over the whole day: those before
            measurements=[m for m in measured if onset - BASELINE_NS <= m.at_ns < onset],
        ),
        incident=Telemetry(
            calls=calls,
            lines=[line for line in lines if line.at_ns >= onset],
            measurements=[m for m in measured if onset <= m.at_ns < last],
        ),
        onset_ns=onset,
    )


def _fault_free(folder: Path, day: Path, signal: str) -> Path:
    """The recording without fault of the same system: of that day, else of another."""
    days = [folder / "construct_data" / day.name]
    days += [
        one
        for one in sorted((folder / "construct_data").iterdir())
        if one.is_dir() and one.name[:7] == day.name[:7]
    ]
    for one in days:
        for path in sorted((one / signal).glob("*.csv.gz")):
            return path
    return folder / "absent"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as stream:
            for row in csv.DictReader(stream):
                if all(isinstance(value, str) for value in row.values()):
                    yield row


@lru_cache(maxsize=8)
def _calls(path: Path) -> list[Call]:
    return calls_of(
        RecordedCall(
            trace_id=row["TraceID"],
            span_id=row["SpanID"],
            parent_id=row["ParentID"],
            service=service_of(row["PodName"]),
            operation=row["OperationName"],
            start_ns=int(row["StartTimeUnixNano"]),
            end_ns=int(row["EndTimeUnixNano"]),
            failed=False,
        )
        for row in _rows(path)
        if row["StartTimeUnixNano"].isdigit() and row["EndTimeUnixNano"].isdigit()
    )


@lru_cache(maxsize=8)
def _lines(path: Path) -> list[Line]:
    found = []
    for row in _rows(path):
        if not row["TimeUnixNano"].isdigit():
            continue
        text = row["Log"]
        try:
            document = json.loads(text)
            text = str(document.get("log", text)) if isinstance(document, dict) else text
        except json.JSONDecodeError:
            pass
        severity = next((n for word, n in _SEVERITY.items() if f" {word} " in text[:60]), 9)
        found.append(
            Line(
                at_ns=int(row["TimeUnixNano"]),
                service=service_of(row["PodName"]),
                severity=severity,
                template=template_of(_PREFIX.sub("", text)),
                trace_id=row["TraceID"],
                span_id=row["SpanID"],
            )
        )
    return found


_METRICS = ("CpuUsageRate(%)", "MemoryUsageRate(%)", "PodServerLatencyP95(s)", "PodSuccessRate(%)")


@lru_cache(maxsize=4)
def _measurements(folder: Path) -> list[Measurement]:
    found = []
    for path in sorted(folder.glob("*_metric.csv.gz")):
        service = service_of(path.name.removesuffix("_metric.csv.gz"))
        for row in _rows(path):
            for name in _METRICS:
                try:
                    value = float(row[name])
                except (KeyError, ValueError):
                    continue
                found.append(Measurement(int(row["TimeStamp"]) * SECOND_NS, service, name, value))
    return found
