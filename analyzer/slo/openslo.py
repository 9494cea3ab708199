"""OpenSLO files (v1, and v2alpha's other names) as SLOs over flows.

A file may hold several documents or a list. References are looked up among all files given. What
the specification does not know is refused with file and line; so is what it forbids.
Metric source `retrospan`: `spec.predicate` is CEL over the facts of a flow (`retrospan slo facts`);
for a threshold metric `spec.fact` names the number that `op` and `value` judge, and
`spec.predicate` which flows count.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analyzer.expression import Expression, compiled
from analyzer.facts import FACTS
from analyzer.slo.duration import Span, parse_duration
from analyzer.slo.model import BurnRule, Method, Objective, Slo, Window, workbook_rules
from analyzer.yaml_lines import Located, documents, text_of, value_of
from store.errors import DataError, UsageError

V1, V2 = "openslo/v1", "openslo.com/v2alpha"
SOURCE = "retrospan"
SHORT_PART = 12
"""The short window is a twelfth of the long one (SRE workbook, chapter 5)."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_LIMIT = re.compile(r"duration_ms <=? (\d{1,12}(?:\.\d{1,9})?)")
_METADATA = {"name", "displayName", "labels", "annotations"}
_FIELDS: Mapping[str, set[str]] = {
    "SLO": {
        "description", "service", "indicator", "indicatorRef", "sli", "sliRef", "timeWindow",
        "budgetingMethod", "objectives", "alertPolicies",
    },
    "SLI": {"description", "thresholdMetric", "ratioMetric"},
    "DataSource": {"description", "type", "connectionDetails"},
    "Service": {"description"},
    "AlertPolicy": {
        "description", "alertWhenBreaching", "alertWhenResolved", "alertWhenNoData", "conditions",
        "notificationTargets",
    },
    "AlertCondition": {"description", "severity", "condition"},
    "AlertNotificationTarget": {"description", "target"},
}  # fmt: skip
_OBJECTIVE = {
    "displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow",
    "compositeWeight", "indicator", "indicatorRef",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """One object of a file: where it stands and where its spec begins inside the document."""

    kind: str
    name: str
    located: Located
    place: tuple[str | int, ...]

    def value(self, *steps: str | int) -> Any:
        return value_of(self.located.value, *self.place, *steps)

    def refuse(self, reason: str, *steps: str | int) -> DataError:
        return DataError(f"{self.located.at(*self.place, *steps)}: {self.kind} {self.name}{reason}")


def read_slos(paths: Iterable[Path]) -> tuple[Slo, ...]:
    """All SLOs of these files and folders, by name.

    Raises DataError naming file, line and reason; one that is only another tool's metric source is
    no error: it is read and says so.
    """
    objects: dict[tuple[str, str], _Object] = {}
    for path in _files(paths):
        for located in documents(path):
            found = _object(located)
            if (earlier := objects.get((found.kind, found.name))) is not None:
                raise found.refuse(f" is also in {earlier.located.at()}")
            objects[found.kind, found.name] = found
    return tuple(
        _slo(found, objects) for (kind, _), found in sorted(objects.items()) if kind == "SLO"
    )


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                entry
                for entry in path.rglob("*")
                if entry.suffix in {".yaml", ".yml"} and entry.is_file()
            )
        else:
            yield path


def _object(located: Located, place: tuple[str | int, ...] = ()) -> _Object:
    """An object with kind, metadata and spec; its fields are the specification's."""
    document = value_of(located.value, *place)
    if not isinstance(document, Mapping):
        raise DataError(f"{located.at(*place)}: an object has apiVersion, kind, metadata and spec")
    if not place and document.get("apiVersion") not in {V1, V2}:
        raise DataError(
            f"{located.at('apiVersion')}: apiVersion {document.get('apiVersion')!r} is not read; "
            f"there are {V1} and {V2}"
        )
    kind = text_of(located, *place, "kind")
    if kind not in _FIELDS:
        raise DataError(
            f"{located.at(*place, 'kind')}: kind {kind!r}; there are {', '.join(sorted(_FIELDS))}"
        )
    name = text_of(located, *place, "metadata", "name")
    found = _Object(kind=kind, name=name, located=located, place=place)
    if not _NAME.fullmatch(name):
        raise found.refuse(
            ": a name has small letters, digits and -, at most 63", "metadata", "name"
        )
    _only(found, document, {"apiVersion", "kind", "metadata", "spec"})
    _only(found, document["metadata"], _METADATA, "metadata")
    _only(found, document.get("spec") or {}, _FIELDS[kind], "spec")
    return found


