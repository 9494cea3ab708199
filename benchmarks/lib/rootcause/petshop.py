"""Reads the layout of amazon-science/petshop: metrics of nodes as a wide CSV, a call graph."""

import csv
import gzip
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from analyzer.rootcause.telemetry import Case, Measurement, Telemetry
from benchmarks.lib.rootcause.cases import Truth

SECOND_NS = 1_000_000_000
HEADERS = 3
REQUESTS = "requests Sum"
"""Beside the metric that is asked about: a share tells little without the number it is of."""


def cases(folder: Path) -> Iterator[tuple[str, Case, Truth]]:
    """The issues of the authors' training part."""
    for scenario in sorted((folder / "dataset").iterdir()):
        edges = _edges(scenario / "graph.csv")
        for issue in sorted((scenario / "train").iterdir()):
            target = json.loads((issue / "target.json").read_text("utf-8"))
            asked = target["target"]
            metric, agg = asked["metric"], asked["agg"]
            asked_for = (f"{metric} {agg}", REQUESTS)
            during = [m for m in _read(issue / "metrics.csv") if m.name in asked_for]
            free = scenario / "noissue" / "metrics.csv.gz"
            if not free.is_file():
                free = folder / "dataset" / "low_traffic" / "noissue" / "metrics.csv.gz"
            before = [m for m in _read(free) if m.name in asked_for]
            yield (
                f"PetShop {metric}",
                Case(
                    baseline=Telemetry(measurements=before),
                    incident=Telemetry(measurements=during),
                    onset_ns=int(asked["timestamp"]) * SECOND_NS,
                    edges=edges,
                    symptom=asked["node"],
                    # X-Ray's type `remote`: inferred from its callers' segments
                    seen_by_callers=frozenset(
                        callee for _, callee in edges if callee.endswith("_remote")
                    ),
                ),
                Truth(
                    name=f"{scenario.name} {issue.name}",
                    causes=(target["root_cause"]["node"],),
                    sort=metric,
                ),
            )


@lru_cache(maxsize=4)
def _read(path: Path) -> list[Measurement]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    nodes, metrics, statistics = (row[1:] for row in rows[:HEADERS])
    found = []
    for row in rows[HEADERS:]:
        if not row or not row[0].replace(".", "").isdigit():
            continue
        for node, metric, statistic, value in zip(nodes, metrics, statistics, row[1:], strict=True):
            if value:
                found.append(
                    Measurement(
                        int(float(row[0])) * SECOND_NS, node, f"{metric} {statistic}", float(value)
                    )
                )
    return found


def _edges(path: Path) -> frozenset[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    return frozenset(
        (row[0], callee)
        for row in rows[1:]
        for callee, value in zip(rows[0][1:], row[1:], strict=True)
        if float(value) > 0
    )
