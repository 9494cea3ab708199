"""How one schema differs from another: which values it allows more, and which fewer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from analyzer.contracts.references import Place
from analyzer.contracts.schemas import TYPES, Direction, translated
from store.errors import DataError

PAIRS_MAX: Final = 20_000
LISTED_MAX: Final = 10
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OTHER: Final = (
    "pattern", "multipleOf", "const", "uniqueItems", "not", "if", "then", "else", "contains",
    "propertyNames", "dependentRequired", "dependentSchemas", "minContains", "maxContains",
    "prefixItems", "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
ANY: Final[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """`effect` is widened (allows more), narrowed (allows less), unclear, or, of a property where
    others are allowed, added or removed; `path` is the field, `place` the JSON pointer of the old
    schema it was found under."""

    effect: str
    path: str
    place: str
    message: str


def changes_of(
    old: Place, new: Place, direction: Direction, is_30: tuple[bool, bool]
) -> list[SchemaChange]:
    """All changes between two schemas, as bodies in one direction see them."""
    return list(_Comparison(direction, is_30).compare(old, new, ""))


class _Comparison:
    def __init__(self, direction: Direction, is_30: tuple[bool, bool]) -> None:
        self._direction = direction
        self._is_30 = is_30
        self._pairs: set[tuple[str, str, str]] = set()

    def compare(self, old: Place, new: Place, path: str) -> Iterator[SchemaChange]:
        """Of schemas at two places; a pair that is met again was told already."""
        pair = (old.pointer, new.pointer, "")
        if pair in self._pairs:
            return
        self._pairs.add(pair)
        if len(self._pairs) > PAIRS_MAX:
            raise DataError(f"{old.source}: more than {PAIRS_MAX:,} pairs of schemas to compare")
        yield from self._values(
            translated(old, self._is_30[0], self._direction),
            translated(new, self._is_30[1], self._direction),
            path,
            old.pointer,
        )

    def _values(self, old: Any, new: Any, path: str, place: str) -> Iterator[SchemaChange]:
        """Of two schemas whose `$ref`s are places."""
        ref_old, ref_new = _only_reference(old), _only_reference(new)
        if ref_old is not None or ref_new is not None:
            if ref_old is not None and ref_new is not None:
                yield from self.compare(ref_old, ref_new, path)
            elif ref_old is not None:
                was = translated(ref_old, self._is_30[0], self._direction)
                yield from self._guarded(was, new, path, place, ref_old.pointer)
            elif ref_new is not None:
                now = translated(ref_new, self._is_30[1], self._direction)
                yield from self._guarded(old, now, path, place, ref_new.pointer)
            return
        if isinstance(old, bool) or isinstance(new, bool):
            yield from self._booleans(old, new, path, place)
            return
        old, new = self._merged(old, 0), self._merged(new, 1)
        say = partial(SchemaChange, path=path, place=place)
        yield from _types(old, new, say)
        yield from _enums(old, new, say)
        yield from _bounds(old, new, say)
        for name in _OTHER:
            if _plain(old.get(name)) != _plain(new.get(name)):
                yield say(effect=_rule_effect(name in old, name in new), message=f"{name} changed")
        yield from self._properties(old, new, path, place)
        yield from self._below(old, new, path, place)
        for name in ("anyOf", "oneOf", "allOf"):
            yield from self._branches(name, old.get(name), new.get(name), path, place)

    def _guarded(
        self, old: Any, new: Any, path: str, place: str, followed: str
    ) -> Iterator[SchemaChange]:
        """A reference on one side only: following it again under the same place would not end."""
        key = (place, followed, "one side")
        if key not in self._pairs:
            self._pairs.add(key)
            yield from self._values(old, new, path, place)

    def _booleans(self, old: Any, new: Any, path: str, place: str) -> Iterator[SchemaChange]:
        ranks = [{True: 2, False: 0}.get(one, 1) if isinstance(one, bool) else _rank(one)
                 for one in (old, new)]  # fmt: skip
        if ranks[0] != ranks[1]:
            effect = "widened" if ranks[1] > ranks[0] else "narrowed"
            yield SchemaChange(
                effect=effect,
                path=path,
                place=place,
                message="allows anything now" if ranks[1] == 2
                else "allows nothing now" if ranks[1] == 0
                else "has a schema now",
            )  # fmt: skip

    def _merged(self, schema: Mapping[str, Any], side: int) -> dict[str, Any]:
        """`allOf` of plain object schemas put into one, as composition writes them."""
        parts = schema.get("allOf")
        if not parts:
            return dict(schema)
        merged = {name: value for name, value in schema.items() if name != "allOf"}
        for part in parts:
            seen: set[str] = set()
            while (ref := _only_reference(part)) is not None:
                if ref.pointer in seen:
                    return dict(schema)
                seen.add(ref.pointer)
                part = translated(ref, self._is_30[side], self._direction)
            if not isinstance(part, dict) or not set(part) <= {"type", "properties", "required"}:
                return dict(schema)
            merged.setdefault("type", part.get("type", "object"))
            merged["properties"] = {**part.get("properties", {}), **merged.get("properties", {})}
            merged["required"] = sorted({*merged.get("required", ()), *part.get("required", ())})
        return merged

    def _properties(
        self, old: Mapping[str, Any], new: Mapping[str, Any], path: str, place: str
    ) -> Iterator[SchemaChange]:
        before, after = old.get("properties", {}), new.get("properties", {})
        was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() | after.keys() | was_required | is_required):
            at = f"{path}.{name}" if path else name
            say = partial(SchemaChange, path=at, place=place)
            if name in is_required and name not in was_required:
                yield say(effect="narrowed", message="now required")
            elif name in was_required and name not in is_required:
                yield say(effect="widened", message="no longer required")
            if name in before and name in after:
                yield from self._values(before[name], after[name], at, f"{place}/properties/{name}")
            elif name in before:
                yield say(effect=_gone(new), message="property removed")
            elif name in after:
                effect = "widened" if old.get("additionalProperties") is False else "added"
                yield say(effect=effect, message="property added")

    def _below(
        self, old: Mapping[str, Any], new: Mapping[str, Any], path: str, place: str
    ) -> Iterator[SchemaChange]:
        for name, step in (("items", "[]"), ("additionalProperties", ".*")):
            was, now = old.get(name, ANY), new.get(name, ANY)
            if _plain(was) != _plain(now) or _has_reference(was) or _has_reference(now):
                yield from self._values(
                    True if was == ANY else was,
                    True if now == ANY else now,
                    path + step,
                    f"{place}/{name}",
                )

    def _branches(
        self, name: str, old: list[Any] | None, new: list[Any] | None, path: str, place: str
    ) -> Iterator[SchemaChange]:
        if old is None and new is None:
            return
        say = partial(SchemaChange, path=path, place=f"{place}/{name}")
        if old is None or new is None:
            yield say(effect=_rule_effect(old is not None, new is not None),
                      message=f"{name} {'added' if old is None else 'removed'}")  # fmt: skip
            return
        before, after = {_label(one): one for one in old}, {_label(one): one for one in new}
        gone, come = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
        less, more = ("widened", "narrowed") if name == "allOf" else ("narrowed", "widened")
        if gone and come:
            yield say(effect="unclear", message=f"alternatives of {name} changed")
        else:
            for label in gone:
                yield say(effect=less, message=f"{name} lost {label:.80}")
            for label in come:
                yield say(effect=more, message=f"{name} gained {label:.80}")
        for label in sorted(before.keys() & after.keys()):
            yield from self._values(before[label], after[label], path, f"{place}/{name}")


Say = Callable[..., SchemaChange]


def _types(old: Mapping[str, Any], new: Mapping[str, Any], say: Say) -> Iterator[SchemaChange]:
    before, after = _type_set(old), _type_set(new)
    less, more = before - after, after - before
    if less and more:
        yield say(effect="narrowed", message=f"type {_said(before)} became {_said(after)}")
        yield say(effect="widened", message=f"type {_said(before)} became {_said(after)}")
    elif less:
        yield say(effect="narrowed", message=f"no longer {_said(less)}")
    elif more:
        yield say(effect="widened", message=f"may be {_said(more)} too")


def _type_set(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types allowed; a number may be an integer."""
    kind = schema.get("type")
    kinds = set(TYPES) if kind is None else set(kind) if isinstance(kind, list) else {kind}
    return frozenset(kinds | {"integer"} if "number" in kinds else kinds)


