"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schema 2020-12, by direction.

What is not checked is dropped, so a dropped keyword can never accuse: formats (annotations, JSON
Schema 2020-12 section 7.2.1), patterns the linear-time engine does not have, `patternProperties`
with what depends on it, discriminators.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import polars

from analyzer.contracts.references import Place
from store.model import JsonValue

Direction = Literal["request", "response"]

PATTERN_CHARACTERS_MAX: Final = 1_000
_PLAIN: Final = (
    "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "maxItems", "minItems", "uniqueItems",
    "maxContains", "minContains", "maxProperties", "minProperties", "required",
    "dependentRequired",
)  # fmt: skip
_ONE: Final = (
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "dependentSchemas")
_UNREAD: Final = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef")
_ELSEWHERE: Final = {"request": "readOnly", "response": "writeOnly"}
_NUMBERS: Final = (
    "multipleOf", "maximum", "minimum", "maxLength", "minLength", "maxItems", "minItems",
    "maxProperties", "minProperties", "maxContains", "minContains",
)  # fmt: skip
TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def translated(place: Place, is_30: bool, direction: Direction) -> "dict[str, Any] | bool":
    """The schema at a place; each `$ref` in it is the `Place` it leads to."""
    schema = place.value
    if isinstance(schema, bool) and not is_30:
        return schema
    if not isinstance(schema, dict):
        raise place.fault("a schema must be a map")
    for name in _UNREAD:
        if name in schema:
            raise place.fault(f"{name} is not read")
    if is_30 and "$ref" in schema:
        return {"$ref": place.target(schema["$ref"])}
    _check(place, schema, is_30)
    found = _kept(place, schema, is_30, direction)
    if "required" in found and "properties" in schema:
        found["required"] = [
            name for name in found["required"] if not _is_elsewhere(place, name, direction)
        ]
    if is_30:
        found = _as_2020(found, schema)
    return found


def _kept(
    place: Place, schema: Mapping[str, JsonValue], is_30: bool, direction: Direction
) -> dict[str, Any]:
    found: dict[str, Any] = {name: schema[name] for name in _PLAIN if name in schema}
    for name in _ONE:
        if name in schema and not (is_30 and isinstance(schema[name], bool)):
            found[name] = translated(place.at(name), is_30, direction)
        elif name in schema:
            found[name] = schema[name]
    for name in _LISTS:
        if name in schema:
            found[name] = [translated(item, is_30, direction) for item in place.at(name).items()]
    for name in _MAPS:
        if name in schema:
            found[name] = {
                key: translated(entry, is_30, direction) for key, entry in place.at(name).entries()
            }
    if "$ref" in schema:
        found["$ref"] = place.target(schema["$ref"])
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and is_checkable(pattern):
        found["pattern"] = pattern
    if "patternProperties" in schema:
        for name in ("additionalProperties", "unevaluatedProperties"):
            found.pop(name, None)
    return found


def _check(place: Place, schema: Mapping[str, JsonValue], is_30: bool) -> None:
    """Refuse shapes a validator would stumble over, with their place."""
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) and not is_30 else [] if kind is None else [kind]
    for one in kinds:
        if not isinstance(one, str) or one not in TYPES:
            raise place.at("type").fault(
                f"no type {one!r:.40}; there are {', '.join(sorted(TYPES))}"
            )
    if "enum" in schema and not isinstance(schema["enum"], list):
        raise place.at("enum").fault("must be a list")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise place.at("required").fault("must be a list of names")
    for name in _NUMBERS:
        number = schema.get(name, 1)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise place.at(name).fault("must be a number")
    if schema.get("multipleOf", 1) == 0:
        raise place.at("multipleOf").fault("must not be 0")
    for name in ("exclusiveMinimum", "exclusiveMaximum"):
        bound = schema.get(name)
        if bound is not None and (
            isinstance(bound, bool) != is_30 or not isinstance(bound, int | float)
        ):
            raise place.at(name).fault(
                "must be true or false in OpenAPI 3.0"
                if is_30
                else "must be a number in OpenAPI 3.1"
            )


def _is_elsewhere(place: Place, name: str, direction: Direction) -> bool:
    """Whether a property is read-only in a request, or write-only in a response."""
    entry = place.at("properties").at(name)
    if not isinstance(entry.value, dict):
        return False
    mark = _ELSEWHERE[direction]
    if entry.value.get(mark) is True:
        return True
    target = entry.followed().value
    return isinstance(target, dict) and target.get(mark) is True


def _as_2020(found: dict[str, Any], schema: Mapping[str, JsonValue]) -> dict[str, Any]:
    """OpenAPI 3.0's own keywords in the words of 2020-12. `nullable` is read generously."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if found.pop(exclusive, False) is True and bound in found:
            found[exclusive] = found.pop(bound)
    if schema.get("nullable") is not True:
        return found
    if set(found) <= {"type", *_MAPS, "items", "required", "additionalProperties"}:
        if isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
        return found
    return {"anyOf": [found, {"type": "null"}]}


@lru_cache(maxsize=4_096)
def is_checkable(pattern: str) -> bool:
    """Whether the linear-time regular expression engine can run the pattern."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        return False
    try:
        polars.Series([""]).str.contains(pattern)
    except polars.exceptions.ComputeError:
        return False
    return True
