"""The one way in: a body becomes redacted records in the spool before its sender is told so."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass, fields
from typing import NamedTuple

from ingest.fast.encode import encode
from ingest.fast.flat import FlatLogs, FlatSpans, OddError
from ingest.fast.json import FlatJson, signal_in
from ingest.fast.logs import encode_logs
from ingest.fast.protobuf import FlatProtobuf
from ingest.otlp.wire import LOGS, TRACES, signal_of
from ingest.preparation import Preparation
from ingest.reader import Item
from ingest.receivers import frames
from ingest.receivers.errors import OverloadedError
from ingest.receivers.settings import ReceiverLimits
from ingest.receivers.signals import MESSAGE_CHARS_MAX, Receipt
from ingest.receivers.spool import Spool
from ingest.records import Records
from ingest.settings import IngestSettings
from store.log_table import LogTable
from store.model import LogRecord, Span
from store.span_table import SpanTable

READER = "receiver/2"
FLUSH_SECONDS_MAX = 60.0
# retrospan's own telemetry says so in its resource; receiving it would make more of it.
OWN_SERVICE = "retrospan"
OWN_MARK = "retrospan.self"

Decode = Callable[[], tuple[Iterable[Item], int | None]]


@dataclass(slots=True)
class Tally:
    """What the receivers did since they started."""

    requests: int = 0
    spans: int = 0
    logs: int = 0
    metrics: int = 0
    rejected: int = 0
    own: int = 0
    undecodable: int = 0
    overloaded: int = 0
    datagrams: int = 0
    datagrams_lost: int = 0

    def said(self) -> str:
        """The counts that are not zero, on one line."""
        counts = ((entry.name, getattr(self, entry.name)) for entry in fields(self))
        return ", ".join(f"{name} {count}" for name, count in counts if count) or "nothing"


class Body(NamedTuple):
    """An OTLP body of a signal, which may be taken column by column."""

    data: bytes
    signal: str
    is_json: bool


class _Mine(NamedTuple):
    """What one thread decodes with."""

    prepare: Preparation
    protobuf: FlatProtobuf
    json: FlatJson

    def flat(self, body: Body) -> FlatSpans | FlatLogs:
        """All its records; OddError also when they are of another signal."""
        decoder = self.json if body.is_json else self.protobuf
        signal = signal_in(body.data) if body.is_json else signal_of(body.data)
        if signal != body.signal:
            raise OddError
        flat = decoder.flat if signal == TRACES else decoder.flat_logs
        return flat([body.data])


class Intake:
    """Shared by all receivers; every method may be called from any thread."""

    def __init__(self, spool: Spool, settings: IngestSettings, limits: ReceiverLimits) -> None:
        self.limits = limits
        self.tally = Tally()
        self.settings = settings
        self._spool = spool
        self._lock = threading.Lock()
        self._in_flight = 0
        self._decoders = threading.BoundedSemaphore(limits.decoders)
        self._local = threading.local()  # what remembers texts: each thread has its own

    def count(self, **more: int) -> None:
        """Add to the tally."""
        with self._lock:
            for name, number in more.items():
                setattr(self.tally, name, getattr(self.tally, name) + number)

    def overloaded(self, reason: str) -> OverloadedError:
        """The error to raise when there is no room."""
        self.count(overloaded=1)
        return OverloadedError(reason)

    def enter(self, size: int) -> None:
        """Make room for bytes of a body; OverloadedError when there is none."""
        limit = self.limits.in_flight_bytes
        with self._lock:
            fits = self._in_flight == 0 or self._in_flight + size <= limit
            if fits:
                self._in_flight += size
        if not fits:
            raise self.overloaded(f"too much at once; the limit is in_flight_bytes = {limit}")

    def leave(self, size: int) -> None:
        """Give the room back."""
        with self._lock:
            self._in_flight -= size

    def receive(self, decode: Decode, body: Body | None = None) -> Receipt:
        """The records that `decode` gives, into the spool; returns when they are durable.

        `decode` also says how many records were sent, so that none is lost silently; None when
        only the refused ones count. `body` is the same undecoded: when nothing in it is odd, it is
        taken column by column. As many bodies as there are decoders stand decoded in memory.
        """
        with self._decoders:
            frame, own, sent = self._frame(decode, body)
            if not (frame.size or frame.metrics):
                self.count(requests=1, own=own)
                return Receipt()
            data = frames.encoded(frame)
            spans = len(frame.spans) + sum(map(len, frame.tables))
            logs = len(frame.logs) + sum(map(len, frame.log_tables))
            refused = len(frame.rejected)
            receipt = Receipt(
                rejected=refused if sent is None else max(sent - spans - logs - own, 0),
                message=_message(frame),
                accepted=spans + logs + frame.metrics,
            )
            metrics = frame.metrics
            del frame
        try:
            self._spool.append(data).result(FLUSH_SECONDS_MAX)
        except OverloadedError as error:
            raise self.overloaded(str(error)) from error
        except LateError as error:
            raise self.overloaded("the disk does not keep up") from error
        self.count(requests=1, spans=spans, logs=logs, metrics=metrics, rejected=refused, own=own)
        return receipt

    def _frame(self, decode: Decode, body: Body | None) -> tuple[Records, int, int | None]:
        """What is to be kept, how many records are our own, how many were sent."""
        table = self._columns(body) if body is not None else None
        if table is not None:
            frame = Records()
            frame.add(table)
            return frame, 0, len(table)
        items, sent = decode()
        return *self._prepared(items), sent

    def _columns(self, body: Body) -> SpanTable | LogTable | None:
        """The records of a body as columns; None when it needs the walk over records."""
        if len(body.data) < self.limits.column_bytes_min or body.signal not in (TRACES, LOGS):
            return None
        mine, limits = self._my_own(), self.settings.limits
        try:
            flat = mine.flat(body)
            if any(scope.service == OWN_SERVICE for scope in flat.scopes):
                return None
            if isinstance(flat, FlatLogs):
                return encode_logs(flat, mine.prepare, limits)
            return encode(flat, mine.prepare, limits)
        except OddError:
            return None

    def _my_own(self) -> "_Mine":
        found: _Mine | None = getattr(self._local, "mine", None)
        if found is None:
            limits = self.settings.limits
            found = _Mine(self.settings.preparation(), FlatProtobuf(limits), FlatJson(limits))
            self._local.mine = found
        return found

    def _prepared(self, items: Iterable[Item]) -> tuple[Records, int]:
        prepare = self._my_own().prepare
        frame, own = Records(), 0
        for item in items:
            if isinstance(item, Span | LogRecord) and _is_own(item):
                own += 1
            else:
                frame.add(prepare.item(item))
        return frame, own


def _is_own(record: Span | LogRecord) -> bool:
    return record.service == OWN_SERVICE and record.resource.get(OWN_MARK) is True


def _message(frame: Records) -> str:
    if not frame.rejected:
        return ""
    first, more = frame.rejected[0], len(frame.rejected) - 1
    told = f"{first.record}: {first.reason}" + (f" (and {more} more)" if more else "")
    return told[:MESSAGE_CHARS_MAX]
