"""Execution histories of AWS Step Functions, wherever in a document they stand."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.history.events import Object, integer, object_in, text_in
from ingest.limits import Limits, excerpt_of
from ingest.span_draft import json_text
from ingest.times import BadTimeError, epoch, rfc3339
from store.model import Rejected

FOUND_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEvent:
    """One event; `previous` is the event that led to it, 0 for none."""

    id: int
    previous: int
    type: str
    time_ns: int
    details: Object
    place: str

    @property
    def name(self) -> str | None:
        """The state the event is of."""
        return text_in(self.details, "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """The events of one execution. `key` tells it from others; `arn` where it is known.

    `synthetic` when times are placeholders: then only the order of the events is real.
    """

    place: str
    key: str
    arn: str | None
    synthetic: bool
    events: list[StateEvent]


def is_history(events: object) -> bool:
    """Whether a list holds events of an execution."""
    return (
        isinstance(events, list)
        and bool(events)
        and any(
            isinstance(item, dict)
            and isinstance(item.get("type"), str)
            and "previousEventId" in item
            for item in events
        )
    )


def executions_in(value: object, place: str, limits: Limits) -> Iterator[Execution | Rejected]:
    """Every history at any depth of a document; a document without one is refused."""
    found = 0
    for where, around, events in _histories(value, place, limits.nesting_depth):
        found += 1
        if found > FOUND_MAX:
            yield Rejected(record=where, reason=f"more than {FOUND_MAX} histories in one document")
            return
        yield from _execution(where, around, events)
    if not found:
        yield Rejected(
            record=place, reason="no execution history: no events with type and previousEventId"
        )


def _histories(value: object, place: str, depth: int) -> Iterator[tuple[str, Object, list[object]]]:
    if depth < 0:
        return
    if isinstance(value, list):
        if is_history(value):
            yield place, {}, value
            return
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _histories(item, f"{place} [{index}]", depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, list) and is_history(item):
                yield f"{place} {key[:200]}", value, item
            elif isinstance(item, dict | list):
                yield from _histories(item, f"{place} {key[:200]}", depth - 1)


def _execution(place: str, around: Object, raws: list[object]) -> Iterator[Execution | Rejected]:
    events: list[StateEvent] = []
    untimed = 0
    seen: set[int] = set()
    for index, raw in enumerate(raws):
        where = f"{place}[{index}]"
        try:
            event, timed = _event(raw, index, where)
        except ValueError as error:
            text = json_text(raw)[:200].encode("utf-8", "replace")
            yield Rejected(record=where, reason=str(error), excerpt=excerpt_of(text))
            continue
        if event.id in seen:
            yield Rejected(record=where, reason=f"a second event with id {event.id}")
            continue
        seen.add(event.id)
        untimed += not timed
        events.append(event)
    if not events:
        return
    # One placeholder among the times leaves no order in time to trust.
    synthetic = untimed > 0
    if synthetic:
        events = [
            replace(event, time_ns=10**9 + index * 10**6) for index, event in enumerate(events)
        ]
    elif events[0].id > events[-1].id:  # as `--reverse-order` writes them
        events.reverse()
    arn = _arn(around)
    # What a history of AWS holds does not name its execution: then its events stand for it, with
    # the place too where nothing in them is unique.
    told = (arn,) if arn else (json_text(raws), place if synthetic else "")
    key = hashlib.sha256("\x1f".join(told).encode("utf-8", "replace")).hexdigest()
    yield Execution(place=place, key=key, arn=arn, synthetic=synthetic, events=events)


def _arn(around: Object) -> str | None:
    for name in ("executionArn", "execution_arn", "ExecutionArn"):
        found = text_in(around, name)
        if found is not None:
            return found
    return None


def _event(raw: object, index: int, place: str) -> tuple[StateEvent, bool]:
    if not isinstance(raw, dict):
        raise ValueError("the event is not a JSON object")
    kind = raw.get("type")
    if not isinstance(kind, str) or not kind:
        raise ValueError("the event has no type")
    number = integer(raw.get("id"))
    if number is None:  # a placeholder: the position stands in, below every real id
        number = -1 - index
    time_ns, timed = _time(raw)
    details = next((object_in(raw, key) for key in raw if key.endswith("EventDetails")), {})
    event = StateEvent(
        id=number,
        previous=integer(raw.get("previousEventId")) or 0,
        type=kind,
        time_ns=time_ns,
        details=details,
        place=place,
    )
    return event, timed


def _time(raw: Object) -> tuple[int, bool]:
    """The time and whether it is one; a word in its place is a placeholder of a test suite."""
    value = raw.get("timestamp")
    if isinstance(value, int | float) and not isinstance(value, bool):
        # The command line writes seconds, some exports milliseconds.
        return epoch(value, 1_000_000 if value >= 10**11 else 10**9, "timestamp"), True
    if isinstance(value, str) and value[:1].isdigit():
        return rfc3339(value, "timestamp"), True
    if isinstance(value, str) and value:
        return 0, False
    raise BadTimeError("the event has no timestamp")
