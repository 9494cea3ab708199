"""Decision logs: JSON lines of `retrospan.decision/1`."""

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import BinaryIO

import msgspec

from ingest.decision_record import DecisionRecord
from ingest.ids import BadIdError, Id, Ids
from ingest.jsonstream import Document, Grammar, UndecodableError, documents
from ingest.limits import Limits
from ingest.reader import Item
from store.model import Decision, JsonValue, Rejected

SCHEMA = "retrospan.decision/1"
FAMILY = "retrospan.decision/"
INT64_MAX = 2**63 - 1

_SNIFF = re.compile(rb'"schema"\s*:\s*"retrospan\.decision/')
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?\Z", re.ASCII)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class _RefusedError(ValueError):
    """Raised inside this reader: the message is the reason why a record is refused."""


def time_ns_of(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time, exactly."""
    match = _TIME.match(text)
    if match is None:
        raise _RefusedError(f"time {text[:60]!r} is not RFC 3339 with an offset")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    fraction = (match[7] or "").rstrip("0")
    if len(fraction) > 9:
        raise _RefusedError(f"time {text[:60]!r} is finer than a nanosecond")
    leap = second == 60
    try:
        at = datetime.datetime(
            year, month, day, hour, minute, 59 if leap else second, tzinfo=datetime.UTC
        )
    except ValueError as error:
        raise _RefusedError(f"time {text[:60]!r}: {error}") from error
    offset_hours, offset_minutes = int(match[9] or 0), int(match[10] or 0)
    if offset_hours > 23 or offset_minutes > 59:
        raise _RefusedError(f"time {text[:60]!r} has an impossible offset")
    since = at - _EPOCH
    seconds = since.days * 86_400 + since.seconds + leap
    offset = (offset_hours * 60 + offset_minutes) * 60
    seconds += offset if match[8] == "-" else -offset
    value = seconds * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)
    if not 0 <= value <= INT64_MAX:
        raise _RefusedError(f"time {text[:60]!r} is outside 1970 to 2262")
    return value


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def _decode(data: bytes) -> object:
    try:
        value: object = _decoder.decode(data)
    except RecursionError as error:
        raise UndecodableError("nested too deeply to be read") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, ArithmeticError) as error:
        raise UndecodableError(str(error)) from error
    return value


def _plain(value: object, depth: int) -> JsonValue:
    """The decoded record in JSON's own types."""
    if depth < 0:
        raise _RefusedError("nested deeper than nesting_depth")
    if isinstance(value, Decimal):
        number = float(value)
        if number in (float("inf"), float("-inf")):
            raise _RefusedError("a number is too large for JSON")
        return number
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, depth - 1) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise _RefusedError("a value is of no JSON type")


def _exact(raw: object, what: str) -> str | None:
    """Decimal text exactly as it was recorded."""
    if raw is None:
        return None
    text = raw.strip() if isinstance(raw, str) else str(raw)
    if not _NUMBER.match(text):
        raise _RefusedError(f"{what} {text[:40]!r} is not a decimal number")
    try:
        finite = Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise _RefusedError(f"{what} {text[:40]!r} is not a decimal number")
    return text


def _decision(value: object, ids: Ids, limits: Limits) -> Decision:
    if not isinstance(value, dict):
        raise _RefusedError("not a JSON object")
    schema = value.get("schema")
    if schema != SCHEMA:
        raise _RefusedError(f"schema is {str(schema)[:60]!r}, this version reads {SCHEMA!r}")
    record = _plain(value, limits.nesting_depth)
    try:
        parsed = msgspec.convert(record, DecisionRecord)
    except msgspec.ValidationError as error:
        raise _RefusedError(str(error)) from error
    if not isinstance(record, dict):
        raise _RefusedError("not a JSON object")
    trace, span = ids.trace(parsed.trace_id), ids.span(parsed.span_id)
    model, policy, action = parsed.model, parsed.policy, parsed.action
    return Decision(
        decision_id=parsed.decision_id,
        time_ns=time_ns_of(parsed.time),
        chosen=parsed.chosen,
        trace_id=_hex(trace),
        span_id=_hex(span),
        flow_id=parsed.flow_id or None,
        seq=parsed.seq,
        confidence=_exact(value.get("confidence"), "confidence"),
        threshold=_exact(value.get("threshold"), "threshold"),
        model_name=model.name if model else None,
        model_version=model.version if model else None,
        policy_id=policy.id if policy else None,
        policy_version=policy.version if policy else None,
        policy_outcome=policy.outcome if policy else None,
        action_step_key=action.step_key if action else None,
        record=record,
    )


def _hex(found: Id | None) -> str | None:
    return None if found is None else found.hex


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and str(value.get("schema", "")).startswith(FAMILY)


_GRAMMAR = Grammar(_decode, _is_document)


class DecisionReader:
    """Reads our own decision log; every record that breaks the schema is refused with its path."""

    name = "decisions"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the schema's name, of any version: a newer one is refused by name."""
        return _SNIFF.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every decision in order."""
        ids = Ids()
        for found in documents(stream, limits, _GRAMMAR):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from _read_one(found, ids, limits)


def _read_one(found: Document, ids: Ids, limits: Limits) -> Iterator[Item]:
    values = found.value if isinstance(found.value, list) else [found.value]
    for index, value in enumerate(values):
        place = f"line {found.line}"
        if isinstance(found.value, list):
            place += f" [{index}]"
        try:
            yield _decision(value, ids, limits)
        except (_RefusedError, BadIdError) as error:
            yield Rejected(record=place, reason=str(error))


READER = DecisionReader()
