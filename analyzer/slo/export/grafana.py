"""A Grafana dashboard over the recording rules of SLOs.

In: SLOs. Out: the dashboard as a value (schema version 39), for the series `prometheus.py` records.
The data source is a variable, so that the file names no installation.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.slo.duration import short_text
from analyzer.slo.model import Slo

SCHEMA_VERSION = 39
WIDTH = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard(slos: Sequence[Slo]) -> dict[str, Any]:
    """One row of panels for each SLO: indicator, budget left, burn rates over its windows."""
    panels: list[dict[str, Any]] = []
    for slo in slos:
        for number in range(1, len(slo.objectives) + 1):
            name = slo.name if len(slo.objectives) == 1 else f"{slo.name}-{number}"
            panels += _row(slo, name, len(panels))
    return {
        "title": "Service level objectives",
        "uid": "retrospan-slo",
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "time": {"from": "now-7d", "to": "now"},
        "tags": ["slo", "retrospan"],
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        },
        "panels": panels,
    }


def _row(slo: Slo, name: str, first: int) -> list[dict[str, Any]]:
    chosen = f'{{slo_service="{slo.service}", slo_name="{name}"}}'
    period = short_text(slo.window.span.fixed_ns)
    windows = sorted({length for rule in slo.rules for length in (rule.short_ns, rule.long_ns)})
    budget = f"slo:error_budget:ratio{chosen}"
    joined = f"/ on(slo_id, slo_name, slo_service) group_left {budget}"
    burns = [
        (f"slo:sli_error:ratio_rate{short_text(length)}{chosen} {joined}", short_text(length))
        for length in windows
        if length < slo.window.span.fixed_ns
    ]
    top = 9 * (first // 4)
    sli = [(f"1 - slo:sli_error:ratio_rate{period}{chosen}", period)]
    left = [(f"slo:period_error_budget_remaining:ratio{chosen}", "left")]
    return [
        {
            "id": first + 1,
            "type": "row",
            "title": slo.title,
            "gridPos": _place(0, top, WIDTH, 1),
            "panels": [],
        },
        _panel(first + 2, "stat", f"SLI over {period}", sli, _place(0, top + 1, 4, 8)),
        _panel(first + 3, "timeseries", "Error budget left", left, _place(4, top + 1, 10, 8)),
        _panel(
            first + 4, "timeseries", "Burn rate", burns, _place(14, top + 1, 10, 8), unit="none"
        ),
    ]


def _panel(
    number: int,
    kind: str,
    title: str,
    queries: Sequence[tuple[str, str]],
    place: dict[str, int],
    unit: str = "percentunit",
) -> dict[str, Any]:
    return {
        "id": number,
        "type": kind,
        "title": title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "expr": expr,
                "legendFormat": legend,
                "datasource": SOURCE,
            }
            for at, (expr, legend) in enumerate(queries)
        ],
    }


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}
