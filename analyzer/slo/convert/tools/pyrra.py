"""Pyrra: ServiceLevelObjective resources over Prometheus metrics."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.slo.convert.converter import Converted, Converter, percent, slo_document
from analyzer.yaml_lines import Located, value_of

API = "pyrra.dev/"
COUNTED = "sum(rate({metric}[{{{{.window}}}}]))"


def _recognises(document: Any) -> bool:
    return str(value_of(document, "apiVersion")).startswith(API)


def _convert(located: Located) -> Iterator[Converted]:
    document = located.value
    name = str(value_of(document, "metadata", "name"))
    place = located.at("spec", "indicator")
    queries, reason = _queries(value_of(document, "spec", "indicator"))
    if reason:
        yield Converted(place=place, name=name, document=None, reason=reason)
        return
    labels = value_of(document, "metadata", "labels") or {}
    found = slo_document(
        name=name,
        service=str(value_of(document, "metadata", "namespace") or name),
        description=str(value_of(document, "spec", "description") or ""),
        target_percent=percent(located.at("spec", "target"), value_of(document, "spec", "target")),
        window=str(value_of(document, "spec", "window")),
        queries=queries,
        labels={str(key): str(value) for key, value in labels.items()},
    )
    grouped = _grouping(value_of(document, "spec", "indicator"))
    notes = (
        [f"grouped by {', '.join(grouped)} in Pyrra; one budget for all here"] if grouped else []
    )
    yield Converted(place=place, name=name, document=found, notes=notes)


def _queries(indicator: Any) -> tuple[dict[str, str], str]:
    """Rates of counters; a gauge of 0 and 1 is good as often as it is 1."""
    for kind, sides in (
        ("ratio", {"errors": "bad", "total": "total"}),
        ("latency", {"success": "good", "total": "total"}),
    ):
        if (given := value_of(indicator, kind)) is not None:
            metrics = {side: value_of(given, of, "metric") for of, side in sides.items()}
            if all(isinstance(metric, str) for metric in metrics.values()):
                return {side: COUNTED.format(metric=it) for side, it in metrics.items()}, ""
            return {}, f"{kind} lacks a metric"
    gauge = value_of(indicator, "bool_gauge", "metric") or value_of(
        indicator, "boolGauge", "metric"
    )
    if isinstance(gauge, str):
        good, total = (f"sum({of}_over_time({gauge}[{{{{.window}}}}]))" for of in ("sum", "count"))
        return {"good": good, "total": total}, ""
    kinds = ", ".join(indicator) if isinstance(indicator, Mapping) else "none"
    return {}, f"indicator {kinds} has no counterpart"


def _grouping(indicator: Any) -> list[str]:
    entries = indicator.values() if isinstance(indicator, Mapping) else ()
    return [str(it) for entry in entries for it in value_of(entry, "grouping") or ()]


CONVERTER = Converter(tool="pyrra", recognises=_recognises, convert=_convert)
