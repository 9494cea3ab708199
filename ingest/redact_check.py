"""What redaction would take away from an input: how much by which rule and where, never what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from ingest.kinds import kind_of
from ingest.own_rules import OwnRules
from ingest.pipeline import IngestSettings
from ingest.reader import HEAD_BYTES, Item, claimant, discover, named
from ingest.redact import Redactor
from ingest.redact_text import PLAIN, TOKEN
from ingest.redaction_rules import EXEMPT_FIELD
from ingest.streams import Input
from store.conclusions import Incident
from store.errors import DataError
from store.model import Attributes, Decision, JsonValue, LogRecord, Rejected, Span

KEY = b"no token of this key is shown or kept"
RECORDS_MAX = 10
ENTRIES_MAX = 1000
NAME_CHARS_MAX = 120

Piece = tuple[str, str | None, object]
"""A place, the name that says what the value is, the value."""


class Watcher(Redactor):
    """A redactor that remembers which rules found something."""

    def __init__(self, own: OwnRules) -> None:
        super().__init__(KEY, own)
        self.found: list[str] = []

    def token(self, secret: str, rule: str) -> str:
        self.found.append(rule)
        return super().token(secret, rule)


@dataclass(slots=True)
class Entry:
    """What one rule found at one place; `records` are the first that held it."""

    count: int = 0
    records: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Check:
    """What was found so far, by rule and place; `unlisted` secrets had no room in the list."""

    own: OwnRules
    records: int = 0
    secrets: int = 0
    unlisted: int = 0
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    _resource: Attributes | None = None
    _watcher: Watcher = field(init=False)

    def __post_init__(self) -> None:
        self._watcher = Watcher(self.own)

    def add(self, item: Item) -> None:
        """Look at one record. A resource that records share is looked at once."""
        if isinstance(item, Span):
            pieces, ref = _span_pieces(item), f"span {item.trace_id}/{item.span_id}"
        elif isinstance(item, LogRecord):
            pieces, ref = _log_pieces(item), f"log at {item.time_ns}"
        elif isinstance(item, Decision):
            pieces, ref = _decision_pieces(item), f"decision {self._shown(item.decision_id)}"
        elif isinstance(item, Rejected):
            pieces, ref = _rejected_pieces(item), f"refused {self._shown(item.record)}"
        elif isinstance(item, Incident):
            pieces, ref = _incident_pieces(item), f"incident {self._shown(item.incident_id)}"
        else:
            return
        self.records += 1
        for piece in pieces:
            self._look(*piece, ref)
        if isinstance(item, Span | LogRecord) and item.resource is not self._resource:
            self._resource = item.resource
            for piece in _attribute_pieces("resource", item.resource):
                self._look(*piece, ref)

    def _look(self, place: str, name: str | None, value: object, ref: str) -> None:
        watcher = self._watcher
        rule = PLAIN if name is None else watcher.rule(name)[0]
        watcher.found.clear()
        watcher.value(rule, value)  # type: ignore[arg-type]
        found = list(watcher.found)
        place = self._shown(place) if found else place
        for rule_name in found:
            self.secrets += 1
            entry = self.entries.get((rule_name, place))
            if entry is None:
                if len(self.entries) >= ENTRIES_MAX:
                    self.unlisted += 1
                    continue
                entry = self.entries[rule_name, place] = Entry()
            entry.count += 1
            if ref not in entry.records and len(entry.records) < RECORDS_MAX:
                entry.records.append(ref)

    def to_document(self) -> dict[str, JsonValue]:
        """What was found, in a fixed order."""
        return {
            "records": self.records,
            "secrets": self.secrets,
            "unlisted": self.unlisted,
            "findings": [
                {"rule": rule, "place": place, "count": entry.count, "records": [*entry.records]}
                for (rule, place), entry in sorted(self.entries.items(), key=lambda it: it[0])
            ],
        }

    def _shown(self, text: str) -> str:
        return TOKEN.sub("[redacted]", self._watcher.text(text))[:NAME_CHARS_MAX]


def check_file(path: Path, settings: IngestSettings) -> tuple[str, Check]:
    """The format of a file and what redaction would find in it; nothing is stored."""
    limits, check = settings.limits, Check(settings.own_rules)
    try:
        with path.open("rb") as raw:
            stream = Input(raw, limits.decompressed_bytes, hashing=False)
            readers = discover()
            head = stream.head(HEAD_BYTES)
            reader = named(settings.format, readers) if settings.format else None
            reader = reader or claimant(head, readers)
            if reader is None:
                kind = kind_of(head, str(path)) if head.strip() else "an empty file"
                raise DataError(f"{path}: this looks like {kind}; no format fits")
            for item in reader.read(cast(BinaryIO, stream), limits):
                check.add(item)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if stream.problem:
        check.add(Rejected(record="whole file", reason=stream.problem))
    return reader.name, check


def _attribute_pieces(place: str, attributes: Attributes) -> Iterator[Piece]:
    for name, value in attributes.items():
        yield f"{place}[{name}]", name, value
        yield f"{place} name", None, name


def _span_pieces(span: Span) -> Iterator[Piece]:
    yield "span.name", None, span.name
    yield "span.status_message", None, span.status_message
    yield "span.trace_state", None, span.trace_state
    yield from _attribute_pieces("span.attributes", span.attributes)
    for event in span.events:
        yield "event.name", None, event.name
        yield from _attribute_pieces("event.attributes", event.attributes)
    for link in span.links:
        yield from _attribute_pieces("link.attributes", link.attributes)


def _log_pieces(log: LogRecord) -> Iterator[Piece]:
    yield "log.event_name", None, log.event_name
    yield "log.severity_text", None, log.severity_text
    yield "log.body", None, log.body
    yield from _attribute_pieces("log.attributes", log.attributes)


def _decision_pieces(decision: Decision) -> Iterator[Piece]:
    for name, value in decision.record.items():
        if not EXEMPT_FIELD.match(name):
            yield f"decision[{name}]", name, value


def _incident_pieces(incident: Incident) -> Iterator[Piece]:
    for name in ("incident_id", "title", "declared_by"):
        yield f"incident.{name}", None, getattr(incident, name)
    for name in ("flow_ids", "services"):
        for text in getattr(incident, name):
            yield f"incident.{name}", None, text


def _rejected_pieces(rejected: Rejected) -> Iterator[Piece]:
    yield "refused.record", None, rejected.record
    yield "refused.reason", None, rejected.reason
    yield "refused.excerpt", None, rejected.excerpt
