"""What was made different around an incident, out of the data and out of files."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final

from analyzer.releases.arms import SLICES, Thing, things_of
from analyzer.rootcause.telemetry import Change, Measurement
from store.errors import DataError
from store.query import ask
from store.session import Session

TIMELINE: Final = Path(__file__).resolve().parent.parent / "releases" / "timeline.sql"
FILE_BYTES_MAX: Final = 50_000_000
RECORDS_MAX: Final = 500_000
TEXT_CHARACTERS_MAX: Final = 20_000
FIELDS: Final = ("at", "kind", "service", "name", "text")
COLUMNS: Final = ("timestamp", "service", "metric", "value")


def recorded_changes(session: Session, since_ns: int, until_ns: int) -> list[Change]:
    """Each version, policy, model or flag when it first came, but for those there from the start,
    and each that had been gone when it came back."""
    bound = {"since_ns": since_ns, "until_ns": until_ns, "slices": SLICES}
    changes = [
        change
        for thing in things_of(ask(session, TIMELINE, bound))
        for change in _changes_of(thing)
    ]
    return sorted(changes, key=lambda one: (one.at_ns, one.kind, one.service, one.name))


def _changes_of(thing: Thing) -> Iterator[Change]:
    for version in thing.versions[1:]:
        yield Change(
            at_ns=version.first_ns,
            kind="version" if thing.kind == "service" else thing.kind,
            service=thing.subject,
            name=version.name,
            text=f"{thing.kind} {thing.subject} {version.name} first seen",
        )


def read_changes(path: Path) -> list[Change]:
    """Changes of a file: a JSON list, or JSON lines, of `{at, kind, service, name, text}`.

    `at` is RFC 3339 with a zone; `kind` and `name` are needed. A record that is not so is an error
    that names it.
    """
    text = _text(path)
    changes = []
    for number, record in enumerate(_records(path, text), 1):
        place = f"{path}: change {number}"
        if not isinstance(record, dict):
            raise DataError(f"{place} is no object with the fields {', '.join(FIELDS)}")
        unknown = sorted(set(record) - set(FIELDS))
        if unknown:
            raise DataError(f"{place} has the field {unknown[0]!r}; known: {', '.join(FIELDS)}")
        values = {name: record.get(name, "") for name in FIELDS}
        wrong = [name for name, value in values.items() if not isinstance(value, str)]
        missing = [name for name in ("at", "kind", "name") if not values[name]]
        if wrong or missing:
            raise DataError(f"{place}: {(wrong or missing)[0]!r} must be a text that is not empty")
        changes.append(
            Change(
                at_ns=_moment(values["at"], place),
                kind=values["kind"],
                service=values["service"],
                name=values["name"],
                text=values["text"][:TEXT_CHARACTERS_MAX],
            )
        )
    return sorted(changes, key=lambda one: (one.at_ns, one.kind, one.service, one.name))


def read_measurements(path: Path) -> list[Measurement]:
    """Measurements of a CSV file with the columns timestamp, service, metric, value.

    `timestamp` is RFC 3339 with a zone. They are used for this one question and not stored.
    """
    rows = csv.DictReader(_text(path).splitlines())
    if rows.fieldnames is None or not set(COLUMNS) <= set(rows.fieldnames):
        raise DataError(f"{path}: a metrics file has the columns {', '.join(COLUMNS)}")
    found = []
    for number, row in enumerate(rows, 2):
        place = f"{path}: line {number}"
        if number > RECORDS_MAX:
            raise DataError(f"{path} has more than {RECORDS_MAX} lines")
        try:
            value = float(row["value"])
        except (TypeError, ValueError):
            raise DataError(f"{place}: {row['value']!r} is no number") from None
        if isfinite(value):
            at_ns = _moment(row["timestamp"] or "", place)
            found.append(Measurement(at_ns, row["service"] or "", row["metric"] or "", value))
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise DataError(f"{path} has more than {FILE_BYTES_MAX} bytes")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def _records(path: Path, text: str) -> Sequence[Any]:
    try:
        if text.lstrip().startswith("["):
            whole = json.loads(text)
            records = list(whole)
        else:
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is neither a JSON list nor JSON lines: {error}") from None
    if len(records) > RECORDS_MAX:
        raise DataError(f"{path} has more than {RECORDS_MAX} changes")
    return records


def _moment(text: str, place: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise DataError(f"{place}: {text!r} is no RFC 3339 time with a zone")
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000


def near(changes: Sequence[Change], since_ns: int, until_ns: int) -> list[Change]:
    """Those in [since, until]."""
    return [change for change in changes if since_ns <= change.at_ns <= until_ns]


def by_flow(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[tuple[str, str], ...]]:
    """What each flow ran under, from rows of `arms.sql`, as attribute and value."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["flow_id"], []).append(
            (f"{row['kind']} {row['subject']}", row["version"])
        )
    return {flow_id: tuple(values) for flow_id, values in sorted(found.items())}
