"""OpenSLO files (v1, and v2alpha's other names) as SLOs over flows.

A file may hold several documents or a list. References are looked up among all files given. What
the specification does not know is refused with file and line; so is what it forbids.
Metric source `retrospan`: `spec.predicate` is CEL over the facts of a flow (`retrospan slo facts`);
for a threshold metric `spec.fact` names the number that `op` and `value` judge, and
`spec.predicate` which flows count.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analyzer.expression import Expression, compiled
from analyzer.facts import FACTS
from analyzer.slo.model import BurnRule, Method, Objective, Slo, Window, workbook_rules
from analyzer.slo.openslo_objects import (
    Object,
    Objects,
    duration_of,
    inline_or_named,
    member,
    only,
    read_objects,
    texts,
)
from analyzer.yaml_lines import text_of
from store.errors import DataError, UsageError

SOURCE = "retrospan"
SHORT_PART = 12
"""The short window is a twelfth of the long one (SRE workbook, chapter 5)."""
_OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_LIMIT = re.compile(r"duration_ms <=? (\d{1,12}(?:\.\d{1,9})?)")
_OBJECTIVE = {
    "displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow",
    "compositeWeight", "indicator", "indicatorRef",
}  # fmt: skip


def read_slos(paths: Iterable[Path]) -> tuple[Slo, ...]:
    """All SLOs of these files and folders, by name.

    Raises DataError naming file, line and reason; one that is only another tool's metric source is
    no error: it is read and says so.
    """
    objects = read_objects(paths)
    return tuple(
        _slo(found, objects) for (kind, _), found in sorted(objects.items()) if kind == "SLO"
    )


def _slo(found: Object, objects: Objects) -> Slo:
    method = found.value("spec", "budgetingMethod")
    if method not in list(Method):
        raise found.refuse(
            f": budgetingMethod {method!r}; there are {', '.join(Method)}",
            "spec",
            "budgetingMethod",
        )
    window = _window(found)
    entries = found.value("spec", "objectives")
    if not isinstance(entries, list) or not entries:
        raise found.refuse(" has no objectives", "spec", "objectives")
    objectives = tuple(_objective(found, Method(method), at) for at in range(len(entries)))
    sli = inline_or_named(found, objects, "SLI", ("indicator", "sli"), ("indicatorRef", "sliRef"))
    source, good, valid = _indicator(found, sli, objects)
    return Slo(
        name=found.name,
        title=found.value("metadata", "displayName") or found.name,
        service=text_of(found.located, "spec", "service"),
        description=found.value("spec", "description") or "",
        place=found.located.at(),
        source=source,
        method=Method(method),
        window=window,
        objectives=objectives,
        rules=_rules(found, objects) or workbook_rules(window.span.fixed_ns),
        labels=texts(found.value("metadata", "labels")),
        good=good,
        valid=valid,
        queries=_queries(sli),
        raw_type=sli.value("spec", "ratioMetric", "rawType") or "",
        limit_ns=_limit_ns(good),
    )


def _limit_ns(good: Expression | None) -> int | None:
    """The limit that `_threshold` wrote down for durations."""
    shape = _LIMIT.fullmatch(good.text) if good is not None else None
    return None if shape is None else int(Decimal(shape[1]) * 1_000_000)


def _queries(sli: Object) -> dict[str, str]:
    """The queries of another tool's metric source, by side."""
    found = {}
    for side in ("good", "bad", "total", "raw"):
        for inner in (("metricSource",), ()):
            query = sli.value("spec", "ratioMetric", side, *inner, "spec", "query")
            if isinstance(query, str):
                found[side] = query
    return found


