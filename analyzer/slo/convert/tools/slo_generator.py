"""Google's slo-generator: v2 files with the Prometheus backend."""

from collections.abc import Iterator
from typing import Any

from analyzer.slo.convert.converter import Converted, Converter, percent, slo_document
from analyzer.yaml_lines import Located, value_of

API = "sre.google.com/v2"
WINDOW = "[{{.window}}]"


def _recognises(document: Any) -> bool:
    return value_of(document, "apiVersion") == API or (
        value_of(document, "slo_target") is not None and value_of(document, "backend") is not None
    )


def _convert(located: Located) -> Iterator[Converted]:
    document = located.value
    if value_of(document, "apiVersion") != API:
        name = str(value_of(document, "slo_name"))
        reason = "the v1 format is gone from slo-generator 2; migrate it first"
        yield Converted(place=located.at(), name=name, document=None, reason=reason)
        return
    name = str(value_of(document, "metadata", "name"))
    queries, reason = _queries(value_of(document, "spec"))
    if reason:
        yield Converted(place=located.at("spec"), name=name, document=None, reason=reason)
        return
    labels = value_of(document, "metadata", "labels") or {}
    goal = value_of(document, "spec", "goal")
    yield Converted(
        place=located.at("spec"),
        name=name,
        document=slo_document(
            name=name,
            service=str(labels.get("service_name") or name),
            description=str(value_of(document, "spec", "description") or ""),
            target_percent=percent(located.at("spec", "goal"), _hundredfold(goal)),
            window="28d",
            queries=queries,
            labels={str(key): str(value) for key, value in labels.items()},
        ),
        notes=["slo-generator takes periods from its error budget policy; 28d was taken"],
    )


def _hundredfold(goal: object) -> object:
    from decimal import Decimal

    return Decimal(str(goal)) * 100 if isinstance(goal, int | float) else goal


def _queries(spec: Any) -> tuple[dict[str, str], str]:
    backend, method = value_of(spec, "backend"), value_of(spec, "method")
    if str(backend).split("/")[0] != "prometheus":
        return {}, f"backend {backend!r} is not Prometheus"
    indicator = value_of(spec, "service_level_indicator") or {}
    if method == "good_bad_ratio":
        good, total = indicator.get("filter_good"), indicator.get("filter_valid")
        if isinstance(good, str) and isinstance(total, str):
            return {"good": _rate(good), "total": _rate(total)}, ""
        bad = indicator.get("filter_bad")
        if isinstance(good, str) and isinstance(bad, str):
            return {"good": _rate(good), "total": f"{_rate(good)} + {_rate(bad)}"}, ""
    expression = indicator.get("expression")
    if method == "query_sli" and isinstance(expression, str):
        return {"raw": f"1 - ({expression.strip().replace('[window]', WINDOW)})"}, ""
    if method == "distribution_cut" and isinstance(expression, str):
        bucket = indicator.get("threshold_bucket")
        inner = expression.strip().rstrip("}")
        below = f'{inner}{", " if not inner.endswith("{") else ""}le="{bucket}"}}'
        count = expression.strip().replace("_bucket", "_count", 1)
        return {"good": _rate(below), "total": _rate(count)}, ""
    return {}, f"method {method!r} of Prometheus has no counterpart, or lacks a filter"


def _rate(selector: str) -> str:
    return f"sum(rate({selector.strip()}{WINDOW}))"


CONVERTER = Converter(tool="slo-generator", recognises=_recognises, convert=_convert)
