"""Prometheus recording and alerting rules of an SLO.

Names and layout are those of Sloth (`slo:sli_error:ratio_rate5m` and so on), which dashboards out
there read; the labels are `slo_id`, `slo_service`, `slo_name`, `slo_window`. An SLO over flows
reads the counter that `retrospan serve` offers; one with a Prometheus metric source its own
queries, where `{{.window}}` stands for the window.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from analyzer.slo.duration import short_text
from analyzer.slo.model import BurnRule, Method, Objective, Slo
from store.errors import DataError

COUNTER = "retrospan_slo_flows_total"
PLACE = "{{.window}}"
PROMETHEUS = "prometheus"
SHORTEST_NS = 1_000_000_000
DAY_NS = 86_400 * 1_000_000_000


def rules(slos: Sequence[Slo]) -> dict[str, Any]:
    """A rules file as a value: `groups`, three for each objective.

    Raises DataError naming the SLO that has no counterpart in Prometheus, and why.
    """
    return {"groups": [group for slo in slos for group in _groups(slo)]}


def _groups(slo: Slo) -> list[dict[str, Any]]:
    if slo.method is not Method.OCCURRENCES:
        raise DataError(f"{slo.place}: SLO {slo.name}: {slo.method} has no rule in Prometheus")
    if not slo.window.rolling:
        raise DataError(f"{slo.place}: SLO {slo.name}: a calendar window has no rule in Prometheus")
    if (shortest_ns := min(rule.short_ns for rule in slo.rules)) < SHORTEST_NS:
        raise DataError(
            f"{slo.place}: SLO {slo.name}: a window of {short_text(shortest_ns)} is too short for "
            "Prometheus; give the SLO alert policies or a longer period"
        )
    groups = []
    for number, objective in enumerate(slo.objectives, 1):
        name = slo.name if len(slo.objectives) == 1 else f"{slo.name}-{number}"
        identity = {
            "slo_id": f"{slo.service}-{name}",
            "slo_service": slo.service,
            "slo_name": name,
        }
        named = [
            ("sli-recordings", _sli_rules(slo, identity)),
            ("meta-recordings", _meta_rules(slo, objective, identity)),
            ("alerts", _alert_rules(slo, objective, identity)),
        ]
        groups += [
            {"name": f"retrospan-slo-{part}-{identity['slo_id']}", "rules": found}
            for part, found in named
        ]
    return groups


def _sli_rules(slo: Slo, identity: dict[str, str]) -> list[dict[str, Any]]:
    period = short_text(slo.window.span.fixed_ns)
    windows = sorted({length for rule in slo.rules for length in (rule.short_ns, rule.long_ns)})
    found = [
        {
            "record": f"slo:sli_error:ratio_rate{short_text(length)}",
            "expr": error_ratio(slo, short_text(length)),
            "labels": {**_labels(slo.labels), **identity, "slo_window": short_text(length)},
        }
        for length in windows
        if length < slo.window.span.fixed_ns
    ]
    shortest = f"slo:sli_error:ratio_rate{short_text(windows[0])}{_selector(identity)}"
    whole = (
        f"sum_over_time({shortest}[{period}])\n/ ignoring (slo_window)\n"
        f"count_over_time({shortest}[{period}])\n"
    )
    return [
        *found,
        {
            "record": f"slo:sli_error:ratio_rate{period}",
            "expr": whole,
            "labels": {**_labels(slo.labels), **identity, "slo_window": period},
        },
    ]


def error_ratio(slo: Slo, window: str) -> str:
    """The share of bad events over a window as a PromQL expression."""
    if slo.good is not None:
        series = f'{COUNTER}{{slo="{slo.name}",result=~"%s"}}[{window}]'
        bad, total = (f"sum(rate({series % of}))" for of in ("bad", "good|bad"))
        return f"({bad})\n/\n({total})\n"
    queries = {side: query.replace(PLACE, window) for side, query in slo.queries.items()}
    if slo.source.lower() != PROMETHEUS or not queries:
        raise DataError(f"{slo.place}: SLO {slo.name} reads {slo.source}, not Prometheus")
    if "raw" in queries:
        share = f"({queries['raw'].strip()})"
        return share if slo.raw_type == "failure" else f"1 - {share}"
    if "bad" in queries:
        return f"({queries['bad']})\n/\n({queries['total']})\n"
    return f"1 - (({queries['good']})\n/\n({queries['total']}))\n"


def _meta_rules(slo: Slo, objective: Objective, identity: dict[str, str]) -> list[dict[str, Any]]:
    period = short_text(slo.window.span.fixed_ns)
    shortest = short_text(min(rule.short_ns for rule in slo.rules))
    chosen = _selector(identity)
    joined = "/ on(slo_id, slo_name, slo_service) group_left\n"
    budget = f"slo:error_budget:ratio{chosen}\n"
    expressions = [
        ("slo:objective:ratio", f"vector({_plain(objective.target)})"),
        ("slo:error_budget:ratio", f"vector({_plain(objective.budget)})"),
        ("slo:time_period:days", f"vector({_plain(Fraction(slo.window.span.fixed_ns, DAY_NS))})"),
        (
            "slo:current_burn_rate:ratio",
            f"slo:sli_error:ratio_rate{shortest}{chosen}\n{joined}{budget}",
        ),
        (
            "slo:period_burn_rate:ratio",
            f"slo:sli_error:ratio_rate{period}{chosen}\n{joined}{budget}",
        ),
        (
            "slo:period_error_budget_remaining:ratio",
            f"1 - slo:period_burn_rate:ratio{chosen}",
        ),
    ]
    labels = {**_labels(slo.labels), **identity}
    found = [{"record": name, "expr": expr, "labels": labels} for name, expr in expressions]
    about = {**labels, "slo_objective": _plain(objective.target * 100), "slo_source": slo.source}
    return [*found, {"record": "retrospan_slo_info", "expr": "vector(1)", "labels": about}]


def _alert_rules(slo: Slo, objective: Objective, identity: dict[str, str]) -> list[dict[str, Any]]:
    """One alert for each severity: any of its pairs of windows burns."""
    severities = list(dict.fromkeys(rule.severity for rule in slo.rules))
    found = []
    for severity in severities:
        mine = [rule for rule in slo.rules if rule.severity == severity]
        first = mine[0]
        title = (
            f"({severity}) {{{{$labels.slo_service}}}} {{{{$labels.slo_name}}}} "
            "SLO error budget burn rate is too fast."
        )
        found.append(
            {
                "alert": first.alert or f"{slo.name}-burns",
                "expr": "or\n".join(_pair(rule, objective, identity) for rule in mine),
                "labels": {
                    "severity": severity,
                    **_labels(first.labels),
                    "slo_severity": severity,
                },
                "annotations": {
                    "summary": slo.description or slo.title,
                    **first.annotations,
                    "title": title,
                },
            }
        )
    return found


def _pair(rule: BurnRule, objective: Objective, identity: dict[str, str]) -> str:
    chosen = _selector(identity)
    limit = f"({_plain(rule.threshold)} * {_plain(objective.budget)})"
    short, long = (
        f"    max(slo:sli_error:ratio_rate{short_text(length)}{chosen} > {limit})"
        " without (slo_window)\n"
        for length in (rule.short_ns, rule.long_ns)
    )
    return f"(\n{short}    and\n{long})\n"


def _selector(identity: dict[str, str]) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in identity.items())
    return "{" + inner + "}"


def _labels(given: Mapping[str, str]) -> dict[str, str]:
    """Under names that Prometheus allows: `pyrra.dev/team` becomes `pyrra_dev_team`."""
    return {re.sub(r"[^A-Za-z0-9_]|^(?=[0-9])", "_", name): it for name, it in given.items()}


def _plain(value: Fraction) -> str:
    """A number without an exponent, exact to 18 digits."""
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    text = format(round(decimal, 18), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
