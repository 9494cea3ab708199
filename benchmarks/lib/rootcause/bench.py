"""Reads the layout of edgedelta/root-cause-bench: an alert, spans, logs, metrics, commits."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from analyzer.rootcause.telemetry import (
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
from benchmarks.lib.rootcause.onset import onset_of

_SEVERITY = {"ERROR": 17, "FATAL": 21, "CRITICAL": 21, "WARN": 13, "WARNING": 13}


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def cases(folder: Path) -> Iterator[tuple[str, Case, Truth]]:
    """Each incident, with the commits as its changes."""
    for place in sorted((folder / "datasets" / "rootcausebench").iterdir()):
        data = place / "environment" / "data"
        truth = json.loads((place / "tests" / "ground_truth.json").read_text("utf-8"))
        known = {str(commit["sha"]) for commit in _json(data / "context" / "commits.json")}
        cause = truth["root_cause_commit"]
        yield (
            "RootCauseBench",
            _case(data),
            Truth(
                name=place.name,
                causes=(cause,) if cause in known else (),
                decoys=tuple(truth["decoy_deploy_commits"]),
                sort=truth["first_failing_service"],
            ),
        )


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def _case(data: Path) -> Case:
    alert = _json(data / "alert.json")
    measured = list(_measurements(data / "metrics.csv"))
    onset = onset_of(measured, alert["service"], alert["metric"], moment(alert["fired_at"]))
    spans = _json(data / "traces.json")
    calls = calls_of(
        RecordedCall(
            trace_id=span["trace_id"],
            span_id=f"{span['trace_id']}{span['span_id']}",
            parent_id=f"{span['trace_id']}{span['parent_id']}",
            service=span["service"],
            operation=span["name"],
            start_ns=moment(span["start"]),
            end_ns=moment(span["start"]) + int(float(span["duration_ms"]) * 1_000_000),
            failed=span["status"] == "ERROR",
            error=str(span.get("error", "")),
        )
        for span in spans
    )
    lines = [
        Line(
            at_ns=moment(record["timestamp"]),
            service=record["service"],
            severity=_SEVERITY.get(str(record.get("severity_text", "")).upper(), 9),
            template=template_of(
                " ".join(
                    str(value)
                    for key, value in sorted(record.items())
                    if key not in ("timestamp", "service", "severity_text", "trace_id", "span_id")
                )
            ),
            trace_id=str(record.get("trace_id", "")),
        )
        for record in map(json.loads, (data / "logs.ndjson").read_text("utf-8").splitlines())
    ]
    before = Telemetry(
        calls=[call for call in calls if call.start_ns < onset],
        lines=[line for line in lines if line.at_ns < onset],
        measurements=[m for m in measured if m.at_ns < onset],
    )
    during = Telemetry(
        calls=[call for call in calls if call.start_ns >= onset],
        lines=[line for line in lines if line.at_ns >= onset],
        measurements=[m for m in measured if m.at_ns >= onset],
    )
    return Case(baseline=before, incident=during, onset_ns=onset, changes=_changes(data))


def _measurements(path: Path) -> Iterator[Measurement]:
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            yield Measurement(
                moment(row["timestamp"]), row["service"], row["metric"], float(row["value"])
            )


def _changes(data: Path) -> list[Change]:
    deployed: dict[str, list[dict[str, str]]] = {}
    for deploy in _json(data / "context" / "deploys.json"):
        deployed.setdefault(deploy["commit_sha"], []).append(deploy)
    changes = []
    for commit in _json(data / "context" / "commits.json"):
        known = deployed.get(commit["sha"], ())
        first = min(known, key=lambda one: moment(one["timestamp"]), default=None)
        changes.append(
            Change(
                at_ns=moment(commit["timestamp"] if first is None else first["timestamp"]),
                kind="commit",
                service="" if first is None else first["service"],
                name=commit["sha"],
                text=f"{commit['message']}\n{' '.join(commit['files_changed'])}\n"
                f"{commit['diff'] or ''}",
            )
        )
    return changes
