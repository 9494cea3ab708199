"""One recorded body held against its schema."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from analyzer.contracts.references import Place
from analyzer.contracts.schemas import Direction, translated
from store.errors import DataError
from store.model import JsonValue

REFERENCES_MAX: Final = 20_000
"""References followed for one body; a schema that asks for more is not decided."""
FAULTS_MAX: Final = 20
DEFINITIONS_MAX: Final = 20_000
MESSAGE_CHARACTERS_MAX: Final = 200
UNIQUE_ITEMS_MAX: Final = 1_000
REDACTED: Final = "[redacted:"
"""How a value begins that stands for a secret: it is not what was sent."""
_BY_NAME: Final = frozenset({"required", "additionalProperties", "dependentRequired"})
_URI: Final = "urn:retrospan:api"
_NO_FORMATS: Final = FormatChecker(formats=[])
"""A pattern need not be one of Python's."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Where in the body (`items[].sku`), which keyword, and in words what was expected."""

    path: str
    keyword: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a body broke; `doubt` says why it could not be judged, "" when it was."""

    faults: Sequence[Fault] = ()
    doubt: str = ""


class _TooMuchError(Exception):
    """The schema asks for more work than one body is worth."""


class Validator:
    """All schemas of one file, compiled when first used."""

    def __init__(self, is_30: bool) -> None:
        self._is_30 = is_30
        self._names: dict[tuple[str, Direction], str] = {}
        self._definitions: dict[str, Any] = {}
        self._ready: dict[str, Any] = {}
        self._followed = 0
        extend: Any = validators.extend
        self._kind = extend(
            Draft202012Validator,
            {"$ref": self._reference, "pattern": _pattern, "uniqueItems": _unique},
        )

    def judge(self, schema: Place, direction: Direction, body: JsonValue) -> Judged:
        """What the body breaks, in a stable order. DataError when the schema cannot be read."""
        validator = self._validator(schema, direction)
        self._followed = 0
        faults: set[Fault] = set()
        hidden = False
        try:
            for error in validator.iter_errors(body):
                if _is_hidden(error):
                    hidden = True
                elif len(faults) < FAULTS_MAX:
                    faults.add(_fault(error))
        except (_TooMuchError, RecursionError):
            return Judged(doubt="the schema goes round too often to be decided")
        if hidden and not faults:
            return Judged(doubt="a value was redacted")
        return Judged(faults=tuple(sorted(faults)))

    def _validator(self, schema: Place, direction: Direction) -> Any:
        name = self._named(schema, direction)
        if name not in self._ready:
            resource = Resource.from_contents(
                {"$defs": self._definitions}, default_specification=DRAFT202012
            )
            registry: Registry[Any] = Registry().with_resource(_URI, resource)
            self._ready = {}  # definitions may have grown since the others were made
            self._ready[name] = self._kind({"$ref": f"{_URI}#/$defs/{name}"}, registry=registry)
        return self._ready[name]

    def _named(self, schema: Place, direction: Direction) -> str:
        """The definition of a schema, with all it leads to."""
        waiting = [schema]
        while waiting:
            place = waiting.pop()
            if (place.pointer, direction) in self._names and self._known(place, direction):
                continue
            name = self._name(place, direction)
            linked = self._linked(translated(place, self._is_30, direction), direction, waiting)
            try:
                Draft202012Validator.check_schema(linked, format_checker=_NO_FORMATS)
            except SchemaError as error:
                raise place.fault(f"no schema: {error.message:.150}") from error
            self._definitions[name] = linked
        return self._names[schema.pointer, direction]

    def _known(self, place: Place, direction: Direction) -> bool:
        return self._names[place.pointer, direction] in self._definitions

    def _name(self, place: Place, direction: Direction) -> str:
        key = (place.pointer, direction)
        if key not in self._names:
            if len(self._names) >= DEFINITIONS_MAX:
                raise DataError(f"{place.source}: more than {DEFINITIONS_MAX:,} schemas")
            self._names[key] = f"s{len(self._names)}"
        return self._names[key]

    def _linked(self, schema: Any, direction: Direction, waiting: list[Place]) -> Any:
        if isinstance(schema, Place):
            waiting.append(schema)
            return f"{_URI}#/$defs/{self._name(schema, direction)}"
        if isinstance(schema, dict):
            return {
                key: entry if key in ("enum", "const") else self._linked(entry, direction, waiting)
                for key, entry in schema.items()
            }
        if isinstance(schema, list):
            return [self._linked(item, direction, waiting) for item in schema]
        return schema

    def _reference(
        self, validator: Any, reference: str, instance: object, schema: object
    ) -> Iterator[ValidationError]:
        del schema
        self._followed += 1
        if self._followed > REFERENCES_MAX:
            raise _TooMuchError
        yield from validator._validate_reference(ref=reference, instance=instance)


def _pattern(
    validator: Any, pattern: str, instance: object, schema: object
) -> Iterator[ValidationError]:
    """Linear-time matching: the pattern and the text are both from outside."""
    del schema
    if validator.is_type(instance, "string") and not (
        polars.Series([instance]).str.contains(pattern).item()
    ):
        yield ValidationError("does not match the pattern")


def _unique(
    validator: Any, unique: bool, instance: Any, schema: object
) -> Iterator[ValidationError]:
    """Up to a length: comparing every item with every other has no bound."""
    if validator.is_type(instance, "array") and len(instance) <= UNIQUE_ITEMS_MAX:
        yield from Draft202012Validator.VALIDATORS["uniqueItems"](
            validator, unique, instance, schema
        )


def _is_hidden(error: ValidationError) -> bool:
    if error.validator in _BY_NAME:
        return REDACTED in error.message
    return _has_token(error.instance)


def _has_token(value: object) -> bool:
    if isinstance(value, str):
        return REDACTED in value
    if isinstance(value, dict):
        return any(map(_has_token, value)) or any(map(_has_token, value.values()))
    return isinstance(value, list) and any(map(_has_token, value))


def _fault(error: ValidationError) -> Fault:
    path = ""
    for part in error.absolute_path:
        path += "[]" if isinstance(part, int) else f".{part}" if path else str(part)
    keyword = str(error.validator)
    return Fault(path or "(the body)", keyword, _worded(error, keyword)[:MESSAGE_CHARACTERS_MAX])


def _worded(error: ValidationError, keyword: str) -> str:
    wanted: Any = error.validator_value
    if keyword == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return f"is {_kind_of(error.instance)}, not {' or '.join(map(str, kinds))}"
    if keyword == "required":
        return f"lacks {error.message.removesuffix(' is a required property')}"
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return f"has a property the schema does not allow: {error.message.partition('(')[2][:80]}"
    if keyword in ("anyOf", "oneOf"):
        many = "valid under each of" in error.message
        return f"fits {'more than one' if many else 'none'} of {len(wanted)} alternatives"
    if keyword == "enum":
        return f"is none of the {len(wanted)} values listed"
    if keyword == "pattern":
        return f"does not match the pattern {wanted!s:.80}"
    return (
        f"breaks {keyword}: {wanted!s:.80}"
        if not isinstance(wanted, dict | list)
        else (f"breaks {keyword}")
    )


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
