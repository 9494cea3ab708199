"""Sloth: `prometheus/v1` files and PrometheusServiceLevel resources.

Alerts are Sloth's own for 30 days (its `google-30d` windows).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.slo.convert.converter import Alert, Converted, Converter, percent, slo_document
from analyzer.yaml_lines import Located, value_of

PAGE = (("14.4", "1h"), ("6", "6h"))
TICKET = (("3", "1d"), ("1", "3d"))
KIND = "PrometheusServiceLevel"


def _recognises(document: Any) -> bool:
    plain = value_of(document, "version") == "prometheus/v1"
    return plain or bool(value_of(document, "kind") == KIND)


def _convert(located: Located) -> Iterator[Converted]:
    resource = value_of(located.value, "kind") == KIND
    above: tuple[str | int, ...] = ("spec",) if resource else ()
    spec = value_of(located.value, *above)
    for at, slo in enumerate(value_of(spec, "slos") or ()):
        place = located.at(*above, "slos", at)
        yield _one(place, spec, slo)


def _either(given: Any, plain: str, camel: str) -> Any:
    """The plain files write `page_alert`, the resources `pageAlert`."""
    found = value_of(given, plain)
    return value_of(given, camel) if found is None else found


def _one(place: str, spec: Mapping[str, Any], slo: Mapping[str, Any]) -> Converted:
    name = str(slo.get("name"))
    queries, reason = _queries(slo.get("sli"))
    if reason:
        return Converted(place=place, name=name, document=None, reason=reason)
    labels = {**_texts(spec.get("labels")), **_texts(slo.get("labels"))}
    document = slo_document(
        name=name,
        service=str(spec.get("service")),
        description=str(slo.get("description") or ""),
        target_percent=percent(place, slo.get("objective")),
        window="30d",
        queries=queries,
        labels=labels,
        alerts=_alerts(name, slo.get("alerting") or {}),
    )
    notes = ["Sloth takes the period from its command line; 30d was taken"]
    return Converted(place=place, name=name, document=document, notes=notes)


def _queries(sli: Any) -> tuple[dict[str, str], str]:
    if (plugin := value_of(sli, "plugin")) is not None:
        return {}, f"SLI plugin {value_of(plugin, 'id')!r} is a program of Sloth"
    raw = _either(value_of(sli, "raw"), "error_ratio_query", "errorRatioQuery")
    if isinstance(raw, str):
        return {"raw": raw}, ""
    events = value_of(sli, "events")
    bad = _either(events, "error_query", "errorQuery")
    total = _either(events, "total_query", "totalQuery")
    if isinstance(bad, str) and isinstance(total, str):
        return {"bad": bad, "total": total}, ""
    return {}, "it has neither events nor raw"


def _alerts(name: str, alerting: Mapping[str, Any]) -> list[Alert]:
    found = []
    for severity, burns in (("page", PAGE), ("ticket", TICKET)):
        given = _either(alerting, f"{severity}_alert", f"{severity}Alert") or {}
        if given.get("disable"):
            continue
        found.append(
            Alert(
                name=f"{name}-{severity}",
                title=str(alerting.get("name") or f"{name}-{severity}"),
                severity=severity,
                burns=burns,
                labels={**_texts(alerting.get("labels")), **_texts(given.get("labels"))},
                annotations={
                    **_texts(alerting.get("annotations")),
                    **_texts(given.get("annotations")),
                },
            )
        )
    return found


def _texts(given: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (given or {}).items()}


CONVERTER = Converter(tool="sloth", recognises=_recognises, convert=_convert)
