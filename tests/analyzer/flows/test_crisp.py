"""Critical paths as CRISP's own cases give them (uber-research/CRISP, test_cases, Apache-2.0).

Each case states the exclusive time on the critical path by service and operation, in microseconds:
as `testing[].{operation: time}` or as `testing.opTimeExclusive`.
"""

import json
from collections import Counter
from hashlib import sha256
from typing import Any

import pytest

from analyzer.derive.critical_path import critical_path
from analyzer.derive.tree import plant
from store.model import Span
from tests.third_party import corpora_folder

FOLDER = "othertraces/uber-research+CRISP/test_cases"
CASES = 16
US = 1_000


def hexed(name: str, digits: int) -> str:
    return sha256(name.encode()).hexdigest()[:digits]


def spans_of(trace: dict[str, Any]) -> list[Span]:
    services = {name: it["serviceName"] for name, it in trace["processes"].items()}
    return [
        Span(
            trace_id=hexed(it["traceID"], 32),
            span_id=hexed(it["spanID"], 16),
            parent_span_id=hexed(it["references"][0]["spanID"], 16) if it["references"] else None,
            name=it["operationName"],
            kind="internal",
            service=services[it["processID"]],
            start_ns=it["startTime"] * US,
            end_ns=(it["startTime"] + it["duration"]) * US,
        )
        for it in trace["spans"]
    ]


def ours(trace: dict[str, Any]) -> dict[str, int]:
    spans = spans_of(trace)
    names = {span.span_id: f"[{span.service}] {span.name}" for span in spans}
    times: Counter[str] = Counter()
    for segment in critical_path(plant(spans)):
        times[names[segment.span_id]] += segment.self_ns
    return {name: ns // US for name, ns in times.items()}


def theirs(case: dict[str, Any]) -> dict[str, int]:
    stated = case["testing"]
    times = stated[0] if isinstance(stated, list) else stated["opTimeExclusive"]
    return {name: time for name, time in times.items() if time}


OVERLAPPING = {
    # B 10-210, C 205-305, D 300-600 below A 0-600: each call begins a little before the one before
    # it has ended. CRISP takes overlaps of up to a few percent for clock drift and counts all three
    # in full, so its times count 10 microseconds twice and A's own first 10 not at all. On one
    # clock C cannot have waited for the end of B nor D for that of C; ours add up to the duration.
    "19.json": {"[S1] O1": 100, "[S2] O2": 200, "[S4] O4": 300},
    "20.json": {"[S1] O1": 100, "[S2] O2": 200, "[S4] O4": 300},
}


def cases() -> dict[str, dict[str, Any]]:
    folder = corpora_folder() / FOLDER
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text())
        for path in sorted(folder.rglob("*.json"))
    }


def test_every_case_is_here() -> None:
    assert len(cases()) == CASES


def test_the_critical_path_is_the_one_crisp_states() -> None:
    differing = {}
    for name, case in cases().items():
        (trace,) = case["data"]
        found = ours(trace)
        if found != theirs(case):
            differing[name] = found
    assert differing == OVERLAPPING


def test_our_times_add_up_to_the_duration_of_the_root_in_every_case() -> None:
    for name, case in cases().items():
        (trace,) = case["data"]
        (root,) = [span for span in trace["spans"] if not span["references"]]
        assert sum(ours(trace).values()) == root["duration"], name


@pytest.mark.parametrize("name", sorted(OVERLAPPING))
def test_where_we_differ_crisp_counts_more_than_the_time_there_was(name: str) -> None:
    """Its three calls take 600 of 600, although the first one began only at 10."""
    case = cases()[name]
    first = min(span["startTime"] for span in case["data"][0]["spans"] if span["references"])
    assert first == 10
    assert sum(theirs(case).values()) == 600
