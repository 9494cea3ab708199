"""Two versions of an OpenAPI file: what a client of the old one would notice of the new one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analyzer.contracts.api import Api, Body, Operation, Parameter
from analyzer.contracts.compare_schemas import SchemaChange, changes_of
from analyzer.contracts.media import plain
from analyzer.contracts.routes import normal
from analyzer.contracts.schemas import Direction


class Impact(StrEnum):
    """What a change means for clients of the old version."""

    BREAKING = "breaking"
    UNKNOWN = "unknown"
    COMPATIBLE = "compatible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `place` is the JSON pointer in the old file, in the new one of what was added."""

    impact: Impact
    operation: str
    direction: str
    place: str
    message: str


def compare(old: Api, new: Api) -> list[Change]:
    """Every change, breaking ones first, then by operation and place."""
    before, after = _by_route(old), _by_route(new)
    changes: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was is None:
            assert now is not None
            changes.append(_change(Impact.COMPATIBLE, now, "route", "operation added", now))
        elif now is None:
            changes.append(_change(Impact.BREAKING, was, "route", "operation removed", was))
        else:
            changes += _Pair(was, now, old.is_30, new.is_30).changes()
    order = list(Impact)
    return sorted(
        set(changes),
        key=lambda it: (
            order.index(it.impact), it.operation, it.direction, it.place, it.message
        ),
    )  # fmt: skip


def verdict_of(changes: Sequence[Change]) -> Impact:
    """The worst impact; no change is compatible."""
    impacts = {change.impact for change in changes}
    return next((impact for impact in Impact if impact in impacts), Impact.COMPATIBLE)


def _by_route(api: Api) -> Mapping[tuple[str, str], Operation]:
    """Renaming a path parameter changes no route."""
    return {(normal(one.template), one.method): one for one in api.operations}


def _change(
    impact: Impact, whose: Operation, direction: str, message: str, at: Operation | Body
) -> Change:
    return Change(
        impact=impact,
        operation=whose.name,
        direction=direction,
        place=at.place.pointer,
        message=message,
    )


class _Pair:
    """One operation in both versions."""

    def __init__(self, old: Operation, new: Operation, old_is_30: bool, new_is_30: bool) -> None:
        self._old, self._new = old, new
        self._is_30 = (old_is_30, new_is_30)

    def changes(self) -> Iterator[Change]:
        if self._new.deprecated and not self._old.deprecated:
            yield self._say(Impact.COMPATIBLE, "route", self._new.place.pointer, "now deprecated")
        yield from self._parameters()
        yield from self._request()
        yield from self._responses()

    def _say(self, impact: Impact, direction: str, place: str, message: str) -> Change:
        return Change(
            impact=impact,
            operation=self._old.name,
            direction=direction,
            place=place,
            message=message,
        )

    def _parameters(self) -> Iterator[Change]:
        before = {_identity(one): one for one in self._old.parameters if one.location != "path"}
        after = {_identity(one): one for one in self._new.parameters if one.location != "path"}
        for key in sorted(before.keys() | after.keys()):
            was, now = before.get(key), after.get(key)
            named = f"{key[1]} parameter {key[0]!r}"
            place = f"{self._old.place.pointer}/parameters"
            if was is None:
                assert now is not None
                impact = Impact.BREAKING if now.required else Impact.COMPATIBLE
                said = "required" if now.required else "optional"
                yield self._say(impact, "request", place, f"{said} {named} added")
            elif now is None:
                yield self._say(
                    Impact.UNKNOWN,
                    "request",
                    place,
                    f"{named} removed: the file does not say whether it is ignored or refused",
                )
            else:
                if was.required != now.required:
                    impact = Impact.BREAKING if now.required else Impact.COMPATIBLE
                    said = "required" if now.required else "optional"
                    yield self._say(impact, "request", place, f"{named} is now {said}")
                if was.schema is not None and now.schema is not None:
                    for change in changes_of(was.schema, now.schema, "request", self._is_30):
                        yield self._schema(change, "request", f"{named}: ")

    def _request(self) -> Iterator[Change]:
        was, now = self._old.request, self._new.request
        if was is None and now is not None:
            impact = Impact.BREAKING if now.required else Impact.COMPATIBLE
            said = "required" if now.required else "optional"
            yield self._say(impact, "request", now.place.pointer, f"{said} body added")
        elif was is not None and now is None:
            yield self._say(
                Impact.UNKNOWN,
                "request",
                was.place.pointer,
                "body removed: the file does not say whether one is ignored or refused",
            )
        elif was is not None and now is not None:
            if was.required != now.required:
                impact = Impact.BREAKING if now.required else Impact.COMPATIBLE
                said = "required" if now.required else "optional"
                yield self._say(impact, "request", was.place.pointer, f"the body is now {said}")
            yield from self._content(was, now, "request", "")

    def _responses(self) -> Iterator[Change]:
        before, after = self._old.responses, self._new.responses
        for status in sorted(before.keys() | after.keys()):
            was, now = before.get(status), after.get(status)
            if now is None:
                assert was is not None
                impact = Impact.BREAKING if status.startswith("2") else Impact.COMPATIBLE
                place = was.place.pointer
                yield self._say(impact, "response", place, f"response {status} removed")
            elif was is None:
                place = now.place.pointer
                yield self._say(
                    Impact.COMPATIBLE,
                    "response",
                    place,
                    f"response {status} added; clients treat an unknown status as its class "
                    "(RFC 9110, 15)",
                )
            else:
                yield from self._content(was, now, "response", f"response {status}: ")

    def _content(self, was: Body, now: Body, direction: Direction, prefix: str) -> Iterator[Change]:
        before = {plain(name): schema for name, schema in was.content.items()}
        after = {plain(name): schema for name, schema in now.content.items()}
        for media in sorted(before.keys() | after.keys()):
            if media not in after:
                yield self._say(
                    Impact.BREAKING, direction, was.place.pointer, f"{prefix}{media} removed"
                )
            elif media not in before:
                yield self._say(
                    Impact.COMPATIBLE, direction, now.place.pointer, f"{prefix}{media} added"
                )
            else:
                one, other = before[media], after[media]
                if one is not None and other is not None:
                    for change in changes_of(one, other, direction, self._is_30):
                        yield self._schema(change, direction, prefix)
                elif (one is None) != (other is None):
                    said = "got a schema" if one is None else "lost its schema"
                    yield self._say(
                        Impact.UNKNOWN, direction, was.place.pointer, f"{prefix}{media} {said}"
                    )

    def _schema(self, change: SchemaChange, direction: Direction, prefix: str) -> Change:
        """What a request accepts may grow, what a response holds may shrink."""
        harmful = "narrowed" if direction == "request" else "widened"
        impact = Impact.COMPATIBLE
        if change.effect == "unclear" or (change.effect == "removed" and direction == "request"):
            impact = Impact.UNKNOWN
        elif change.effect == harmful:
            impact = Impact.BREAKING
        where = f"{change.path}: " if change.path else ""
        return self._say(impact, direction, change.place, f"{prefix}{where}{change.message}")


def _identity(parameter: Parameter) -> tuple[str, str]:
    """Header names do not depend on case."""
    name = parameter.name.lower() if parameter.location == "header" else parameter.name
    return name, parameter.location
