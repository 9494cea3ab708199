"""The objects of OpenSLO files: kind, name, place, and who refers to whom.

A file may hold several documents or a list. References are looked up among all files given. What
the specification does not know is refused with file and line.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from analyzer.slo.duration import Span, parse_duration
from analyzer.yaml_lines import Located, documents, text_of, value_of
from store.errors import DataError

V1, V2 = "openslo/v1", "openslo.com/v2alpha"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One object of a file: where it stands and where its spec begins inside the document."""

    kind: str
    name: str
    located: Located
    place: tuple[str | int, ...]

    def value(self, *steps: str | int) -> Any:
        return value_of(self.located.value, *self.place, *steps)

    def refuse(self, reason: str, *steps: str | int) -> DataError:
        return DataError(f"{self.located.at(*self.place, *steps)}: {self.kind} {self.name}{reason}")


Objects: TypeAlias = Mapping[tuple[str, str], Object]


def read_objects(paths: Iterable[Path]) -> Objects:
    """All objects of these files and folders; raises DataError naming file, line and reason."""
    objects: dict[tuple[str, str], Object] = {}
    for path in _files(paths):
        for located in documents(path):
            found = object_in(located)
            if (earlier := objects.get((found.kind, found.name))) is not None:
                raise found.refuse(f" is also in {earlier.located.at()}")
            objects[found.kind, found.name] = found
    return objects


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


def object_in(located: Located, place: tuple[str | int, ...] = ()) -> Object:
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
    found = Object(kind=kind, name=name, located=located, place=place)
    if not _NAME.fullmatch(name):
        raise found.refuse(
            ": a name has small letters, digits and -, at most 63", "metadata", "name"
        )
    only(found, document, {"apiVersion", "kind", "metadata", "spec"})
    only(found, document["metadata"], _METADATA, "metadata")
    only(found, document.get("spec") or {}, _FIELDS[kind], "spec")
    return found


def only(found: Object, given: object, allowed: set[str], *place: str | int) -> None:
    if not isinstance(given, Mapping):
        raise found.refuse(f": {'.'.join(map(str, place))} must be a mapping", *place)
    for key in given:
        if key not in allowed:
            known = ", ".join(sorted(allowed))
            raise found.refuse(f" may not have {key}; there are {known}", *place, key)


def duration_of(found: Object, *place: str | int) -> Span:
    try:
        return parse_duration(found.value(*place))
    except ValueError as error:
        raise found.refuse(f": {error}", *place) from None


def inline_or_named(
    found: Object,
    objects: Objects,
    kind: str,
    inline: Sequence[str],
    references: Sequence[str],
) -> Object:
    for key in inline:
        if found.value("spec", key) is not None:
            name = found.value("spec", key, "metadata", "name") or found.name
            place = (*found.place, "spec", key)
            inner = Object(kind=kind, name=str(name), located=found.located, place=place)
            only(inner, inner.value("spec") or {}, _FIELDS[kind], "spec")
            return inner
    for key in references:
        if (name := found.value("spec", key)) is not None:
            return _named(found, objects, kind, name, "spec", key)
    raise found.refuse(f" has no {' or '.join([*inline, *references])}", "spec")


def _named(
    found: Object,
    objects: Objects,
    kind: str,
    name: object,
    *place: str | int,
) -> Object:
    there = objects.get((kind, str(name)))
    if there is None:
        known = ", ".join(sorted(other for of, other in objects if of == kind)) or "none"
        raise found.refuse(f": {kind} {name!r} is in no file given; there are {known}", *place)
    return there


def member(
    found: Object,
    objects: Objects,
    kind: str,
    reference: str,
    entry: object,
    place: tuple[str | int, ...],
) -> Object:
    name = entry if isinstance(entry, str) else value_of(entry, reference)
    if name is not None:
        return _named(found, objects, kind, name, *place)
    return object_in(found.located, (*found.place, *place))


def texts(given: object) -> dict[str, str]:
    entries = given.items() if isinstance(given, Mapping) else ()
    return {str(key): str(value) for key, value in sorted(entries)}
