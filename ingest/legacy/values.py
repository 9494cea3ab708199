"""Ids, times or attributes as the formats before OpenTelemetry write them."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from ingest import conventions
from ingest.ids import HEX, BadIdError, Id, id_of
from ingest.otlp.values import INT64_MAX, Decoding, Object, UnreadableError
from store.model import AttributeValue

TRACE_BYTES, SPAN_BYTES = 16, 8
MASK_64 = 2**64 - 1
NS_PER_US = 1000
NS_PER_SECOND = 1_000_000_000
# Time texts longer than this are not numbers anybody wrote for a time.
NUMBER_CHARS_MAX = 40

Values = dict[str, AttributeValue]


def padded(raw: object, size: int, what: str) -> Id | None:
    """An id whose leading zeros may be left out; other text as `ingest.ids` maps it."""
    if type(raw) is str:
        if 0 < len(raw) <= size * 2 and HEX.issuperset(raw):
            value = raw.lower().zfill(size * 2)
            return Id(value) if value.strip("0") else None
        return id_of(raw, size, what)
    if raw is None:
        return None
    if type(raw) is not int:
        raise BadIdError(f"{what} is {type(raw).__name__}, expected hex text or an integer")
    return number_id(raw, size, what)


def number_id(raw: int, size: int, what: str) -> Id | None:
    """An id written as a 64-bit integer, signed or not."""
    if not -(2**63) <= raw <= MASK_64:
        raise BadIdError(f"{what} {str(raw)[:NUMBER_CHARS_MAX]} does not fit into 64 bits")
    return Id(f"{raw & MASK_64:0{size * 2}x}") if raw else None


def required(found: Id | None, what: str) -> Id:
    """The id, or the reason why a record without one is refused."""
    if found is None:
        raise BadIdError(f"{what} is missing, empty or all zero")
    return found


def keep_originals(into: Values, trace: Id, span: Id, parent: Id | None = None) -> None:
    """Keep the texts that were no ids beside the ids that stand for them."""
    if trace.original is not None:
        into[conventions.ORIGINAL_TRACE_ID] = trace.original
    if span.original is not None:
        into[conventions.ORIGINAL_SPAN_ID] = span.original
    if parent is not None and parent.original is not None:
        into[conventions.ORIGINAL_PARENT_SPAN_ID] = parent.original


def units(raw: object, unit_ns: int, what: str) -> int | None:
    """Nanoseconds, exactly, of a number of units; None when there is none."""
    if raw is None or raw == "":
        return None
    value = raw * unit_ns if type(raw) is int else int(_decimal(raw, what) * unit_ns)
    if not -INT64_MAX <= value <= INT64_MAX:
        raise UnreadableError(f"{what} {str(raw)[:NUMBER_CHARS_MAX]} is outside int64 nanoseconds")
    return value


def _decimal(raw: object, what: str) -> Decimal:
    if isinstance(raw, str | float | Decimal) and len(str(raw)) <= NUMBER_CHARS_MAX:
        try:
            value = Decimal(str(raw))
        except InvalidOperation as error:
            raise UnreadableError(f"{what} {raw!r} is not a number") from error
        # The exponent is bounded before the number is written out.
        if value.is_finite() and value.adjusted() < NUMBER_CHARS_MAX:
            return value
    raise UnreadableError(f"{what} {str(raw)[:NUMBER_CHARS_MAX]!r} is not a number of time units")


def time_after(start_ns: int, duration_ns: int | None, what: str) -> int | None:
    """The end; None when the duration is not known."""
    if duration_ns is None:
        return None
    return moment(start_ns + duration_ns, what)


def moment(value: int, what: str) -> int:
    """A time that can be stored."""
    if not 0 <= value <= INT64_MAX:
        reason = "is negative" if value < 0 else "is past the year 2262 (int64 nanoseconds)"
        raise UnreadableError(f"{what} {value} {reason}")
    return value


def text_in(raw: object) -> str:
    """A text field where a wrong type is no reason to lose the record."""
    if raw is None:
        return ""
    return raw if isinstance(raw, str) else str(raw)[:1000]


class Attributes:
    """Attributes of one record; what is past a limit is cut and counted in `decoding`."""

    __slots__ = ("_chars", "_decoding", "_room", "found")

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding
        self._room = decoding.limits.attributes_per_record
        self._chars = decoding.limits.attribute_chars
        self.found: Values = {}

    def put(self, key: str, value: object) -> None:
        """Set one; of two with the same key the later wins."""
        if len(self.found) >= self._room and key not in self.found:
            self._decoding.cut += 1
            return
        if type(value) is str and len(value) <= self._chars:
            self.found[key] = value
        else:
            self.found[key] = value_in(value, self._decoding, 0)

    def offer(self, key: str, value: object) -> None:
        """Set one that says something, unless the record has it already."""
        if value is not None and value != "" and key not in self.found:
            self.put(key, value)

    def take(self, pairs: Iterable[tuple[object, object]]) -> None:
        """Set many."""
        for key, value in pairs:
            self.put(text_in(key), value)

    def flatten(self, prefix: str, value: object) -> None:
        """Set each leaf of nested objects under its dotted path."""
        left = [(prefix, value, 0)]
        while left:
            path, item, depth = left.pop()
            if isinstance(item, dict) and item and depth < self._decoding.limits.nesting_depth:
                inner = [(f"{path}.{key}", each, depth + 1) for key, each in item.items()]
                left.extend(reversed(inner))
            else:
                self.offer(path, item)


def value_in(raw: object, decoding: Decoding, depth: int) -> AttributeValue:
    """A JSON value as an attribute value."""
    if isinstance(raw, str):
        limit = decoding.limits.attribute_chars
        if len(raw) <= limit:
            return raw
        decoding.cut += 1
        return raw[:limit]
    if raw is None or isinstance(raw, bool | float | bytes):
        return raw
    if isinstance(raw, int):
        return raw if -INT64_MAX - 1 <= raw <= INT64_MAX else str(raw)[:64]
    if isinstance(raw, Decimal):
        return float(raw)
    if isinstance(raw, list | dict):
        if depth >= decoding.limits.nesting_depth:
            raise UnreadableError(f"an attribute is nested deeper than nesting_depth = {depth}")
        return _nested(raw, decoding, depth + 1)
    return str(raw)[:64]


def _nested(
    raw: list[object] | dict[str, object], decoding: Decoding, depth: int
) -> AttributeValue:
    limit = decoding.limits.attributes_per_record
    decoding.cut += max(0, len(raw) - limit)
    if isinstance(raw, list):
        return [value_in(item, decoding, depth) for item in raw[:limit]]
    pairs = list(raw.items())[:limit]
    return {key: value_in(item, decoding, depth) for key, item in pairs}


def limited(items: list[object], limit: int, decoding: Decoding) -> list[object]:
    """The first of too many; the rest is counted as cut."""
    if len(items) > limit:
        decoding.cut += len(items) - limit
        return items[:limit]
    return items


def first(raw: Object, names: tuple[str, ...]) -> object:
    """The first field that is there and not null."""
    for name in names:
        value = raw.get(name)
        if value is not None:
            return value
    return None
