"""Scores of services and of the teams that own them against a convention file."""

from collections.abc import Mapping
from fractions import Fraction

from analyzer.conformance.report import Answer, Report, Rows, span_evidence, verdict_of
from analyzer.conformance.settings import ConformanceSettings
from store.model import JsonValue

COLUMNS = ("owner", "service", "score", "rules", "spans", "worst_rule", "worst_rule_share")
EVERY_SERVICE = "all"


def _judge(answers: Mapping[str, Rows], settings: ConformanceSettings) -> Answer:
    least = settings.convention_share_min
    kept: dict[str, list[tuple[Fraction, str, int]]] = {}
    for rule in settings.conventions:
        for row in answers[rule.name]:
            part = Fraction(row["fitting"], row["spans"])
            kept.setdefault(row["service"], []).append((part, rule.name, row["spans"]))
    short = [
        row
        for rule in settings.conventions
        for row in answers[rule.name]
        if least is not None and row["fitting"] < Fraction(str(least)) * row["spans"]
    ]
    rows = [
        _scored(settings.owner_of(service), service, parts)
        for service, parts in sorted(kept.items())
    ]
    teams = sorted({settings.owner_of(service) for service in kept} - {""})
    totals = [
        _scored(
            team,
            EVERY_SERVICE,
            [
                part
                for service in sorted(kept)
                if settings.owner_of(service) == team
                for part in kept[service]
            ],
        )
        for team in teams
    ]
    checked = sum(len(parts) for parts in kept.values())
    declared = bool(settings.conventions) and least is not None
    said = (
        "no convention file is declared"
        if not settings.conventions
        else f"{len(settings.conventions)} rules at {len(kept)} services"
        + ("" if least is None else f"; {len(short)} of {checked} are kept too rarely")
    )
    return Answer(
        verdict=verdict_of(declared=declared, checked=checked, violations=len(short), unknown=0),
        message=said,
        declared=declared,
        checked=checked,
        unknown=0,
        columns=COLUMNS,
        rows=[*totals, *rows],
        evidence=span_evidence(short),
    )


def _scored(
    owner: str, service: str, parts: list[tuple[Fraction, str, int]]
) -> dict[str, JsonValue]:
    """The mean share over the rules that apply, and the rule that is kept least."""
    worst, rule, _ = min(parts)
    return {
        "owner": owner or None,
        "service": service,
        "score": round(float(sum((part for part, _, _ in parts), Fraction(0)) / len(parts)), 6),
        "rules": len({name for _, name, _ in parts}),
        "spans": max(spans for _, _, spans in parts) if service != EVERY_SERVICE else None,
        "worst_rule": rule if worst < 1 else None,
        "worst_rule_share": round(float(worst), 6),
    }


def _pointer(attribute: str) -> str:
    return "/" + attribute.replace("~", "~0").replace("/", "~1")


REPORT = Report(
    name="conventions",
    title="Conventions of the organisation",
    asks=lambda settings: {
        rule.name: (
            "conventions",
            {
                "pointer": _pointer(rule.attribute),
                "on_resource": rule.on == "resource",
                "kind": rule.kind,
                "pattern": rule.pattern,
            },
        )
        for rule in settings.conventions
    },
    judge=_judge,
)