def _window(found: Object) -> Window:
    windows = found.value("spec", "timeWindow")
    if not isinstance(windows, list) or len(windows) != 1:
        raise found.refuse(" must have exactly one timeWindow", "spec", "timeWindow")
    place = ("spec", "timeWindow", 0)
    only(found, windows[0], {"duration", "isRolling", "calendar"}, *place)
    span = duration_of(found, *place, "duration")
    rolling = found.value(*place, "isRolling")
    calendar = found.value(*place, "calendar")
    if not isinstance(rolling, bool) or rolling == (calendar is not None):
        raise found.refuse(" needs isRolling: true, or false and a calendar", *place)
    if rolling:
        if span.months:
            raise found.refuse(f": {span.text} has no fixed length to roll", *place, "duration")
        return Window(span=span)
    try:
        zone = ZoneInfo(str(found.value(*place, "calendar", "timeZone")))
        anchor = datetime.fromisoformat(str(found.value(*place, "calendar", "startTime")))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise found.refuse(f": calendar: {error}", *place, "calendar") from None
    return Window(span=span, anchor=anchor, zone=zone)


def _objective(found: Object, method: Method, at: int) -> Objective:
    place = ("spec", "objectives", at)
    entry = found.value(*place)
    only(found, entry, _OBJECTIVE, *place)
    target, percent = entry.get("target"), entry.get("targetPercent")
    if (target is None) == (percent is None):
        raise found.refuse(" needs target or targetPercent, one of them", *place)
    given = "target" if percent is None else "targetPercent"
    whole = 1 if percent is None else 100
    share = _share(found, entry[given], whole, *place, given)
    slice_ns = slice_target = None
    if method is not Method.OCCURRENCES:
        slice_ns = duration_of(found, *place, "timeSliceWindow").fixed_ns
    if method is Method.TIMESLICES:
        slice_target = _share(found, entry.get("timeSliceTarget"), 1, *place, "timeSliceTarget")
    return Objective(
        name=str(entry.get("displayName") or f"objective {at + 1}"),
        target=share,
        slice_ns=slice_ns,
        slice_target=slice_target,
    )


def _share(found: Object, given: object, whole: int, *place: str | int) -> Fraction:
    """A share in [0, 1), exactly as written; a time slice may ask for all of 1."""
    top = place[-1] == "timeSliceTarget"
    number = isinstance(given, int | float) and not isinstance(given, bool)
    share = Fraction(Decimal(str(given))) / whole if number else Fraction(-1)
    if not 0 <= share <= 1 or (share == 1 and not top):
        raise found.refuse(f": {place[-1]} {given!r} is not in [0, {whole})", *place)
    return share


def _indicator(
    found: Object, sli: Object, objects: Objects
) -> tuple[str, Expression | None, Expression | None]:
    """Metric source, which flows are good, which count."""
    ratio, threshold = sli.value("spec", "ratioMetric"), sli.value("spec", "thresholdMetric")
    if (ratio is None) == (threshold is None):
        raise sli.refuse(" needs ratioMetric or thresholdMetric, one of them", "spec")
    if threshold is not None:
        return _threshold(found, sli, objects)
    if ratio.get("raw") is not None:
        return _source(sli, objects, "ratioMetric", "raw")[0], None, None
    sides = [side for side in ("good", "bad") if ratio.get(side) is not None]
    if len(sides) != 1 or ratio.get("total") is None:
        raise sli.refuse(" needs total, and good or bad", "spec", "ratioMetric")
    source, place = _source(sli, objects, "ratioMetric", sides[0])
    _, total = _source(sli, objects, "ratioMetric", "total")
    if source != SOURCE:
        return source, None, None
    text = _predicate(sli, place, required=True)
    good = f"!({text})" if sides == ["bad"] else text
    valid = _predicate(sli, total, required=False)
    return source, _expression(sli, good, *place), _expression(sli, valid, *total)


