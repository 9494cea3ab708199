"""What a converter is, and the documents all of them write."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import analyzer.slo.convert.tools
from analyzer.discovery import discover
from analyzer.yaml_lines import Located, documents
from store.errors import DataError

API = "openslo/v1"
PROMETHEUS = "Prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """One SLO as an OpenSLO document, or the reason why there is none. `notes` say what was
    assumed."""

    place: str
    name: str
    document: Mapping[str, Any] | None
    reason: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """A tool whose files are read: `recognises` a document, `convert`s it to any number of SLOs."""

    tool: str
    recognises: Callable[[Any], bool]
    convert: Callable[[Located], Iterator[Converted]]


@lru_cache(maxsize=1)
def converters() -> tuple[Converter, ...]:
    """All of them, by name."""
    return tuple(discover(analyzer.slo.convert.tools, "CONVERTER", Converter).values())


def convert(path: Path) -> list[Converted]:
    """Every SLO of a file. Raises DataError when no converter knows the file."""
    found: list[Converted] = []
    for located in documents(path):
        for converter in converters():
            if converter.recognises(located.value):
                found += converter.convert(located)
                break
        else:
            tools = ", ".join(it.tool for it in converters())
            raise DataError(f"{located.at()}: no SLO of a tool that is known; there are {tools}")
    return found


def label(text: object) -> str:
    """A name as OpenSLO allows it."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-")[:63] or "unnamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert policy: burn-rate thresholds over long windows, with what it tells people."""

    name: str
    title: str
    severity: str
    burns: Sequence[tuple[str, str]]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def slo_document(
    *,
    name: str,
    service: str,
    description: str,
    target_percent: Decimal,
    window: str,
    queries: Mapping[str, str],
    labels: Mapping[str, str],
    alerts: Sequence[Alert] = (),
) -> dict[str, Any]:
    """An OpenSLO v1 SLO over Prometheus queries; `queries` are good or bad with total, or raw."""
    metric: dict[str, Any] = {"counter": True}
    if "raw" in queries:
        metric = {"rawType": "failure"}
    for side, query in queries.items():
        metric[side] = {"metricSource": {"type": PROMETHEUS, "spec": {"query": query}}}
    document: dict[str, Any] = {
        "apiVersion": API,
        "kind": "SLO",
        "metadata": {"name": label(name), "labels": dict(labels)},
        "spec": {
            "description": description,
            "service": service,
            "indicator": {"metadata": {"name": label(name)}, "spec": {"ratioMetric": metric}},
            "timeWindow": [{"duration": window, "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": "objective", "target": float(target_percent / 100)}],
        },
    }
    if alerts:
        document["spec"]["alertPolicies"] = [_policy(alert) for alert in alerts]
    return document


def _policy(alert: Alert) -> dict[str, Any]:
    return {
        "kind": "AlertPolicy",
        "metadata": {
            "name": label(alert.name),
            "displayName": alert.title,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
        },
        "spec": {
            "alertWhenBreaching": True,
            "conditions": [
                {
                    "kind": "AlertCondition",
                    "metadata": {"name": label(f"{alert.name}-{window}")},
                    "spec": {
                        "severity": alert.severity,
                        "condition": {
                            "kind": "burnrate",
                            "op": "gte",
                            "threshold": float(threshold),
                            "lookbackWindow": window,
                            "alertAfter": "0m",
                        },
                    },
                }
                for threshold, window in alert.burns
            ],
        },
    }


def percent(place: str, value: object) -> Decimal:
    """A target in percent, as text or a number."""
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        raise DataError(f"{place}: target {value!r} is no number") from None
    if not 0 <= found < 100:
        raise DataError(f"{place}: target {value!r} is not in [0, 100)")
    return found