def _only(found: _Object, given: object, allowed: set[str], *place: str | int) -> None:
    if not isinstance(given, Mapping):
        raise found.refuse(f": {'.'.join(map(str, place))} must be a mapping", *place)
    for key in given:
        if key not in allowed:
            known = ", ".join(sorted(allowed))
            raise found.refuse(f" may not have {key}; there are {known}", *place, key)


def _slo(found: _Object, objects: Mapping[tuple[str, str], _Object]) -> Slo:
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
    sli = _inline_or_named(found, objects, "SLI", ("indicator", "sli"), ("indicatorRef", "sliRef"))
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
        labels=_texts(found.value("metadata", "labels")),
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


def _queries(sli: _Object) -> dict[str, str]:
    """The queries of another tool's metric source, by side."""
    found = {}
    for side in ("good", "bad", "total", "raw"):
        for inner in (("metricSource",), ()):
            query = sli.value("spec", "ratioMetric", side, *inner, "spec", "query")
            if isinstance(query, str):
                found[side] = query
    return found


def _window(found: _Object) -> Window:
    windows = found.value("spec", "timeWindow")
    if not isinstance(windows, list) or len(windows) != 1:
        raise found.refuse(" must have exactly one timeWindow", "spec", "timeWindow")
    place = ("spec", "timeWindow", 0)
    _only(found, windows[0], {"duration", "isRolling", "calendar"}, *place)
    span = _duration(found, *place, "duration")
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


def _duration(found: _Object, *place: str | int) -> Span:
    try:
        return parse_duration(found.value(*place))
    except ValueError as error:
        raise found.refuse(f": {error}", *place) from None


def _objective(found: _Object, method: Method, at: int) -> Objective:
    place = ("spec", "objectives", at)
    entry = found.value(*place)
    _only(found, entry, _OBJECTIVE, *place)
    target, percent = entry.get("target"), entry.get("targetPercent")
    if (target is None) == (percent is None):
        raise found.refuse(" needs target or targetPercent, one of them", *place)
    given = "target" if percent is None else "targetPercent"
    whole = 1 if percent is None else 100
    share = _share(found, entry[given], whole, *place, given)
    slice_ns = slice_target = None
    if method is not Method.OCCURRENCES:
        slice_ns = _duration(found, *place, "timeSliceWindow").fixed_ns
    if method is Method.TIMESLICES:
        slice_target = _share(found, entry.get("timeSliceTarget"), 1, *place, "timeSliceTarget")
    return Objective(
        name=str(entry.get("displayName") or f"objective {at + 1}"),
        target=share,
        slice_ns=slice_ns,
        slice_target=slice_target,
    )


def _share(found: _Object, given: object, whole: int, *place: str | int) -> Fraction:
    """A share in [0, 1), exactly as written; a time slice may ask for all of 1."""
    top = place[-1] == "timeSliceTarget"
    number = isinstance(given, int | float) and not isinstance(given, bool)
    share = Fraction(Decimal(str(given))) / whole if number else Fraction(-1)
    if not 0 <= share <= 1 or (share == 1 and not top):
        raise found.refuse(f": {place[-1]} {given!r} is not in [0, {whole})", *place)
    return share