def _enums(old: Mapping[str, Any], new: Mapping[str, Any], say: Say) -> Iterator[SchemaChange]:
    if "enum" not in old and "enum" not in new:
        return
    if "enum" not in old or "enum" not in new:
        narrowed = "enum" in new
        said = "only listed values now" if narrowed else "any value now"
        yield say(effect="narrowed" if narrowed else "widened", message=said)
        return
    before, after = {repr(one) for one in old["enum"]}, {repr(one) for one in new["enum"]}
    if before - after:
        yield say(effect="narrowed", message=f"value {_said(before - after)} removed")
    if after - before:
        yield say(effect="widened", message=f"value {_said(after - before)} added")


def _bounds(old: Mapping[str, Any], new: Mapping[str, Any], say: Say) -> Iterator[SchemaChange]:
    for names, sign in ((_LOWER, 1), (_UPPER, -1)):
        for name in names:
            was, now = old.get(name), new.get(name)
            if was == now:
                continue
            tighter = was is None or (now is not None and (now - was) * sign > 0)
            yield say(
                effect="narrowed" if tighter else "widened",
                message=f"{name} {_or_none(was)} became {_or_none(now)}",
            )


def _or_none(bound: object) -> str:
    return "(none)" if bound is None else str(bound)


def _rule_effect(had: bool, has: bool) -> str:
    """A rule that came allows less, one that went allows more, one that changed may do both."""
    return "unclear" if had and has else "narrowed" if has else "widened"


def _gone(new: Mapping[str, Any]) -> str:
    """What removing a property does: refused where no others are allowed, else perhaps ignored."""
    return "narrowed" if new.get("additionalProperties") is False else "removed"


def _only_reference(schema: Any) -> Place | None:
    if isinstance(schema, dict) and set(schema) == {"$ref"}:
        place = schema["$ref"]
        return place if isinstance(place, Place) else None
    return None


def _has_reference(schema: Any) -> bool:
    if isinstance(schema, Place):
        return True
    if isinstance(schema, dict):
        return any(map(_has_reference, schema.values()))
    return isinstance(schema, list) and any(map(_has_reference, schema))


def _rank(schema: Mapping[str, Any]) -> int:
    return 1 if schema else 2


def _plain(value: Any) -> Any:
    """The value with places as their pointers, so that two files can be compared."""
    if isinstance(value, Place):
        return value.pointer
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _label(branch: Any) -> str:
    reference = _only_reference(branch)
    return reference.pointer if reference is not None else repr(_plain(branch))


def _said(values: Any) -> str:
    listed = sorted(values)
    more = f" and {len(listed) - LISTED_MAX} more" if len(listed) > LISTED_MAX else ""
    return ", ".join(listed[:LISTED_MAX]) + more
