"""Events of Temporal or Cadence histories, in every spelling that was met."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ingest.limits import excerpt_of
from ingest.span_draft import json_text
from ingest.times import BadTimeError, epoch, rfc3339
from store.model import Rejected

Object: TypeAlias = dict[str, object]

_ATTRIBUTES = "EventAttributes"
_PREFIX = "EVENT_TYPE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; `type` is in the web interface's spelling, `ActivityTaskScheduled`."""

    id: int
    type: str
    time_ns: int
    attributes: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The events of one run, in the order they were written; where it stood."""

    place: str
    events: list[object]
    around: Object


def is_event(value: object) -> bool:
    """Whether a decoded value is one event of a history."""
    return isinstance(value, dict) and "eventId" in value


def histories_in(value: object, place: str) -> Iterator[History | Rejected]:
    """Every history of a document: `{"events": …}`, a bare list, a response, a list of those."""
    if isinstance(value, dict):
        inner = value.get("history")
        if isinstance(inner, dict) and "events" in inner:
            value = {**value, **inner}
        events = value.get("events")
        if isinstance(events, list):
            yield History(place=place, events=events, around=value)
            return
        keys = ", ".join(sorted(value)[:5])[:120]
        yield Rejected(record=place, reason=f"no history: has {keys}; expected events")
    elif isinstance(value, list) and any(map(is_event, value)):
        yield History(place=place, events=value, around={})
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from histories_in(item, f"{place} [{index}]")
    else:
        yield Rejected(record=place, reason="no history: not a JSON object")


def events_of(history: History) -> Iterator[Event | Rejected]:
    """Every event of a history; one that cannot be read is refused alone."""
    seen: set[int] = set()
    for index, raw in enumerate(history.events):
        place = f"{history.place} events[{index}]"
        try:
            event = _event(raw)
        except ValueError as error:
            text = json_text(raw)[:200].encode("utf-8", "replace")
            yield Rejected(record=place, reason=str(error), excerpt=excerpt_of(text))
            continue
        if event.id in seen:
            yield Rejected(record=place, reason=f"a second event with eventId {event.id}")
            continue
        seen.add(event.id)
        yield event


def _event(raw: object) -> Event:
    if not isinstance(raw, dict):
        raise ValueError("the event is not a JSON object")
    number = integer(raw.get("eventId"))
    if number is None or number < 0:
        raise ValueError("the event has no eventId")
    name, attributes = _type_of(raw)
    return Event(id=number, type=name, time_ns=_time(raw), attributes=attributes)


def _type_of(raw: Object) -> tuple[str, Object]:
    key = next((k for k in raw if k.endswith(_ATTRIBUTES) and isinstance(raw[k], dict)), None)
    attributes = object_in(raw, key) if key else {}
    name = raw.get("eventType")
    if not isinstance(name, str) or not name:
        if key is None:
            raise ValueError("the event has no eventType")
        name = key.removesuffix(_ATTRIBUTES)
    if name.startswith(_PREFIX) or (name.isupper() and "_" in name):
        name = "".join(word.capitalize() for word in name.removeprefix(_PREFIX).split("_"))
    name = name[:1].upper() + name[1:]
    # Cadence's word for a workflow task.
    return name.replace("DecisionTask", "WorkflowTask"), attributes


def _time(raw: Object) -> int:
    for key in ("eventTime", "timestamp"):
        value = raw.get(key)
        if isinstance(value, dict):  # a protobuf timestamp written field by field
            seconds, nanos = integer(value.get("seconds")), integer(value.get("nanos"))
            return epoch((seconds or 0) * 10**9 + (nanos or 0), 1, key)
        if isinstance(value, str) and not value.isdigit():
            return rfc3339(value, key)
        if value is not None:
            return epoch(value, 1, key)
    raise BadTimeError("the event has no eventTime")


def integer(raw: object) -> int | None:
    """A whole number written as a number or, as protobuf does, as text."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20:
        return int(raw)
    return None


def object_in(attributes: Object, *path: str) -> Object:
    """The object under a path of names; empty when there is none."""
    found: object = attributes
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def text_in(attributes: Object, *path: str) -> str | None:
    """The non-empty text under a path of names."""
    found: object = object_in(attributes, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) and found else None