def _indicator(
    found: _Object, sli: _Object, objects: Mapping[tuple[str, str], _Object]
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
    found: _Object, sli: _Object, objects: Mapping[tuple[str, str], _Object]
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


def _source(
    sli: _Object, objects: Mapping[tuple[str, str], _Object], *steps: str
) -> tuple[str, tuple[str | int, ...]]:
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


def _predicate(sli: _Object, place: Sequence[str | int], *, required: bool) -> str:
    text = sli.value(*place, "predicate")
    if text is None and not required:
        return "true"
    return text_of(sli.located, *sli.place, *place, "predicate")


def _expression(sli: _Object, text: str, *place: str | int) -> Expression:
    try:
        return compiled(text, FACTS, "predicate")
    except UsageError as error:
        raise DataError(f"{sli.located.at(*sli.place, *place, 'predicate')}: {error}") from None


def _inline_or_named(
    found: _Object,
    objects: Mapping[tuple[str, str], _Object],
    kind: str,
    inline: Sequence[str],
    references: Sequence[str],
) -> _Object:
    for key in inline:
        if found.value("spec", key) is not None:
            name = found.value("spec", key, "metadata", "name") or found.name
            place = (*found.place, "spec", key)
            inner = _Object(kind=kind, name=str(name), located=found.located, place=place)
            _only(inner, inner.value("spec") or {}, _FIELDS[kind], "spec")
            return inner
    for key in references:
        if (name := found.value("spec", key)) is not None:
            return _named(found, objects, kind, name, "spec", key)
    raise found.refuse(f" has no {' or '.join([*inline, *references])}", "spec")


def _named(
    found: _Object,
    objects: Mapping[tuple[str, str], _Object],
    kind: str,
    name: object,
    *place: str | int,
) -> _Object:
    there = objects.get((kind, str(name)))
    if there is None:
        known = ", ".join(sorted(other for of, other in objects if of == kind)) or "none"
        raise found.refuse(f": {kind} {name!r} is in no file given; there are {known}", *place)
    return there


def _rules(found: _Object, objects: Mapping[tuple[str, str], _Object]) -> tuple[BurnRule, ...]:
    """The burn-rate alerts of its policies; none when it names none."""
    rules = []
    for at, entry in enumerate(found.value("spec", "alertPolicies") or ()):
        place: tuple[str | int, ...] = ("spec", "alertPolicies", at)
        policy = _member(found, objects, "AlertPolicy", "alertPolicyRef", entry, place)
        for number, inner in enumerate(policy.value("spec", "conditions") or ()):
            steps: tuple[str | int, ...] = ("spec", "conditions", number)
            condition = _member(policy, objects, "AlertCondition", "conditionRef", inner, steps)
            rules.append(_rule(condition, policy))
    return tuple(rules)


def _member(
    found: _Object,
    objects: Mapping[tuple[str, str], _Object],
    kind: str,
    reference: str,
    entry: object,
    place: tuple[str | int, ...],
) -> _Object:
    name = entry if isinstance(entry, str) else value_of(entry, reference)
    if name is not None:
        return _named(found, objects, kind, name, *place)
    return _object(found.located, (*found.place, *place))


def _rule(condition: _Object, policy: _Object) -> BurnRule:
    """A v1 condition has one window: the workbook's short one is a twelfth of it."""
    place = ("spec", "condition")
    if condition.value(*place, "kind") != "burnrate":
        raise condition.refuse(": only kind burnrate is in the specification", *place, "kind")
    threshold = condition.value(*place, "threshold")
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or threshold <= 0:
        raise condition.refuse(f": threshold {threshold!r} must be above 0", *place, "threshold")
    long_ns = _duration(condition, *place, "lookbackWindow").fixed_ns
    return BurnRule(
        severity=str(condition.value("spec", "severity") or "page"),
        threshold=Fraction(Decimal(str(threshold))),
        long_ns=long_ns,
        short_ns=max(1, long_ns // SHORT_PART),
        runbook=str(policy.value("metadata", "annotations", "runbook_url") or ""),
        alert=str(policy.value("metadata", "displayName") or policy.name),
        labels=_texts(policy.value("metadata", "labels")),
        annotations=_texts(policy.value("metadata", "annotations")),
    )


def _texts(given: object) -> dict[str, str]:
    entries = given.items() if isinstance(given, Mapping) else ()
    return {str(key): str(value) for key, value in sorted(entries)}