def _threshold(
    found: Object, sli: Object, objects: Objects
) -> tuple[str, Expression | None, Expression | None]:
    source, place = _source(sli, objects, "thresholdMetric")
    if source != SOURCE:
        return source, None, None
    fact = text_of(sli.located, *sli.place, *place, "fact")
    if fact not in FACTS or FACTS[fact].kind not in {"int", "double"}:
        numbers = ", ".join(name for name, it in FACTS.items() if it.kind in {"int", "double"})
        raise sli.refuse(f": fact {fact!r} is no number; there are {numbers}", *place, "fact")
    objective = found.value("spec", "objectives", 0)
    operator, value = objective.get("op"), objective.get("value")
    if operator not in _OPERATORS or not isinstance(value, int | float):
        raise found.refuse(
            " needs op and value: it has a threshold metric", "spec", "objectives", 0
        )
    good = f"{fact} {_OPERATORS[operator]} {Decimal(str(value))}"
    valid = _predicate(sli, place, required=False)
    return source, _expression(sli, good, *place), _expression(sli, valid, *place)


def _source(sli: Object, objects: Objects, *steps: str) -> tuple[str, tuple[str | int, ...]]:
    """Type of a metric source, and the path of its spec. v2alpha leaves `metricSource` out."""
    place: tuple[str | int, ...] = ("spec", *steps)
    if sli.value(*place, "metricSource") is not None:
        place = (*place, "metricSource")
    if (
        named := sli.value(*place, "metricSourceRef") or sli.value(*place, "dataSourceRef")
    ) is None:
        kind = sli.value(*place, "type")
    else:
        source = objects.get(("DataSource", str(named)))
        kind = None if source is None else source.value("spec", "type")
        kind = kind or sli.value(*place, "type") or f"data source {named}"
    if sli.value(*place, "spec") is None or not isinstance(kind, str):
        raise sli.refuse(" needs a metric source with type and spec", *place)
    return kind, (*place, "spec")


def _predicate(sli: Object, place: Sequence[str | int], *, required: bool) -> str:
    text = sli.value(*place, "predicate")
    if text is None and not required:
        return "true"
    return text_of(sli.located, *sli.place, *place, "predicate")


def _expression(sli: Object, text: str, *place: str | int) -> Expression:
    try:
        return compiled(text, FACTS, "predicate")
    except UsageError as error:
        raise DataError(f"{sli.located.at(*sli.place, *place, 'predicate')}: {error}") from None


def _rules(found: Object, objects: Objects) -> tuple[BurnRule, ...]:
    """The burn-rate alerts of its policies; none when it names none."""
    rules = []
    for at, entry in enumerate(found.value("spec", "alertPolicies") or ()):
        place: tuple[str | int, ...] = ("spec", "alertPolicies", at)
        policy = member(found, objects, "AlertPolicy", "alertPolicyRef", entry, place)
        for number, inner in enumerate(policy.value("spec", "conditions") or ()):
            steps: tuple[str | int, ...] = ("spec", "conditions", number)
            condition = member(policy, objects, "AlertCondition", "conditionRef", inner, steps)
            rules.append(_rule(condition, policy))
    return tuple(rules)


def _rule(condition: Object, policy: Object) -> BurnRule:
    """A v1 condition has one window: the workbook's short one is a twelfth of it."""
    place = ("spec", "condition")
    if condition.value(*place, "kind") != "burnrate":
        raise condition.refuse(": only kind burnrate is in the specification", *place, "kind")
    threshold = condition.value(*place, "threshold")
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or threshold <= 0:
        raise condition.refuse(f": threshold {threshold!r} must be above 0", *place, "threshold")
    long_ns = duration_of(condition, *place, "lookbackWindow").fixed_ns
    return BurnRule(
        severity=str(condition.value("spec", "severity") or "page"),
        threshold=Fraction(Decimal(str(threshold))),
        long_ns=long_ns,
        short_ns=max(1, long_ns // SHORT_PART),
        runbook=str(policy.value("metadata", "annotations", "runbook_url") or ""),
        alert=str(policy.value("metadata", "displayName") or policy.name),
        labels=texts(policy.value("metadata", "labels")),
        annotations=texts(policy.value("metadata", "annotations")),
    )
